#pragma once

#include "providers/sound.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

/// Voice activity: how likely it is that somebody speaks. Runs on the thread of whoever has the
/// sound: a frame costs some 20 µs, less than handing it to somebody else.
namespace sidevoice {

/// New samples of one frame at 16 kHz: 32 ms.
inline constexpr std::size_t vad_frame = 512;

/// One stream of sound. One thread at a time.
class vad_stream {
public:
  virtual ~vad_stream() = default;

  /// Probability of speech in the next frame, 0 to 1, never NaN.
  virtual float push(std::span<const std::int16_t, vad_frame> frame) = 0;

  /// Forgets what it has heard: the next frame is a beginning. The same frames then give the same
  /// probabilities as those of a new stream.
  virtual void reset() = 0;
};

/// A loaded model; streams share its weights. Any thread; outlives its streams.
class vad_engine {
public:
  virtual ~vad_engine() = default;
  [[nodiscard]] virtual std::unique_ptr<vad_stream> open() const = 0;
  /// Such as "silero" or "energy".
  [[nodiscard]] virtual std::string name() const = 0;
};

} // namespace sidevoice
