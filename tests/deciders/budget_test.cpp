#include "actors/budget.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

using namespace sidevoice;

namespace {

constexpr std::int32_t today = 20'000;

spend_request run(std::uint64_t estimate, budget_limits limits, std::uint64_t session_spent = 0,
                  std::string session = "sess_1") {
  return {.app = "moving",
          .session = std::move(session),
          .day = today,
          .estimate = estimate,
          .session_spent = session_spent,
          .limits = limits};
}

std::string reason_of(const result<spend_ticket>& answer) {
  return answer ? "reserved" : answer.error().reason;
}

} // namespace

TEST_CASE("limits of the app file are millionths of a euro") {
  live_limits limits;
  CHECK(budget_of(limits) == budget_limits{});
  limits.eur_per_session = 0.5;
  limits.eur_per_day = 40;
  CHECK(budget_of(limits) == budget_limits{.session = 500'000, .day = 40'000'000});
}

TEST_CASE("a day begins at midnight in UTC") {
  CHECK(day_of(0) == 0);
  CHECK(day_of(86'399'999) == 0);
  CHECK(day_of(86'400'000) == 1);
  CHECK(day_of(-1) == -1);
  CHECK(day_of(1'795'410'000'000) == 20'780);
}

TEST_CASE("an estimate is what a run may cost at most") {
  CHECK(estimate_tokens(0) == 0);
  CHECK(estimate_tokens(1) == 1);
  CHECK(estimate_tokens(3) == 1);
  CHECK(estimate_tokens(4) == 2);
  const model_price price{.input = 0.4, .cached_input = 0.1, .output = 1.6};
  CHECK(estimate_micro(price, 1000, 500) == 400 + 800);
  CHECK(estimate_micro(price, 1000, 500) >= cost_micro(price, 1000, 300, 499));
  CHECK(estimate_micro({}, 1000, 500) == 0);
}

TEST_CASE("what is reserved counts until it is settled, then what it cost") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  auto ticket = ledger.reserve(run(60, limits)).value();
  CHECK(ticket.day() == today);
  CHECK(ledger.reserved("moving", today) == 60);
  CHECK(reason_of(ledger.reserve(run(41, limits))) == "budget_day");
  CHECK(reason_of(ledger.reserve(run(40, limits))) == "reserved");
  ledger.settle(std::move(ticket), 25, 0, limits);
  CHECK(ledger.reserved("moving", today) == 0); // the second one was dropped at once
  CHECK(ledger.spent("moving", today) == 25);
  CHECK(reason_of(ledger.reserve(run(76, limits))) == "budget_day");
  CHECK(reason_of(ledger.reserve(run(75, limits))) == "reserved");
}

TEST_CASE("a refusal says which budget, that it is a limit, and reserves nothing") {
  spend_ledger ledger;
  const budget_limits limits{.session = 50, .day = 30};
  const auto session = ledger.reserve(run(10, limits, 45));
  REQUIRE(session.has_error());
  CHECK(session.error().code == errc::overloaded);
  CHECK(session.error().reason == "budget_session");
  CHECK(reason_of(ledger.reserve(run(31, limits))) == "budget_day");
  CHECK(reason_of(ledger.reserve(run(5, limits, 60))) == "budget_session");
  CHECK(ledger.reserved("moving", today) == 0);
}

TEST_CASE("a session's runs that are under way count for its budget, another session's do not") {
  spend_ledger ledger;
  const budget_limits limits{.session = 100};
  auto first = ledger.reserve(run(40, limits, 30)).value();
  CHECK(reason_of(ledger.reserve(run(31, limits, 30))) == "budget_session");
  CHECK(reason_of(ledger.reserve(run(31, limits, 30, "sess_2"))) == "reserved");
  CHECK(reason_of(ledger.reserve(run(30, limits, 30))) == "reserved");
  ledger.settle(std::move(first), 20, 30, limits);
  CHECK(reason_of(ledger.reserve(run(51, limits, 50))) == "budget_session");
  CHECK(reason_of(ledger.reserve(run(50, limits, 50))) == "reserved");
}

TEST_CASE("without limits everything is reserved, and counted all the same") {
  spend_ledger ledger;
  auto ticket = ledger.reserve(run(1'000'000, {})).value();
  ledger.settle(std::move(ticket), 900'000, 0, {});
  CHECK(ledger.spent("moving", today) == 900'000);
}

TEST_CASE("a run that costs nothing is never refused, also when the budget is used up") {
  spend_ledger ledger;
  const budget_limits limits{.session = 10, .day = 10};
  ledger.settle(ledger.reserve(run(10, limits)).value(), 12, 0, limits);
  CHECK(reason_of(ledger.reserve(run(1, limits, 12, "sess_2"))) != "reserved");
  const auto rules = price_of({}, "rules", "").value_or(model_price{});
  CHECK(reason_of(ledger.reserve(run(estimate_micro(rules, 5000, 5000), limits, 12)))
        == "reserved");
}

TEST_CASE("a run that cost more than reserved counts with what it cost") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  ledger.settle(ledger.reserve(run(60, limits)).value(), 130, 0, limits);
  CHECK(ledger.spent("moving", today) == 130);
  CHECK(reason_of(ledger.reserve(run(1, limits))) == "budget_day");
}

TEST_CASE("a cancelled run counts what was streamed, at most what was reserved") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  ledger.release(ledger.reserve(run(60, limits)).value(), 15, 0, limits);
  CHECK(ledger.spent("moving", today) == 15);
  ledger.release(ledger.reserve(run(60, limits)).value(), 90, 0, limits);
  CHECK(ledger.spent("moving", today) == 75);
  ledger.release(ledger.reserve(run(25, limits)).value(), 0, 0, limits);
  CHECK(ledger.spent("moving", today) == 75);
  CHECK(ledger.reserved("moving", today) == 0);
}

TEST_CASE("a ticket that is lost in a crash frees its reservation and counts what was noted") {
  spend_ledger ledger;
  {
    auto ticket = ledger.reserve(run(60, {})).value();
    ticket.note(10);
    ticket.note(20);
    auto moved = std::move(ticket);
    CHECK(ledger.reserved("moving", today) == 60);
    moved = ledger.reserve(run(5, {})).value();
    CHECK(ledger.spent("moving", today) == 20);
    CHECK(ledger.reserved("moving", today) == 5);
    moved.note(70);
  }
  CHECK(ledger.reserved("moving", today) == 0);
  CHECK(ledger.spent("moving", today) == 25);
  CHECK(ledger.settle({}, 40, 0, {}) == budget_warnings{});
  CHECK(ledger.spent("moving", today) == 25);
}

TEST_CASE("a ticket may outlive its ledger") {
  auto ledger = std::make_unique<spend_ledger>();
  auto ticket = ledger->reserve(run(60, {})).value();
  ledger.reset();
  ticket.note(1);
  CHECK(static_cast<bool>(ticket));
  ticket = {};
  CHECK_FALSE(static_cast<bool>(ticket));
}

TEST_CASE("each app and each day has a budget of its own") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  auto late = ledger.reserve(run(90, limits)).value();
  auto tomorrow = run(90, limits);
  tomorrow.day = today + 1;
  auto other = run(90, limits);
  other.app = "other";
  CHECK(reason_of(ledger.reserve(run(20, limits))) == "budget_day");
  auto next = ledger.reserve(tomorrow).value();
  CHECK(reason_of(ledger.reserve(other)) == "reserved");
  // What began before midnight is counted where it was reserved.
  ledger.settle(std::move(late), 80, 0, limits);
  ledger.settle(std::move(next), 70, 0, limits);
  CHECK(ledger.spent("moving", today) == 80);
  CHECK(ledger.spent("moving", today + 1) == 70);
  CHECK(ledger.spent("other", today) == 0);
}

TEST_CASE("days before yesterday are forgotten once nothing of them is under way") {
  spend_ledger ledger;
  ledger.seed("moving", today, 10);
  auto slow = ledger.reserve(run(5, {})).value();
  ledger.seed("moving", today + 1, 20);
  ledger.seed("moving", today + 2, 30);
  CHECK(ledger.spent("moving", today) == 10);
  ledger.settle(std::move(slow), 5, 0, {});
  CHECK(ledger.spent("moving", today) == 15);
  ledger.seed("moving", today + 3, 40);
  CHECK(ledger.spent("moving", today) == 0);
  CHECK(ledger.spent("moving", today + 1) == 0);
  CHECK(ledger.spent("moving", today + 2) == 30);
}

TEST_CASE("what the store had counts once, also when it comes after the first run") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  ledger.settle(ledger.reserve(run(30, limits)).value(), 30, 0, limits);
  ledger.seed("moving", today, 50);
  ledger.seed("moving", today, 50);
  CHECK(ledger.spent("moving", today) == 80);
  CHECK(reason_of(ledger.reserve(run(21, limits))) == "budget_day");
}

