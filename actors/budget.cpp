#include "actors/budget.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace sidevoice {

namespace {

struct day_account {
  std::uint64_t spent = 0;
  std::uint64_t reserved = 0;
  bool seeded = false;
};

/// `used + wanted` stays within the limit.
bool fits(std::uint64_t used, std::uint64_t wanted, std::optional<std::uint64_t> limit) {
  return !limit || (used <= *limit && wanted <= *limit - used);
}

} // namespace

struct spend_ledger::books {
  using session_name = std::pair<std::string, std::string>;

  mutable std::mutex mutex;
  std::map<std::string, std::map<std::int32_t, day_account>> apps;
  /// Reserved by sessions; those without a run that is under way are not in it.
  std::map<session_name, std::uint64_t> sessions;

  day_account& account(const std::string& app, std::int32_t day);
  [[nodiscard]] day_account look(const std::string& app, std::int32_t day) const;
  /// Frees a reservation and counts what it cost. True: the day's budget has reached its warning.
  bool close(const spend_ticket::reservation& ended, std::uint64_t cost,
             std::optional<std::uint64_t> day_limit);
};

struct spend_ticket::reservation {
  std::shared_ptr<spend_ledger::books> books;
  std::string app;
  std::string session;
  std::int32_t day = 0;
  std::uint64_t amount = 0;
  std::uint64_t noted = 0;
};

/// The mutex is held. Days before yesterday go once nothing of them is under way.
day_account& spend_ledger::books::account(const std::string& app, std::int32_t day) {
  auto& days = apps[app];
  auto& found = days[day];
  const auto newest = days.rbegin()->first;
  std::erase_if(days, [day, newest](const auto& entry) {
    return entry.first != day && entry.first < newest - 1 && entry.second.reserved == 0;
  });
  return found;
}

day_account spend_ledger::books::look(const std::string& app, std::int32_t day) const {
  const std::lock_guard lock{mutex};
  const auto days = apps.find(app);
  if (days == apps.end())
    return {};
  const auto found = days->second.find(day);
  return found == days->second.end() ? day_account{} : found->second;
}

bool spend_ledger::books::close(const spend_ticket::reservation& ended, std::uint64_t cost,
                                std::optional<std::uint64_t> day_limit) {
  const std::lock_guard lock{mutex};
  auto& of_day = account(ended.app, ended.day);
  of_day.reserved -= ended.amount;
  const auto before = of_day.spent;
  of_day.spent += cost;
  if (const auto open = sessions.find({ended.app, ended.session}); open != sessions.end()) {
    open->second -= ended.amount;
    if (open->second == 0)
      sessions.erase(open);
  }
  return reaches_warning(before, of_day.spent, day_limit);
}

budget_limits budget_of(const live_limits& limits) {
  const auto micro = [](const std::optional<double>& euros) {
    return euros ? std::optional{euros_to_micro(*euros)} : std::nullopt;
  };
  return {.session = micro(limits.eur_per_session), .day = micro(limits.eur_per_day)};
}

std::int32_t day_of(std::int64_t unix_ms) {
  using days = std::chrono::duration<std::int32_t, std::chrono::days::period>;
  return std::chrono::floor<days>(std::chrono::milliseconds{unix_ms}).count();
}

std::uint64_t estimate_tokens(std::uint64_t bytes) {
  return bytes / 3 + (bytes % 3 == 0 ? 0 : 1);
}

std::uint64_t estimate_micro(const model_price& price, std::uint64_t prompt_tokens,
                             std::uint64_t output_tokens_max) {
  return cost_micro(price, prompt_tokens, 0, output_tokens_max);
}

bool reaches_warning(std::uint64_t before, std::uint64_t after,
                     std::optional<std::uint64_t> limit) {
  if (!limit)
    return false;
  // Four fifths, rounded up, without a product that could overflow.
  const auto threshold = *limit - *limit / 5;
  return before < threshold && after >= threshold;
}

