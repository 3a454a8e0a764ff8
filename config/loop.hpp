#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace sidevoice {

/// A pending call. Destroying it cancels it; a call already under way may still arrive.
class timer {
public:
  virtual ~timer() = default;
};

/// Time, timers and the executor on which completions are posted. The product's loop is Asio's
/// (`config/asio_loop.hpp`); the lab turns one by hand, in virtual time.
class loop {
public:
  using clock = std::chrono::steady_clock;
  using wall_clock = std::chrono::system_clock;
  using task = std::function<void()>;

  virtual ~loop() = default;

  /// Elapsed time. The only clock that deadlines may use. Any thread.
  [[nodiscard]] virtual clock::time_point now() const = 0;

  /// Time of day, for people and journals; never subtracted from another. Any thread.
  [[nodiscard]] virtual wall_clock::time_point wall() const = 0;

  /// Runs `f` later on the loop's thread, in the order of the calls. Any thread.
  virtual void post(task f) = 0;

  /// Runs `f` on the loop's thread after `delay`. Any thread.
  [[nodiscard]] virtual std::unique_ptr<timer> after(clock::duration delay, task f) = 0;
};

/// Milliseconds since 1970 of the loop's wall clock: the unit of `at` in the journal.
inline std::int64_t wall_ms(const loop& where) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(where.wall().time_since_epoch())
    .count();
}

} // namespace sidevoice
