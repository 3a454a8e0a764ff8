#pragma once

#include "providers/sound.hpp"

#include <cstdint>
#include <memory>

namespace sidevoice {

/// Streaming conversion between rates (speexdsp, quality 3: 1.5 ms of delay). Equal rates copy. One
/// thread at a time.
class resampler {
public:
  resampler(std::uint32_t from, std::uint32_t to);
  ~resampler();
  resampler(resampler&&) noexcept;
  resampler& operator=(resampler&&) noexcept;

  /// Appends what comes out to `out`. The count adds up to to/from of what went in, within a frame.
  void push(samples_view in, samples& out);

  /// Forgets the past: the next sample is a beginning.
  void reset();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sidevoice