TEST_CASE("at 80 % there is one warning for the day and one for the session") {
  spend_ledger ledger;
  const budget_limits limits{.session = 50, .day = 100};
  std::uint64_t session_spent = 0;
  const auto spend = [&](std::uint64_t micro) {
    auto ticket = ledger.reserve(run(micro, limits, session_spent)).value();
    const auto warned = ledger.settle(std::move(ticket), micro, session_spent, limits);
    session_spent += micro;
    return warned;
  };
  CHECK(spend(39) == budget_warnings{});
  CHECK(spend(1) == budget_warnings{.session = true});
  CHECK(spend(9) == budget_warnings{});
  session_spent = 0; // another session
  CHECK(spend(31) == budget_warnings{.day = true});
  CHECK(spend(9) == budget_warnings{.session = true});
  CHECK(spend(5) == budget_warnings{});
}

TEST_CASE("a warning that an earlier process gave is not given again") {
  spend_ledger ledger;
  const budget_limits limits{.day = 100};
  ledger.seed("moving", today, 85);
  CHECK(ledger.settle(ledger.reserve(run(5, limits)).value(), 5, 0, limits) == budget_warnings{});
}

TEST_CASE("the threshold is four fifths, rounded up, for every limit") {
  CHECK_FALSE(reaches_warning(0, 1'000'000, std::nullopt));
  CHECK_FALSE(reaches_warning(0, 7, 9));
  CHECK(reaches_warning(0, 8, 9));
  CHECK(reaches_warning(7, 8, 9));
  CHECK_FALSE(reaches_warning(8, 9, 9));
  CHECK_FALSE(reaches_warning(0, 0, 0));
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(reaches_warning(0, most, most));
}

