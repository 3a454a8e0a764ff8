#include "gateway/flow.hpp"

#include <algorithm>

namespace sidevoice {

bool read_credit::taken(std::size_t bytes) {
  sizes_.push_back(bytes);
  bytes_ += bytes;
  paused_ = sizes_.size() >= options_.frames_pause || bytes_ >= options_.bytes_pause;
  return paused_;
}

bool read_credit::consumed() {
  if (sizes_.empty())
    return false;
  bytes_ -= sizes_.front();
  sizes_.pop_front();
  // Without frames there is nobody left to call this again, however the limits are set.
  const auto light =
    sizes_.empty() || (sizes_.size() <= options_.frames_resume && bytes_ <= options_.bytes_resume);
  if (!paused_ || !light)
    return false;
  paused_ = false;
  return true;
}

bool traffic_watch::bytes(std::size_t count, rate_time now) {
  const auto time_of = [this](std::size_t n) {
    const std::chrono::duration<double> seconds{static_cast<double>(n)
                                                / static_cast<double>(options_.bytes_per_second)};
    return std::chrono::duration_cast<rate_time::duration>(seconds);
  };
  bytes_clear_at_ = std::max(bytes_clear_at_, now) + time_of(count);
  return bytes_clear_at_ - now <= time_of(options_.bytes_burst);
}

bool send_bound::admit(std::size_t bytes, time_point now) {
  if (bytes_ == 0)
    progress_ = now;
  const auto stalled = now - progress_ >= options_.stall;
  // What waits before it decides, so that one large frame to an idle client always goes.
  if (bytes_ > options_.burst_max || (bytes_ > options_.bytes_max && stalled))
    return false;
  bytes_ += bytes;
  return true;
}

void send_bound::written(std::size_t bytes, time_point now) {
  bytes_ -= std::min(bytes, bytes_);
  progress_ = now;
}

} // namespace sidevoice
