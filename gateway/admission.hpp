#pragma once

#include "config/rate.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

/// Who may come in while the node has how much left. Plain: samples and questions come with their
/// time, decisions go out. docs/overload.md says the same for operators.
namespace sidevoice {

/// What was measured of the process between two looks at it.
struct load_sample {
  rate_time at;
  /// How late the loop's timer was.
  std::chrono::microseconds loop_delay{0};
  /// How long a message waited for a thread of the actor system.
  std::chrono::microseconds actor_delay{0};
  /// How long a job waited for the store, or has waited by now.
  std::chrono::microseconds store_delay{0};
  /// CPU used, of what the process may use: 1 is all of it.
  double cpu = 0;
  /// Share of its scheduler's periods in which the process was held back; 0 where nobody knows.
  double throttled = 0;
  /// Of what there may be.
  double memory = 0;
  double descriptors = 0;
  /// Sessions with running actors.
  std::size_t sessions = 0;
};

struct admission_limits {
  bool enabled = true;
  /// Loop and actors: visitors notice a server that is later than this.
  std::chrono::milliseconds target_delay{100};
  std::chrono::milliseconds store_delay{1000};
  double cpu_share = 0.9;
  double memory_share = 0.9;
  double descriptors_share = 0.9;
  /// New sessions a second that a calm node begins with, before it has measured more.
  double start_rate = 250;
  /// Cores that the process may use: what a session is thought to cost before it was measured
  /// depends on them.
  double cores = 1;
};

/// What is refused, in this order; each includes those before it.
enum class shedding {
  nothing,
  /// New sessions of public apps without a key.
  strangers,
  /// All new sessions, and the voice for sessions that have not talked yet.
  newcomers,
};
std::string_view to_string(shedding level);

enum class newcomer { stranger, keyed };

/// How many there were in the newest `size` samples.
template <std::size_t size>
class recent_count {
public:
  void add(std::size_t more = 1) {
    by_sample_[now_] += more;
    sum_ += more;
  }
  /// Another sample begins; what is as old as all of them is forgotten.
  void turn() {
    now_ = (now_ + 1) % size;
    sum_ -= std::exchange(by_sample_[now_], 0);
  }
  [[nodiscard]] double sum() const {
    return static_cast<double>(sum_);
  }

private:
  std::array<std::size_t, size> by_sample_{};
  std::size_t now_ = 0;
  std::size_t sum_ = 0;
};

/// Three guards. The level follows what was measured, with hysteresis: it is slow to rise on a
/// single late timer and slower to fall. The ramp bounds how many new sessions there are between
/// two measurements: its rate grows while more ask and there is head-room, and is halved by each
/// sample that is too late. The room bounds how many come before the load of the last ones is
/// measured: as many as fit by what a session has cost until now. A client that comes back to a
/// session which runs takes none of it. Not thread-safe.
class admission {
public:
  explicit admission(admission_limits limits);

  /// True: the level has changed.
  bool take(const load_sample& sample);

  /// Zero: come in. Else how long to wait before asking again, without jitter: longer the more
  /// are refused. `sessions`: with running actors, at this moment.
  std::chrono::milliseconds admit(newcomer who, rate_time now, std::size_t sessions);

  /// A session that has not talked yet may take the voice seat.
  [[nodiscard]] bool may_begin_to_talk() const {
    return level_ < shedding::newcomers;
  }

  [[nodiscard]] shedding level() const {
    return level_;
  }
  /// 1: idle; 0: at the limit or beyond it.
  [[nodiscard]] double headroom() const;
  /// What the newest sample was closest to its limit in: "loop", "actors", "store", "cpu",
  /// "memory", "descriptors".
  [[nodiscard]] std::string_view tightest() const {
    return tightest_;
  }
  /// New sessions a second.
  [[nodiscard]] double rate() const {
    return rate_;
  }
  /// New sessions that fitted when the newest sample was taken, by what the others cost.
  [[nodiscard]] double room() const {
    return room(sessions_);
  }

private:
  /// Of the samples that a mean is made of: 0.3 s for the ramp, 3 s for the level.
  static constexpr std::size_t few = 3;
  static constexpr std::size_t many = 30;
  /// The load of a session is in the mean after so many: it has to come, be greeted, and speak.
  static constexpr std::size_t settling = 50;

  void measure(const load_sample& sample);
  void count_sessions(std::size_t sessions);
  [[nodiscard]] double room(std::size_t sessions) const;
  [[nodiscard]] double mean_cpu(std::size_t samples) const;
  void judge_level();
  void judge_rate(const load_sample& sample);
  void refill(rate_time now);
  [[nodiscard]] double burst() const;
  std::chrono::milliseconds refuse(std::chrono::milliseconds pause);

  admission_limits limits_;
  shedding level_ = shedding::nothing;
  /// Of the newest sample, in shares of the limit: what visitors wait for or what runs out, the
  /// processor in the long run, and in the short one.
  double strain_ = 0;
  double busy_ = 0;
  double busy_now_ = 0;
  std::string_view tightest_ = "loop";
  /// Samples in a row beyond the limit, by delays and by anything, and well below it.
  std::size_t late_ = 0;
  std::size_t over_ = 0;
  std::size_t calm_ = 0;
  std::array<double, many> cpu_{};
  std::size_t next_cpu_ = 0;

  double rate_;
  double tokens_ = 0;
  rate_time refilled_at_;
  bool pressed_ = false;
  /// The ramp has refused somebody since the newest sample.
  bool starved_ = false;

  /// Of the newest sample, and by how much they have grown: the load of these is not measured yet.
  std::size_t sessions_ = 0;
  recent_count<settling> begun_;
  /// Of the CPU that the process may use.
  double cost_ = 0;
  /// Those that were refused in the last second.
  recent_count<10> refused_;
};

} // namespace sidevoice
