#pragma once

#include "gateway/sound_queue.hpp"
#include "gateway/spoken_marks.hpp"
#include "gateway/voice_output.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sidevoice {

/// An answer's sound within voice_output: what waits, what went out, what has been played. Samples
/// are at the client's rate.
class spoken_item {
public:
  using time = voice_output::time;
  using span = std::chrono::nanoseconds;

  spoken_item(std::string item_id, voice_output_settings settings);

  const std::string id;
  const voice_output_settings terms;
  std::string response;
  std::uint32_t attempt = 1;
  sound_queue waiting;
  spoken_marks marks;
  /// The end of the last whole clause that is here, in bytes of the text.
  std::size_t text_end = 0;
  /// Its last piece is here; its first frame has gone out; its last one has.
  bool is_whole = false;
  bool is_begun = false;
  bool is_out = false;
  /// Nothing more of it is wanted.
  bool is_dropped = false;

  /// Adds a piece; false: it belongs to an attempt that is over.
  bool add(const speech_sound& piece);
  /// The next frame, if there is one: a whole one, or what is left at the end.
  [[nodiscard]] std::optional<span> next_length() const;
  sound_frame take_frame(time now);
  /// Forgets what has not gone out.
  void drop_waiting();
  /// Goes on after it was put away; what had gone out is played.
  void revive();

  // -- the account

  /// Time passes: `clock` of it with nothing else to be played before, `all` in all.
  void pass(span clock, span all);
  /// The client's word; false: it cannot be.
  bool report(std::uint32_t ms);
  /// The client plays a later item.
  void finish_playing();

  [[nodiscard]] span sent() const;
  /// How much of it is played by the clock, which paces; and as far as one can know, once `more`
  /// has passed.
  [[nodiscard]] span clocked() const;
  [[nodiscard]] span played(span more = {}) const;
  [[nodiscard]] bool is_finished() const;
  /// When it has been played to where it was sent, or its client should have reported.
  [[nodiscard]] std::optional<time> next_change(time now) const;

  [[nodiscard]] std::uint32_t sent_ms() const;
  /// Bytes of its text that are spoken by `ms`.
  [[nodiscard]] std::size_t text_at(std::uint32_t ms) const;
  [[nodiscard]] playout_point point(span more = {}) const;

  // -- what was told of it

  struct told {
    bool first_sent = false;
    bool first_played = false;
    bool sent_all = false;
    time at{};
    playout_point point;
  } told;

private:
  void convert_in(const sound& piece);
  [[nodiscard]] std::size_t frame_size() const;

  std::optional<resampler> convert_;
  std::uint32_t rate_in_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t sent_ = 0;
  span clocked_{};
  span reported_{};
  bool has_reports_ = false;
  /// It has waited for so long for the first one.
  span unreported_{};
};

} // namespace sidevoice
