#include "actors/model_line.hpp"

#include "tests/support/hand_loop.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

/// Answers in its own name, or does not open.
class named_llm final : public llm_provider {
public:
  named_llm(std::string name, bool opens, std::vector<std::string>& asked)
      : name_(std::move(name)),
        opens_(opens),
        asked_(asked) {}

  result<std::unique_ptr<llm_stream>> open(llm_request, llm_sink) override {
    asked_.push_back(name_);
    if (!opens_)
      return error{errc::unavailable, "it does not open", {}, "no_key"};
    return std::make_unique<llm_stream>();
  }

private:
  std::string name_;
  bool opens_;
  std::vector<std::string>& asked_;
};

/// An agent with models of three vendors.
struct line {
  hand_loop where;
  counted_ids ids{3};
  counters count;
  catalogue providers;
  spend_ledger ledger;
  vendor_health health;
  app_registry apps;
  std::vector<std::string> asked;
  std::vector<std::string> closed;
  std::shared_ptr<app_definition> app = std::make_shared<app_definition>();
  std::unique_ptr<model_line> models;
  /// What models said: "0 vendor_busy".
  std::vector<std::string> said;

  explicit line(live_limits limits = {}, std::uint32_t concurrency = 64) {
    app->id = "app";
    auto live = std::make_shared<live_settings>();
    live->limits = limits;
    live->vendors["one"].prices["m"] = {.input = 1.0, .cached_input = 0.5, .output = 2.0};
    live->vendors["two"].prices["m"] = {.input = 1.0, .cached_input = 0.5, .output = 2.0};
    live->vendors["one"].concurrency = concurrency;
    apps.replace({{"app", {.stable = app, .live = live}}});
    for (const auto* name : {"one", "two", "free"})
      providers.add_llm(name, [this, name](const provider_context&, const json_text&) {
        const auto opens = std::find(closed.begin(), closed.end(), name) == closed.end();
        return result<std::unique_ptr<llm_provider>>{
          std::make_unique<named_llm>(name, opens, asked)};
      });
    models = another();
  }

  /// Of another session.
  std::unique_ptr<model_line> another() {
    return std::make_unique<model_line>(node_parts{.providers = &providers,
                                                   .apps = &apps,
                                                   .ledger = &ledger,
                                                   .health = &health,
                                                   .where = &where,
                                                   .ids = &ids,
                                                   .count = &count});
  }

  result<void> ask(std::uint64_t session_spent = 0) {
    asked.clear();
    return ask_by(*models, session_spent);
  }

  result<void> ask_by(model_line& by, std::uint64_t session_spent = 0,
                      std::vector<model_choice> choices = {
                        {"one", "m", "{}"}, {"two", "m", "{}"}, {"free", "", "{}"}}) {
    llm_request request;
    request.app = app;
    request.max_output_tokens = 1000;
    return by.ask({.app = app,
                   .choices = std::move(choices),
                   .request = request,
                   .session = "sess_1",
                   .session_spent = session_spent},
                  [this](std::size_t model, const llm_event& event) {
                    said.push_back(std::to_string(model) + ' '
                                   + std::get<llm_failed>(event).why.reason);
                  });
  }

  /// One more than the answer may cost, in euros.
  static constexpr double enough = 0.01;
};

using words = std::vector<std::string>;

const error broken{errc::unavailable, "it broke", {}, "server_error"};

} // namespace

TEST_CASE("models are asked in the app's order, and the next one takes over") {
  line l;
  l.closed = {"one"};
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"one", "two"});
  CHECK(l.models->model() == 1);
  CHECK(l.models->model_name() == "two:m");
  REQUIRE(l.models->ask_next(broken).has_value());
  CHECK(l.models->model_name() == "free");
  CHECK(l.models->ask_next(broken).error().reason == "server_error");
  CHECK_FALSE(l.models->is_asking());
}

TEST_CASE("a vendor that has failed is passed over for its time, unless there is no other") {
  line l;
  REQUIRE(l.ask().has_value());
  REQUIRE(l.models->ask_next(broken).has_value());
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"two"});
  l.closed = {"two", "free"};
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"two", "free", "one"});
  l.closed.clear();
  l.where.advance(31s);
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"one"});
}

