#pragma once

#include "persistence/event.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sidevoice {

/// How long spoken turns took, by part, for /metrics. Any thread; relaxed, since nobody decides by
/// it.
class turn_histograms {
public:
  /// Upper bounds in ms; one more bucket for what is longer.
  static constexpr std::array<std::uint32_t, 12> bounds = {10,  20,   50,   100,  200,  300,
                                                           500, 1000, 1500, 2000, 3000, 5000};

  struct series {
    /// "end_of_speech", "transcript", "first_token", "first_clause", "first_audio", "played" and
    /// their sum, "silence".
    std::string part;
    /// Turns within each bound, not added up.
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    std::uint64_t sum_ms = 0;
  };

  void add(const turn_measured& turn);
  [[nodiscard]] std::vector<series> read() const;

private:
  static constexpr std::size_t parts = 7;

  struct cell {
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts{};
    std::atomic<std::uint64_t> sum_ms{0};
  };
  std::array<cell, parts> cells_;
};

} // namespace sidevoice
