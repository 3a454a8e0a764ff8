#pragma once

#include <cstdint>
#include <random>

namespace sidevoice::lab {

/// The only source of chance in a run: same seed, same run.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_{seed * 0x9E3779B97F4A7C15ULL + 1} {}

  /// 0 .. n - 1. Not std::uniform_int_distribution, whose numbers differ between libraries.
  std::uint64_t roll(std::uint64_t n) {
    return n == 0 ? 0 : engine_() % n;
  }

  /// True in `percent` of a hundred cases.
  bool chance(std::uint64_t percent) {
    return roll(100) < percent;
  }

private:
  std::mt19937_64 engine_;
};

} // namespace sidevoice::lab
