#pragma once

#include "config/loop.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace sidevoice::lab {

/// The lab's loop: turned by hand, on the virtual clock of CAF's test scheduler.
class lab_loop final : public loop {
public:
  /// 2027-01-04 08:00 UTC, a Monday.
  static constexpr std::chrono::milliseconds wall_begins{1'799'049'600'000};

  /// Reads the virtual clock.
  using now_function = std::function<clock::time_point()>;

  explicit lab_loop(now_function now) : now_{std::move(now)} {}

  clock::time_point now() const override {
    return now_();
  }

  /// `wall_begins` plus the virtual time.
  wall_clock::time_point wall() const override {
    return wall_clock::time_point{wall_begins}
           + std::chrono::duration_cast<wall_clock::duration>(now().time_since_epoch());
  }

  void post(task f) override {
    posted_.push_back(std::move(f));
  }

  std::unique_ptr<timer> after(clock::duration delay, task f) override {
    const auto id = ++next_;
    timers_.emplace(std::pair{now() + delay, id}, std::move(f));
    return std::make_unique<entry>(*this, std::pair{now() + delay, id});
  }

  bool has_work() const {
    return !posted_.empty() || (!timers_.empty() && timers_.begin()->first.first <= now());
  }

  std::size_t timers() const {
    return timers_.size();
  }

  /// Runs the oldest posted task, else the first timer that is due.
  void run_once() {
    task next;
    if (!posted_.empty()) {
      next = std::move(posted_.front());
      posted_.pop_front();
    } else {
      auto node = timers_.extract(timers_.begin());
      next = std::move(node.mapped());
    }
    next();
  }

  /// The process died: nothing that was waiting happens.
  void crash() {
    // What goes may own timers, which take themselves out of the map.
    const auto posted = std::exchange(posted_, {});
    const auto timers = std::exchange(timers_, {});
  }

private:
  using key = std::pair<clock::time_point, std::uint64_t>;

  class entry final : public timer {
  public:
    entry(lab_loop& where, key id) : where_{where}, id_{id} {}
    ~entry() override {
      where_.timers_.erase(id_);
    }

  private:
    lab_loop& where_;
    key id_;
  };

  now_function now_;
  std::deque<task> posted_;
  std::map<key, task> timers_;
  std::uint64_t next_ = 0;
};

} // namespace sidevoice::lab
