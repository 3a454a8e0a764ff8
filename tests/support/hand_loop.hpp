#pragma once

#include "config/loop.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sidevoice {

/// A loop that a test turns by hand, in virtual time: nothing runs until run_ready() or advance()
/// says so, and equal calls give equal orders. Posting and timers work from any thread; turning and
/// the clocks belong to the test's.
class hand_loop final : public loop {
public:
  /// The wall clock begins here: 2027-03-01 10:00:00 UTC, a Monday.
  static constexpr std::chrono::seconds first_wall{1'803'895'200};

  [[nodiscard]] clock::time_point now() const override {
    return state_->now;
  }

  [[nodiscard]] wall_clock::time_point wall() const override {
    return wall_clock::time_point{first_wall}
           + std::chrono::duration_cast<wall_clock::duration>(state_->now - clock::time_point{});
  }

  void post(task f) override {
    const std::lock_guard guard{state_->mutex};
    state_->ready.push_back(std::move(f));
  }

  [[nodiscard]] std::unique_ptr<timer> after(clock::duration delay, task f) override {
    const std::lock_guard guard{state_->mutex};
    const auto due = state_->now + std::max(delay, clock::duration{0});
    state_->waiting.push_back({due, state_->next_timer, std::move(f)});
    return std::make_unique<hand_timer>(state_, state_->next_timer++);
  }

  /// Runs what is posted and due, and what that posts in turn, until nothing is ready. Returns how
  /// many tasks ran; stops at `most`, so that a task that posts itself for ever fails a test
  /// instead of hanging it.
  std::size_t run_ready(std::size_t most = 100'000) {
    std::size_t ran = 0;
    while (ran < most && run_one())
      ++ran;
    return ran;
  }

  /// Lets time pass, stopping at each timer on the way.
  std::size_t advance(clock::duration by) {
    const auto end = state_->now + by;
    auto ran = run_ready();
    for (;;) {
      const auto due = next_due();
      if (due > end)
        break;
      state_->now = std::max(state_->now, due);
      const auto more = run_ready();
      if (more == 0)
        break;
      ran += more;
    }
    state_->now = end;
    return ran;
  }

  /// Posted tasks and timers that have not run.
  [[nodiscard]] std::size_t pending() const {
    const std::lock_guard guard{state_->mutex};
    return state_->ready.size() + state_->waiting.size();
  }

private:
  struct waiting_task {
    clock::time_point due;
    std::uint64_t id = 0;
    task f;
  };

  struct shared_state {
    std::mutex mutex;
    clock::time_point now{};
    std::deque<task> ready;
    std::vector<waiting_task> waiting;
    std::uint64_t next_timer = 1;
  };

  class hand_timer final : public timer {
  public:
    hand_timer(std::weak_ptr<shared_state> state, std::uint64_t id)
        : state_(std::move(state)),
          id_(id) {}
    hand_timer(const hand_timer&) = delete;
    hand_timer& operator=(const hand_timer&) = delete;

    ~hand_timer() override {
      const auto state = state_.lock();
      if (state == nullptr)
        return;
      // What the task owns may use the loop as it goes: let go of it outside the lock.
      task gone;
      const std::lock_guard guard{state->mutex};
      for (auto it = state->waiting.begin(); it != state->waiting.end(); ++it)
        if (it->id == id_) {
          gone = std::move(it->f);
          state->waiting.erase(it);
          return;
        }
    }

  private:
    std::weak_ptr<shared_state> state_;
    std::uint64_t id_;
  };

  [[nodiscard]] clock::time_point next_due() const {
    const std::lock_guard guard{state_->mutex};
    auto due = clock::time_point::max();
    for (const auto& w : state_->waiting)
      due = std::min(due, w.due);
    return due;
  }

  /// Posted tasks first, then due timers, the earliest first and equal ones in their order.
  bool run_one() {
    task f;
    {
      const std::lock_guard guard{state_->mutex};
      if (!state_->ready.empty()) {
        f = std::move(state_->ready.front());
        state_->ready.pop_front();
      } else {
        const auto first =
          std::min_element(state_->waiting.begin(), state_->waiting.end(), [](auto& a, auto& b) {
            return std::pair{a.due, a.id} < std::pair{b.due, b.id};
          });
        if (first == state_->waiting.end() || first->due > state_->now)
          return false;
        f = std::move(first->f);
        state_->waiting.erase(first);
      }
    }
    f();
    return true;
  }

  std::shared_ptr<shared_state> state_ = std::make_shared<shared_state>();
};

} // namespace sidevoice
