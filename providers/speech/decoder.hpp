#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sidevoice {

/// Turns sound into words, a piece at a time. Belongs to one thread: a worker of `stt_pool`.
class speech_decoder {
public:
  /// Asked often while it works; false: nobody wants the answer any more.
  using keep_on = std::function<bool()>;

  virtual ~speech_decoder() = default;

  /// What is said in the sound, at 16 kHz and at most 30 s of it; empty: no words. Returns within
  /// milliseconds of `go_on` saying no, with anything. Error `damaged`, reason "engine". May throw:
  /// then it is not used again.
  virtual result<std::string> decode(samples_view sound, const keep_on& go_on) = 0;
};

/// Makes a worker's decoder, on the worker's thread; null or thrown: the engine does not start.
using decoder_factory = std::function<std::unique_ptr<speech_decoder>()>;

} // namespace sidevoice
