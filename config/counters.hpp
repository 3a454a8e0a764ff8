#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sidevoice {

/// Index of each counter in `config/counters.def`.
enum class counter : std::size_t {
#define COUNTER(name, help) name,
#include "config/counters.def"
#undef COUNTER
  count_
};

/// The product's counters. Any thread; relaxed, since nobody decides by them.
class counters {
public:
  void add(counter which, std::uint64_t n = 1) {
    values_[static_cast<std::size_t>(which)].fetch_add(n, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t value(counter which) const {
    return values_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
  }

private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(counter::count_)> values_{};
};

} // namespace sidevoice