TEST_CASE("many threads together never reserve and spend more than the day's budget") {
  spend_ledger ledger;
  constexpr std::uint64_t budget = 20'000;
  const budget_limits limits{.day = budget};
  std::atomic<std::uint64_t> paid{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> warnings{0};
  std::atomic<bool> exceeded{false};
  const auto work = [&](std::uint64_t seed) {
    const auto session = "sess_" + std::to_string(seed);
    std::uint64_t session_spent = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      const auto estimate = 10 + (seed * 31 + i * 17) % 40;
      auto ticket = ledger.reserve(run(estimate, limits, session_spent, session));
      if (!ticket) {
        ++refused;
        continue;
      }
      const auto cost = estimate - i % 10;
      const auto warned = i % 3 == 0
                            ? ledger.release(std::move(*ticket), cost, session_spent, limits)
                            : ledger.settle(std::move(*ticket), cost, session_spent, limits);
      session_spent += cost;
      paid += cost;
      warnings += warned.day ? 1 : 0;
      if (ledger.spent("moving", today) > budget)
        exceeded = true;
    }
  };
  const auto watch = [&] {
    for (int i = 0; i < 5000; ++i)
      if (ledger.reserved("moving", today) > budget)
        exceeded = true;
  };
  std::vector<std::thread> threads;
  threads.emplace_back(watch);
  for (std::uint64_t i = 1; i <= 6; ++i)
    threads.emplace_back(work, i);
  for (auto& thread : threads)
    thread.join();
  CHECK_FALSE(exceeded);
  CHECK(ledger.reserved("moving", today) == 0);
  CHECK(ledger.spent("moving", today) == paid);
  CHECK(paid <= budget);
  CHECK(paid > budget - 50);
  CHECK(refused > 0);
  CHECK(warnings == 1);
}
