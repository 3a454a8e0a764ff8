#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace sidevoice {

/// Decides whether and when a child that crashed is started again: at most `intensity` restarts in
/// `window`, after pauses of 0, 100 and 500 ms with up to a fifth of jitter. Plain; one per child.
class restart_policy {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct options {
    std::size_t intensity = 3;
    std::chrono::milliseconds window{10'000};
  };

  restart_policy() = default;
  explicit restart_policy(options how) : how_{how} {}

  /// The child crashed. Returns the pause before its restart; nothing when it is not to be started
  /// again.
  std::optional<std::chrono::milliseconds> on_crash(time_point now, std::uint64_t random);

  [[nodiscard]] std::uint64_t restarts() const {
    return restarts_;
  }

  /// Crashes that count now: those of the last `window`.
  [[nodiscard]] std::uint64_t crashes(time_point now) const;

  /// With so many crashes in the window the next one is the last.
  [[nodiscard]] std::uint64_t intensity() const {
    return how_.intensity;
  }

private:
  options how_;
  std::deque<time_point> crashes_;
  std::uint64_t restarts_ = 0;
};

} // namespace sidevoice