spend_ticket::spend_ticket() noexcept = default;

spend_ticket::spend_ticket(std::unique_ptr<reservation> of) : reservation_(std::move(of)) {}

spend_ticket::spend_ticket(spend_ticket&& other) noexcept = default;

spend_ticket& spend_ticket::operator=(spend_ticket&& other) noexcept {
  // The former reservation goes with the temporary, and is released by its destructor.
  spend_ticket{std::move(other)}.reservation_.swap(reservation_);
  return *this;
}

spend_ticket::~spend_ticket() {
  if (reservation_)
    reservation_->books->close(*reservation_, std::min(reservation_->noted, reservation_->amount),
                               std::nullopt);
}

void spend_ticket::note(std::uint64_t micro) {
  if (reservation_)
    reservation_->noted = micro;
}

std::int32_t spend_ticket::day() const {
  return reservation_ ? reservation_->day : 0;
}

spend_ticket::operator bool() const {
  return reservation_ != nullptr;
}

spend_ledger::spend_ledger() : books_(std::make_shared<books>()) {}

spend_ledger::~spend_ledger() = default;

void spend_ledger::seed(const std::string& app, std::int32_t day, std::uint64_t micro) {
  const std::lock_guard lock{books_->mutex};
  auto& of_day = books_->account(app, day);
  if (!std::exchange(of_day.seeded, true))
    of_day.spent += micro;
}

result<spend_ticket> spend_ledger::reserve(const spend_request& wanted) {
  // Made before anything is counted: running out of memory here must not leave a reservation.
  auto made = std::make_unique<spend_ticket::reservation>(
    spend_ticket::reservation{.books = books_,
                              .app = wanted.app,
                              .session = wanted.session,
                              .day = wanted.day,
                              .amount = wanted.estimate});
  const std::lock_guard lock{books_->mutex};
  auto& of_day = books_->account(wanted.app, wanted.day);
  if (wanted.estimate == 0)
    return spend_ticket{std::move(made)};
  const auto open = books_->sessions.find({wanted.app, wanted.session});
  const auto of_session = wanted.session_spent
                          + (open == books_->sessions.end() ? 0 : open->second);
  if (!fits(of_session, wanted.estimate, wanted.limits.session))
    return error{.code = errc::overloaded,
                 .detail = "this session has used up its budget; begin another one",
                 .reason = "budget_session"};
  if (!fits(of_day.spent + of_day.reserved, wanted.estimate, wanted.limits.day))
    return error{.code = errc::overloaded,
                 .detail = "this app has used up its budget of the day; it is renewed at midnight, "
                           "UTC",
                 .reason = "budget_day"};
  books_->sessions[{wanted.app, wanted.session}] += wanted.estimate;
  of_day.reserved += wanted.estimate;
  return spend_ticket{std::move(made)};
}

budget_warnings spend_ledger::settle(spend_ticket ticket, std::uint64_t actual,
                                     std::uint64_t session_spent, const budget_limits& limits) {
  const auto ended = std::exchange(ticket.reservation_, nullptr);
  if (!ended)
    return {};
  return {.session = reaches_warning(session_spent, session_spent + actual, limits.session),
          .day = ended->books->close(*ended, actual, limits.day)};
}

budget_warnings spend_ledger::release(spend_ticket ticket, std::uint64_t streamed,
                                      std::uint64_t session_spent, const budget_limits& limits) {
  const auto cost = ticket ? std::min(streamed, ticket.reservation_->amount) : 0;
  return settle(std::move(ticket), cost, session_spent, limits);
}

std::uint64_t spend_ledger::spent(const std::string& app, std::int32_t day) const {
  return books_->look(app, day).spent;
}

std::uint64_t spend_ledger::reserved(const std::string& app, std::int32_t day) const {
  return books_->look(app, day).reserved;
}

} // namespace sidevoice
