#pragma once

#include <algorithm>
#include <cstddef>

namespace sidevoice {

/// How much of a clause has been spoken while its sound still comes: by the pace of the clauses
/// before. Plain; no engine here tells better.
class speech_pace {
public:
  /// A clause of so many bytes begins; `speed`: 1 is the voice's own.
  void begin(std::size_t bytes, double speed) {
    bytes_ = bytes;
    ms_ = 0;
    speed_ = std::max(speed, least_speed);
  }
  /// So much more of its sound is here.
  void add(double ms) {
    ms_ += ms;
  }
  /// Bytes of it that have been said; never all of them before the end.
  [[nodiscard]] std::size_t spoken() const {
    const auto bytes = static_cast<std::size_t>(ms_ * speed_ / ms_per_byte_);
    return std::min(bytes, bytes_ - bytes_ / 16 - (bytes_ > 0 ? 1 : 0));
  }
  /// It has been said whole: the next one is taken to go as fast.
  void end() {
    if (bytes_ >= least_bytes)
      ms_per_byte_ = std::clamp(ms_ * speed_ / static_cast<double>(bytes_), 20.0, 200.0);
  }

private:
  static constexpr double least_speed = 0.25;
  static constexpr std::size_t least_bytes = 8;

  /// Some fifteen letters a second.
  double ms_per_byte_ = 65;
  std::size_t bytes_ = 0;
  double ms_ = 0;
  double speed_ = 1;
};

} // namespace sidevoice
