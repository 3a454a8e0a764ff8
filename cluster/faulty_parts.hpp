#pragma once

#include "cluster/fault_scenario.hpp"
#include "config/loop.hpp"
#include "persistence/store.hpp"
#include "providers/catalogue.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

/// A node's parts as a fault scenario has them: true ones with a fault between, for as long as the
/// scenario says. Only in test builds (`sidevoice serve --fault`).
namespace sidevoice {

/// Which faults hold now. Any thread.
class fault_switches {
public:
  struct setting {
    std::string fault;
    std::chrono::milliseconds by{0};
  };

  /// Only of store, llm, stt, tts.
  void set(fault_target which, std::optional<setting> now);
  /// None holds any more.
  void clear();
  [[nodiscard]] std::optional<setting> get(fault_target which) const;

private:
  static std::size_t place(fault_target which);

  mutable std::mutex mutex_;
  std::array<std::optional<setting>, 4> now_;
};

/// Hands tasks on to the loop, each later by its delay and none before an earlier one. What waits
/// when it goes is forgotten. Any thread.
class delay_line {
public:
  explicit delay_line(loop& where);
  void put(std::chrono::milliseconds delay, loop::task what);
  /// Nothing waits.
  [[nodiscard]] bool is_empty() const;

private:
  struct body;
  std::shared_ptr<body> body_;
};

/// The store behind it, or what the scenario says of it: "full" refuses appends, "unavailable"
/// refuses everything, "unknown" answers appends with `unknown_outcome` of which every other one
/// was made, "slow" hands everything on later.
class faulty_store final : public store {
public:
  faulty_store(store& real, loop& where, const fault_switches& faults);

  void submit(store_job job) override;
  [[nodiscard]] std::string incarnation() const override {
    return real_.incarnation();
  }

private:
  store& real_;
  loop& where_;
  const fault_switches& faults_;
  delay_line late_;
  std::atomic<std::uint64_t> unknown_{0};
};

/// The same providers: "fail" ends what is asked of them at once, "stall" and "hang" leave it
/// without an answer, "slow" has everything they say come later. `real` and `faults` outlive it.
catalogue make_faulty_catalogue(const catalogue& real, const fault_switches& faults);

/// The same loop with another time of day.
class shifted_loop final : public loop {
public:
  explicit shifted_loop(loop& real) : real_{real} {}

  void shift(std::chrono::milliseconds by) {
    by_.store(by.count(), std::memory_order_relaxed);
  }

  [[nodiscard]] clock::time_point now() const override {
    return real_.now();
  }
  [[nodiscard]] wall_clock::time_point wall() const override {
    return real_.wall() + std::chrono::milliseconds{by_.load(std::memory_order_relaxed)};
  }
  void post(task f) override {
    real_.post(std::move(f));
  }
  [[nodiscard]] std::unique_ptr<timer> after(clock::duration delay, task f) override {
    return real_.after(delay, std::move(f));
  }

private:
  loop& real_;
  std::atomic<std::int64_t> by_{0};
};

} // namespace sidevoice
