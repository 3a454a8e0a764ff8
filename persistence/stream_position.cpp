#include "persistence/stream_position.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

/// Open speech ends by its deadline; so many stretches cannot come together before.
constexpr std::size_t heard_max = 256;
constexpr std::size_t lost_max = 8;

} // namespace

void stream_position::hear(sound_range range, std::optional<std::uint64_t> open_from) {
  if (range.to_ms > to_ms) {
    const auto at = std::find_if(heard.begin(), heard.end(), [&range](const sound_range& one) {
      return one.from_ms > range.from_ms;
    });
    heard.insert(at, range);
  }
  std::erase_if(lost, [this](const sound_range& one) { return has_heard(one); });
  for (const auto& one : lost)
    open_from = std::min(open_from.value_or(one.from_ms), one.from_ms);
  while (!heard.empty()
         && (heard.size() > heard_max || !open_from || heard.front().to_ms <= *open_from)) {
    to_ms = std::max(to_ms, heard.front().to_ms);
    heard.erase(heard.begin());
  }
}

void stream_position::lose(sound_range range) {
  if (lost.size() == lost_max)
    lost.erase(lost.begin());
  lost.push_back(range);
}

bool stream_position::has_heard(sound_range range) const {
  auto known = range.from_ms < to_ms ? std::min(range.to_ms, to_ms) - range.from_ms : 0;
  for (const auto& one : heard)
    if (const auto from = std::max({range.from_ms, one.from_ms, to_ms}),
        to = std::min(range.to_ms, one.to_ms);
        from < to)
      known += to - from;
  return known * 2 > range.to_ms - std::min(range.from_ms, range.to_ms);
}

} // namespace sidevoice