TEST_CASE("a budget that is used up leaves the models that cost nothing") {
  line l{{.eur_per_session = line::enough}};
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"one"});
  l.models->drop();
  REQUIRE(l.ask(10'000).has_value());
  CHECK(l.asked == words{"free"});
  l.closed = {"free"};
  CHECK_FALSE(l.ask(10'000).has_value());
}

TEST_CASE("the day's budget counts what runs and what was settled") {
  line l{{.eur_per_day = 0.003}};
  REQUIRE(l.ask().has_value());
  CHECK(l.ledger.reserved("app", day_of(0)) > 0);
  const auto usage = l.models->finish({"stop", 1000, 400, 500});
  // 600 at full price, 400 from the cache, 500 out.
  CHECK(usage.cost == 600 + 200 + 1000);
  CHECK(l.ledger.spent("app", day_of(0)) == usage.cost);
  CHECK(l.ledger.reserved("app", day_of(0)) == 0);
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"free"});
}

TEST_CASE("a vendor that does not tell what was used is taken at its words") {
  line l;
  REQUIRE(l.ask().has_value());
  l.models->note(300);
  const auto usage = l.models->finish({});
  CHECK(usage.output == 100);
  CHECK(usage.cost >= 200);
  // Cancelled in the middle: what was streamed counts for the day.
  REQUIRE(l.ask().has_value());
  l.models->note(300);
  const auto before = l.ledger.spent("app", day_of(0));
  l.models->drop();
  CHECK(l.ledger.spent("app", day_of(0)) > before);
}

TEST_CASE(
  "after its pause one session tries the vendor for all, and its first words tell the others") {
  line l;
  REQUIRE(l.ask().has_value());
  REQUIRE(l.models->ask_next(broken).has_value());
  l.where.advance(31s);
  REQUIRE(l.ask().has_value());
  CHECK(l.asked == words{"one"});
  const auto other = l.another();
  REQUIRE(l.ask_by(*other).has_value());
  CHECK(l.asked == words{"one", "two"});
  SUBCASE("it answers") {
    l.models->note(3);
    REQUIRE(l.ask_by(*other).has_value());
    CHECK(l.asked.back() == "one");
  }
  SUBCASE("its visitor interrupts before it says anything: the next one tries") {
    l.models->drop();
    REQUIRE(l.ask_by(*other).has_value());
    CHECK(l.asked.back() == "one");
    REQUIRE(l.ask_by(*l.models).has_value());
    CHECK(l.asked.back() == "two");
  }
  SUBCASE("it fails again: all of them leave it out for another while") {
    REQUIRE(l.models->ask_next(broken).has_value());
    l.where.advance(29s);
    REQUIRE(l.ask_by(*other).has_value());
    CHECK(l.asked.back() == "two");
  }
  SUBCASE("it does not open: the next one tries") {
    l.models->drop();
    l.closed = {"one"};
    REQUIRE(l.ask().has_value());
    CHECK(l.asked == words{"one", "two"});
    REQUIRE(l.ask_by(*other).has_value());
    CHECK(l.asked == words{"one", "two", "one", "two"});
  }
}

TEST_CASE(
  "a vendor with all its runs under way is waited for a second, then the next model asked") {
  line l{{}, 1};
  REQUIRE(l.ask().has_value());
  const auto other = l.another();
  REQUIRE(l.ask_by(*other).has_value());
  CHECK(l.asked == words{"one"});
  CHECK(other->is_asking());
  SUBCASE("its turn comes") {
    l.models->finish({});
    l.where.run_ready();
    CHECK(l.asked == words{"one", "one"});
    CHECK(l.said.empty());
  }
  SUBCASE("it does not") {
    l.where.advance(1001ms);
    CHECK(l.said == words{"0 vendor_busy"});
    const error busy{errc::overloaded, "", {}, "vendor_busy"};
    REQUIRE(other->ask_next(busy).has_value());
    CHECK(l.asked == words{"one", "two"});
    // Busy is not broken: the next question waits for it again.
    other->drop();
    l.models->drop();
    REQUIRE(l.ask_by(*other).has_value());
    CHECK(l.asked.back() == "one");
  }
  SUBCASE("nobody else could answer: it is waited for half of the time of a first byte") {
    REQUIRE(l.ask_by(*other, 0, {{"one", "m", "{}"}}).has_value());
    l.where.advance(4999ms);
    CHECK(l.said.empty());
    l.where.advance(2ms);
    CHECK(l.said == words{"0 vendor_busy"});
    CHECK(other->ask_next({errc::overloaded, "", {}, "vendor_busy"}).error().reason
          == "vendor_busy");
  }
}

TEST_CASE("what waits for its turn holds its budget, and gives it back") {
  line l{{.eur_per_day = 1.0}, 1};
  REQUIRE(l.ask().has_value());
  const auto reserved = l.ledger.reserved("app", day_of(0));
  const auto other = l.another();
  REQUIRE(l.ask_by(*other).has_value());
  CHECK(l.ledger.reserved("app", day_of(0)) == 2 * reserved);
  other->drop();
  CHECK(l.ledger.reserved("app", day_of(0)) == reserved);
  CHECK(l.ledger.spent("app", day_of(0)) == 0);
}
