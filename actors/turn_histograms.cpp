#include "actors/turn_histograms.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

constexpr std::array<const char*, 7> names = {"end_of_speech", "transcript",  "first_token",
                                              "first_clause",  "first_audio", "played",
                                              "silence"};

} // namespace

void turn_histograms::add(const turn_measured& turn) {
  std::array<std::uint32_t, parts> ms = {turn.end_of_speech,
                                         turn.transcript,
                                         turn.first_token,
                                         turn.first_clause,
                                         turn.first_audio,
                                         turn.played,
                                         0};
  for (std::size_t i = 0; i + 1 < parts; ++i)
    ms.back() += ms[i];
  for (std::size_t i = 0; i < parts; ++i) {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), ms[i]) - bounds.begin();
    cells_[i].counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    cells_[i].sum_ms.fetch_add(ms[i], std::memory_order_relaxed);
  }
}

std::vector<turn_histograms::series> turn_histograms::read() const {
  std::vector<series> out;
  for (std::size_t i = 0; i < parts; ++i) {
    series one{.part = names[i]};
    for (std::size_t b = 0; b < one.counts.size(); ++b)
      one.counts[b] = cells_[i].counts[b].load(std::memory_order_relaxed);
    one.sum_ms = cells_[i].sum_ms.load(std::memory_order_relaxed);
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace sidevoice
