#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace caf {
class scheduled_actor;
} // namespace caf

namespace sidevoice {

/// Why an actor ended, as far as one who counts wants to know.
enum class end_reason {
  /// An exception left a handler.
  threw,
  /// It gave up by itself.
  quit,
  /// It gave no pulse, or somebody it needs gave no answer in time.
  deadline,
  /// Somebody it needs was gone.
  link,
  other,
};
inline constexpr std::size_t end_reasons = 5;

/// The spelling of metrics and logs: "threw", "quit", "deadline", "link", "other".
const char* to_string(end_reason why);

/// How faults made on purpose are carried out. Tests and the lab put their own hands in.
struct fault_hands {
  /// Nothing is handled for so long. Empty: the actor's thread sleeps. Called in the actor's
  /// handler.
  std::function<void(caf::scheduled_actor&, std::chrono::milliseconds)> hang = {};
};

/// What the supervisors of a node see, for /metrics: restarts by actor and reason, sessions and
/// seats given up, how long messages wait. Any thread. Nothing is decided by it.
class supervision_figures {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Upper bounds of a message's wait in microseconds; one more bucket for what is longer.
  static constexpr std::array<std::uint32_t, 12> bounds = {50,      100,     500,       1'000,
                                                           2'000,   5'000,   10'000,    50'000,
                                                           100'000, 500'000, 1'000'000, 5'000'000};

  /// `names`: the actors of a session's tree. Others are counted as "other", so that labels stay
  /// bounded. `hands` are for test builds.
  explicit supervision_figures(std::vector<std::string> names, fault_hands hands = {});

  void restarted(std::string_view actor, end_reason why);
  void session_given_up();
  void seat_given_up();
  /// An actor answered its supervisor: how long that took, and what waited behind the question.
  void answered(time_point now, std::chrono::microseconds age, std::uint64_t waiting);
  /// An actor has not answered for so long.
  void silent(time_point now, std::chrono::microseconds age);

  struct restart_count {
    std::string actor;
    std::string reason;
    std::uint64_t count = 0;
  };
  struct reading {
    /// Every actor with every reason, also those that never happened.
    std::vector<restart_count> restarts;
    std::uint64_t sessions_given_up = 0;
    std::uint64_t seats_given_up = 0;
    /// Answers within each bound, not added up.
    std::array<std::uint64_t, bounds.size() + 1> ages{};
    std::chrono::microseconds age_sum{0};
    /// The greatest of the last 10 to 20 seconds.
    std::chrono::microseconds age_max{0};
    std::uint64_t waiting_max = 0;
  };
  [[nodiscard]] reading read(time_point now) const;

  [[nodiscard]] const fault_hands& hands() const {
    return hands_;
  }

private:
  struct peak {
    std::chrono::microseconds age{0};
    std::uint64_t waiting = 0;
  };
  void turn_page(time_point now) const;
  void note(time_point now, peak seen);

  const std::vector<std::string> names_;
  const fault_hands hands_;
  mutable std::mutex mutex_;
  /// By name, "other" last, then by reason.
  std::vector<std::array<std::uint64_t, end_reasons>> restarts_;
  std::uint64_t sessions_ = 0;
  std::uint64_t seats_ = 0;
  std::array<std::uint64_t, bounds.size() + 1> ages_{};
  std::chrono::microseconds age_sum_{0};
  /// Greatest values of this page of time and of the one before.
  mutable peak now_;
  mutable peak before_;
  mutable time_point page_{};
};

} // namespace sidevoice
