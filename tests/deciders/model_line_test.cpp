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

  explicit line(live_limits limits = {}) {
    app->id = "app";
    auto live = std::make_shared<live_settings>();
    live->limits = limits;
    live->vendors["one"].prices["m"] = {.input = 1.0, .cached_input = 0.5, .output = 2.0};
    live->vendors["two"].prices["m"] = {.input = 1.0, .cached_input = 0.5, .output = 2.0};
    apps.replace({{"app", {.stable = app, .live = live}}});
    for (const auto* name : {"one", "two", "free"})
      providers.add_llm(name, [this, name](const provider_context&, const json_text&) {
        const auto opens = std::find(closed.begin(), closed.end(), name) == closed.end();
        return result<std::unique_ptr<llm_provider>>{
          std::make_unique<named_llm>(name, opens, asked)};
      });
    models = std::make_unique<model_line>(node_parts{.providers = &providers,
                                                     .apps = &apps,
                                                     .ledger = &ledger,
                                                     .health = &health,
                                                     .where = &where,
                                                     .ids = &ids,
                                                     .count = &count});
  }

  result<void> ask(std::uint64_t session_spent = 0) {
    asked.clear();
    llm_request request;
    request.app = app;
    request.max_output_tokens = 1000;
    return models->ask({.app = app,
                        .choices = {{"one", "m", "{}"}, {"two", "m", "{}"}, {"free", "", "{}"}},
                        .request = request,
                        .session = "sess_1",
                        .session_spent = session_spent},
                       [](std::size_t, const llm_event&) {});
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
