#pragma once

#include "actors/voice_messages.hpp"
#include "config/counters.hpp"
#include "gateway/sound_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

/// The utterances of a connection whose words are not durable yet, with their sound. Plain.
namespace sidevoice {

struct kept_utterance {
  std::string id;
  std::string stream;
  /// Where it begins, in samples at 16 kHz of the stream.
  std::uint64_t from = 0;
  sound_queue data;
  /// The edges that were told; a manual one has no beginning.
  std::optional<speech_edge> begun;
  /// Its newest edge, while it is silent and open.
  std::optional<speech_edge> paused;
  std::optional<speech_edge> ended;
};

class kept_speech {
public:
  /// `count` outlives it.
  kept_speech(counters& count, std::size_t samples_max);

  /// Begins one; nothing may be open.
  kept_utterance& open(std::string id, std::string stream, std::uint64_t from);
  /// The one that has not ended, always the newest; null: none.
  [[nodiscard]] kept_utterance* current();
  [[nodiscard]] const kept_utterance* current() const;
  /// More sound of the open one. Beyond the bound the oldest sound of the oldest utterance goes.
  void append(samples_view data);

  /// Forgets it, with its sound; false: not there.
  bool forget(const std::string& id);

  /// Where the oldest one of this stream begins.
  [[nodiscard]] std::optional<std::uint64_t> oldest(const std::string& stream) const;
  [[nodiscard]] const std::deque<kept_utterance>& all() const;
  [[nodiscard]] std::size_t samples_kept() const;

private:
  void make_room();

  counters& count_;
  std::size_t samples_max_;
  std::deque<kept_utterance> all_;
  std::size_t samples_ = 0;
  std::uint64_t dropped_ = 0;
};

} // namespace sidevoice
