#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sidevoice {

/// What is said: plain text of letters, digits and punctuation.
struct spoken_text {
  std::string text;
  std::string voice;
  /// 1: the voice's own speed.
  double speed = 1.0;
};

/// Where the sound goes, piece by piece. Called on the worker's thread, inside `speak`.
struct speech_output {
  /// False: stop, nobody listens any more.
  std::function<bool(samples_view piece, std::uint32_t rate)> sound;
  /// Everything before byte `text_end` of the text has been said `at_ms` after the beginning. In
  /// order; may come before the sound that it is about.
  std::function<void(std::size_t text_end, std::uint32_t at_ms)> mark;
};

/// Speaks with a number of voices. Belongs to one thread: a worker of `tts_pool`.
class speaker {
public:
  virtual ~speaker() = default;

  /// Returns when all is said, or soon after it was told to stop. Errors: `not_found`, reason
  /// "no_voice"; `damaged`, reason "engine". May throw: then it is not used again.
  virtual result<void> speak(const spoken_text& what, const speech_output& to) = 0;
};

/// Makes a worker's speaker, on the worker's thread.
using speaker_factory = std::function<std::unique_ptr<speaker>()>;

} // namespace sidevoice
