#include "actors/restart_policy.hpp"

#include <algorithm>
#include <array>

namespace sidevoice {

std::optional<std::chrono::milliseconds> restart_policy::on_crash(time_point now,
                                                                  std::uint64_t random) {
  static constexpr std::array<std::int64_t, 3> pauses{0, 100, 500};
  while (!crashes_.empty() && now - crashes_.front() > how_.window)
    crashes_.pop_front();
  if (crashes_.size() >= how_.intensity)
    return std::nullopt;
  const auto pause = pauses.at(std::min(crashes_.size(), pauses.size() - 1));
  crashes_.push_back(now);
  ++restarts_;
  const auto jitter =
    pause == 0 ? 0 : static_cast<std::int64_t>(random % static_cast<std::uint64_t>(pause / 5));
  return std::chrono::milliseconds{pause + jitter};
}

std::uint64_t restart_policy::crashes(time_point now) const {
  return static_cast<std::uint64_t>(std::count_if(
    crashes_.begin(), crashes_.end(), [&](time_point at) { return now - at <= how_.window; }));
}

} // namespace sidevoice
