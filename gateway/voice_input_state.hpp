#pragma once

#include "gateway/kept_speech.hpp"
#include "gateway/resampler.hpp"
#include "gateway/speech_edges.hpp"
#include "gateway/voice_input.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace sidevoice {

/// Inside of voice_input. Positions are counted in samples at 16 kHz of the stream.
struct voice_input::state {
  state(std::unique_ptr<vad_stream> vad_in, id_source& ids_in, counters& count,
        voice_input_limits limits_in);

  static constexpr std::uint64_t per_ms = speech_rate / 1000;

  std::unique_ptr<vad_stream> vad;
  id_source& ids;
  voice_input_limits limits;
  turn_settings turns;
  speech_edges edges;
  kept_speech kept;
  /// A manual utterance was open when turns became automatic.
  bool must_adopt = false;

  std::string stream;
  /// Stretches of it that have been dealt with, in ms.
  std::vector<sound_range> heard;
  std::uint32_t rate = 0;
  std::optional<resampler> convert;
  samples converted;

  /// The next sample's position. Behind `position` while a client repeats what is here already.
  std::uint64_t next = 0;
  /// The end of the sound that is here, and of the frames that were judged.
  std::uint64_t position = 0;
  std::uint64_t judged = 0;
  /// Where `edges` began to count.
  std::uint64_t origin = 0;
  /// No utterance begins before: it has been dealt with.
  std::uint64_t floor = 0;
  /// The end of what the open utterance has been given.
  std::uint64_t taken = 0;
  /// The newest sound, from `recent_from` to `position`.
  samples recent;
  std::uint64_t recent_from = 0;

  /// Speech that is to come again, in its order; the first one is open if `is_again`.
  std::deque<speech_state> awaited;
  bool is_again = false;
  /// Of that one: its voice so far, and the silence behind the last of it.
  std::uint32_t again_voiced_ms = 0;
  std::uint32_t again_silence_ms = 0;

  std::uint64_t told_settled_ms = 0;
  std::uint32_t unprobed = 0;
  float probe_peak = 0;

  // -- the stream

  /// Everything begins anew at a position.
  void restart(std::string stream_id, std::uint64_t from_ms, std::uint64_t heard_to);
  /// Makes silence of what has been dealt with; `sound` begins at `position`.
  void hush(std::span<std::int16_t> sound) const;
  void set_rate(std::uint32_t in);
  /// Takes what was converted, and listens to it.
  void take_in(steps& out);
  void judge_frame(steps& out);
  void probe(steps& out, float probability);
  void trim();
  /// Where a beginning that is noticed later could reach back to.
  [[nodiscard]] std::uint64_t reach() const;
  /// Says how far the stream is settled, if that has moved by at least so much.
  void tell_settled(steps& out, std::uint64_t least_ms);
  [[nodiscard]] std::uint64_t settled_ms() const;

  // -- utterances

  void on_edge(steps& out, const speech_edges::edge& edge);
  void open_spoken(steps& out, const speech_edges::edge& edge);
  void open_manual(steps& out);
  /// Speech that is kept here needs no second hearing.
  void await(std::vector<speech_state> speech);
  /// The next frame is the first one of awaited speech.
  void open_again(steps& out);
  /// A frame of awaited speech was judged.
  void go_on_again(steps& out, float probability);
  void open_at(std::uint64_t from, std::string id);
  void adopt(steps& out);
  void give_sound(steps& out, std::uint64_t until);
  /// Ends the open utterance where its sound ends.
  void end(steps& out, std::uint32_t voiced_ms, std::uint32_t silence_ms, bool manual);
  /// Cancels the open utterance; `told`: whoever knows of it hears that it is over.
  void forget_open(steps& out, std::uint64_t new_floor, bool told = true);
  void keep_bounds(steps& out);
  [[nodiscard]] speech_edge edge_of(const kept_utterance& one, edge_kind kind, std::uint64_t at,
                                    std::uint32_t voiced_ms, std::uint32_t silence_ms) const;
  void add_tail(speech_edge& edge, const kept_utterance& one) const;
  [[nodiscard]] bool is_manual() const {
    return turns.mode == turn_mode::manual;
  }
};

} // namespace sidevoice
