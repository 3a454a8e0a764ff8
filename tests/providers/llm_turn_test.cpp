#include "providers/llm_turn.hpp"

#include "tests/support/hand_loop.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

/// What a vendor of these tests has been asked, and who still waits for its answer.
struct vendor_log {
  std::vector<std::string> asked;
  int open = 0;
  std::optional<error> refuses;
};

class open_stream final : public llm_stream {
public:
  explicit open_stream(vendor_log& log) : log_(log) {
    ++log_.open;
  }
  open_stream(const open_stream&) = delete;
  open_stream& operator=(const open_stream&) = delete;
  ~open_stream() override {
    --log_.open;
  }

private:
  vendor_log& log_;
};

/// Never answers.
class hung_llm final : public llm_provider {
public:
  explicit hung_llm(vendor_log& log) : log_(log) {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink) override {
    log_.asked.push_back(request.instructions);
    if (log_.refuses)
      return *log_.refuses;
    return std::make_unique<open_stream>(log_);
  }

private:
  vendor_log& log_;
};

struct turns {
  hand_loop where;
  vendor_health health;
  vendor_log log;
  std::vector<std::string> failed;

  result<std::unique_ptr<llm_stream>> ask(const std::string& name, const std::string& app = "app",
                                          llm_purpose purpose = llm_purpose::converse) {
    llm_request request;
    request.purpose = purpose;
    request.instructions = name;
    return open_in_turn(
      std::make_unique<hung_llm>(log), std::move(request),
      [this, name](const llm_event& event) {
        failed.push_back(name + ": " + std::get<llm_failed>(event).why.reason);
      },
      {.health = health, .where = where, .who = {app, "openai", "key"}, .most = 2, .patience = 1s});
  }
};

using words = std::vector<std::string>;

} // namespace

TEST_CASE("runs beyond the account's places wait, and begin in their order") {
  turns t;
  auto one = t.ask("one");
  const auto two = t.ask("two");
  const auto analysis = t.ask("analysis", "app", llm_purpose::analyze);
  auto three = t.ask("three");
  REQUIRE(three.has_value());
  CHECK(t.log.asked == words{"one", "two"});
  one->reset();
  // Not from inside of the one that let go.
  CHECK(t.log.asked == words{"one", "two"});
  t.where.run_ready();
  CHECK(t.log.asked == words{"one", "two", "three"});
  CHECK(t.log.open == 2);
  three->reset();
  t.where.run_ready();
  CHECK(t.log.asked == words{"one", "two", "three", "analysis"});
  t.where.advance(1min);
  CHECK(t.failed.empty());
  CHECK(analysis.has_value());
}

TEST_CASE("a vendor that hangs for one app is asked for another at once") {
  turns t;
  std::vector<std::unique_ptr<llm_stream>> held;
  for (int i = 0; i < 10; ++i)
    held.push_back(*t.ask("hangs", "first"));
  CHECK(t.log.asked.size() == 2);
  const auto other = t.ask("other", "second");
  CHECK(t.log.asked.back() == "other");
  CHECK(t.log.open == 3);
}

TEST_CASE("who waits too long is told that the vendor is busy, once, and its place is not taken") {
  turns t;
  auto one = t.ask("one");
  const auto two = t.ask("two");
  const auto late = t.ask("late");
  t.where.advance(999ms);
  CHECK(t.failed.empty());
  t.where.advance(2ms);
  CHECK(t.failed == words{"late: vendor_busy"});
  one->reset();
  t.where.advance(1min);
  CHECK(t.log.asked == words{"one", "two"});
  CHECK(t.failed.size() == 1);
  CHECK(t.health.places().taken({"app", "openai", "key"}) == 1);
}

TEST_CASE("a run that is not wanted any more leaves the line, begun or not") {
  turns t;
  auto one = t.ask("one");
  const auto two = t.ask("two");
  auto gone = t.ask("gone");
  auto next = t.ask("next");
  gone->reset();
  one->reset();
  // Called, but not begun yet.
  next->reset();
  t.where.advance(1min);
  CHECK(t.log.asked == words{"one", "two"});
  CHECK(t.log.open == 1);
  CHECK(t.failed.empty());
  CHECK(t.health.places().taken({"app", "openai", "key"}) == 1);
  CHECK(t.health.places().waiting({"app", "openai", "key"}) == 0);
}

TEST_CASE("what the vendor refuses at once is returned, and told where it had to wait") {
  turns t;
  auto one = t.ask("one");
  const auto two = t.ask("two");
  const auto late = t.ask("late");
  t.log.refuses = error{errc::unavailable, "not now", {}, "no_network"};
  one->reset();
  t.where.run_ready();
  CHECK(t.failed == words{"late: no_network"});
  // Its place is free again although its stream is still held.
  const auto refused = t.ask("refused");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().reason == "no_network");
  CHECK(t.health.places().taken({"app", "openai", "key"}) == 1);
}
