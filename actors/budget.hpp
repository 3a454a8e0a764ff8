#pragma once

#include "config/live.hpp"
#include "config/prices.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// What an app may spend on models: reserved before a run, settled after it. Plain classes: the day
/// comes in as days since 1970 in UTC, money as millionths of a euro.
namespace sidevoice {

/// Unset: no bound.
struct budget_limits {
  std::optional<std::uint64_t> session;
  std::optional<std::uint64_t> day;

  bool operator==(const budget_limits&) const = default;
};

/// Of `eur_per_session` and `eur_per_day`.
budget_limits budget_of(const live_limits& limits);

/// Days since 1970 of a time in milliseconds since then.
std::int32_t day_of(std::int64_t unix_ms);

/// Tokens that a text of so many bytes may have at a vendor: a third, rounded up. English has about
/// four bytes a token and most other scripts have no less than three, so a prompt is rarely longer;
/// what it really had is settled afterwards.
std::uint64_t estimate_tokens(std::uint64_t bytes);

/// The most that a run should cost: nothing of its prompt is cached, and the answer is as long as
/// it may be.
std::uint64_t estimate_micro(const model_price& price, std::uint64_t prompt_tokens,
                             std::uint64_t output_tokens_max);

/// Whether spending that went from `before` to `after` has just reached 80 % of the limit. True for
/// one step only, so that it is said once, also across restarts.
bool reaches_warning(std::uint64_t before, std::uint64_t after, std::optional<std::uint64_t> limit);

/// A run that wants to begin.
struct spend_request {
  std::string app;
  std::string session;
  std::int32_t day = 0;
  /// From `estimate_micro`. A run that costs nothing is never refused.
  std::uint64_t estimate = 0;
  /// What the session's fold says; runs that are not settled yet are known here.
  std::uint64_t session_spent = 0;
  budget_limits limits;
};

/// Which budgets have just reached 80 %: "budget.warning" is due for each.
struct budget_warnings {
  bool session = false;
  bool day = false;

  bool operator==(const budget_warnings&) const = default;
};

class spend_ledger;

/// A reservation. Ends by `settle` or `release` of its ledger; if its owner crashes before, its
/// destructor releases it with what was noted last. Moved, not copied; used by one thread at a
/// time, but by any. May outlive its ledger.
class spend_ticket {
public:
  spend_ticket() noexcept;
  spend_ticket(spend_ticket&& other) noexcept;
  spend_ticket& operator=(spend_ticket&& other) noexcept;
  ~spend_ticket();

  /// What the run has cost so far as far as one knows; 0 before the vendor was asked.
  void note(std::uint64_t micro);

  /// The day it is counted on: the one for `append_events::day` of what it paid for.
  [[nodiscard]] std::int32_t day() const;

  /// False: settled, released, or never reserved.
  explicit operator bool() const;

private:
  friend class spend_ledger;
  struct reservation;
  explicit spend_ticket(std::unique_ptr<reservation> of);

  std::unique_ptr<reservation> reservation_;
};

/// What the apps of a node have spent and reserved on each day. Shared by all sessions; any thread.
///
/// `spent + reserved` of a day never passes its limit by a reservation: of two runs that would only
/// fit alone, one is refused. A run that cost more than its estimate counts with what it cost.
class spend_ledger {
public:
  spend_ledger();
  ~spend_ledger();
  spend_ledger(const spend_ledger&) = delete;
  spend_ledger& operator=(const spend_ledger&) = delete;

  /// What the store had for this app and day before this process spent anything: submit the
  /// store's `get_spend` before the first append that spends. Counts once for each app and day.
  void seed(const std::string& app, std::int32_t day, std::uint64_t micro);

  /// Errors `overloaded`, reason "budget_session" or "budget_day".
  result<spend_ticket> reserve(const spend_request& wanted);

  /// The run is over: frees the reservation and counts what it cost. `session_spent` is what the
  /// session's fold said before this run was counted there.
  budget_warnings settle(spend_ticket ticket, std::uint64_t actual, std::uint64_t session_spent,
                         const budget_limits& limits);

  /// The run was cancelled and the vendor did not say what it cost: counts the estimate of what was
  /// sent and streamed, at most what was reserved. 0: the vendor was never asked.
  budget_warnings release(spend_ticket ticket, std::uint64_t streamed, std::uint64_t session_spent,
                          const budget_limits& limits);

  [[nodiscard]] std::uint64_t spent(const std::string& app, std::int32_t day) const;
  [[nodiscard]] std::uint64_t reserved(const std::string& app, std::int32_t day) const;

private:
  friend class spend_ticket;
  struct books;

  std::shared_ptr<books> books_;
};

} // namespace sidevoice
