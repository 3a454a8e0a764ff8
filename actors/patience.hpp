#pragma once

#include "config/loop.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace sidevoice {

/// How long an answer is waited for, looked at by one timer that sleeps for what is left. A process
/// that stood still (SIGSTOP, a closed lid, a machine that is moved) finds its timers due before it
/// has read what came meanwhile: a look that comes late gives that some time. Plain.
class patience {
public:
  using clock = loop::clock;

  /// A timer is late on a busy machine as well, but not by so much.
  static constexpr std::chrono::seconds stood_still{1};
  static constexpr std::chrono::seconds grace{2};

  /// Begins to wait; the first look is when `how_long` is over.
  void begin(clock::time_point now, clock::duration how_long) {
    due_ = planned_ = now + how_long;
  }
  /// Something has come: from now on so long again. The look stays planned.
  void extend(clock::time_point now, clock::duration how_long) {
    due_ = now + how_long;
  }
  /// Nothing is waited for any more.
  void end() {
    due_.reset();
  }
  [[nodiscard]] bool is_waiting() const {
    return due_.has_value();
  }

  /// The planned look. Until the next one; unset: it is over. Only while waiting.
  std::optional<clock::duration> look(clock::time_point now) {
    if (now - planned_ > stood_still)
      due_ = std::max(*due_, now + grace);
    const auto left = *due_ - now;
    if (left <= left.zero())
      return std::nullopt;
    planned_ = *due_;
    return left;
  }

private:
  std::optional<clock::time_point> due_;
  clock::time_point planned_;
};

} // namespace sidevoice
