#include "providers/catalogue.hpp"
#include "tests/providers/llm_conformance.hpp"
#include "tests/providers/moving.hpp"

#include <chrono>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;

struct parts {
  counted_ids ids;
  counters count;
};

std::unique_ptr<llm_provider> make(hand_loop& l, parts& p, const json_text& options = "{}") {
  auto made = catalogue::builtin().make_llm({"rules", "", options}, {l, p.ids, p.count});
  REQUIRE(made.has_value());
  return std::move(*made);
}

llm_request request() {
  llm_request r;
  r.app = moving::app();
  r.wall_ms = moving::today_ms;
  r.zone = "UTC";
  r.history = {{llm_role::assistant, "item_1", "Hello! Where are you moving from, and when?", "",
                ""},
               {llm_role::user, "item_2", "From Leeds to Berlin on 12 March", "", ""}};
  for (const auto& t : r.app->topics)
    r.board.push_back({&t, "open", ""});
  return r;
}

} // namespace

TEST_CASE("the offline agent keeps the interface's promises") {
  parts p;
  llm_conformance::run({[&](hand_loop& l) { return make(l, p); }, request()});
}

TEST_CASE("the offline agent keeps them word by word") {
  parts p;
  llm_conformance::run(
    {[&](hand_loop& l) { return make(l, p, R"({"vendor":"rules","words_per_second":10})"); },
     request()});
}

TEST_CASE("paced words come one by one, and cancelling stops them in the middle") {
  parts p;
  hand_loop turned;
  const auto provider = make(turned, p, R"({"words_per_second":10})");
  const auto got = std::make_shared<llm_conformance::record>();
  auto stream = llm_conformance::open(*provider, request(), got);
  turned.run_ready();
  CHECK(got->events.size() == 1);
  turned.advance(99ms);
  CHECK(got->events.size() == 1);
  turned.advance(1ms);
  CHECK(got->events.size() == 2);
  turned.advance(300ms);
  CHECK(got->events.size() == 5);
  stream->reset();
  turned.advance(60s);
  CHECK(got->events.size() == 5);
  CHECK(turned.pending() == 0);
}

TEST_CASE("paced and unpaced answers have the same words") {
  parts p;
  hand_loop turned;
  const auto fast = std::make_shared<llm_conformance::record>();
  const auto slow = std::make_shared<llm_conformance::record>();
  const auto a = make(turned, p);
  const auto b = make(turned, p, R"({"words_per_second":50})");
  const auto first = llm_conformance::open(*a, request(), fast);
  const auto second = llm_conformance::open(*b, request(), slow);
  turned.advance(60s);
  CHECK(fast->text() == slow->text());
  CHECK(slow->events.size() > fast->events.size());
}

TEST_CASE("the analyzer's purpose gives calls of update_topic only") {
  parts p;
  hand_loop turned;
  auto r = request();
  r.purpose = llm_purpose::analyze;
  const auto got = std::make_shared<llm_conformance::record>();
  const auto provider = make(turned, p);
  const auto stream = llm_conformance::open(*provider, r, got);
  turned.run_ready();
  CHECK(got->text().empty());
  REQUIRE(got->calls().size() == 3);
  for (const auto& call : got->calls())
    CHECK(call.name == "update_topic");
}

TEST_CASE("an answer that is longer than allowed says so") {
  parts p;
  hand_loop turned;
  auto r = request();
  r.max_output_tokens = 4;
  const auto got = std::make_shared<llm_conformance::record>();
  const auto provider = make(turned, p);
  const auto stream = llm_conformance::open(*provider, r, got);
  turned.run_ready();
  REQUIRE(std::holds_alternative<llm_done>(got->events.back()));
  CHECK(std::get<llm_done>(got->events.back()).reason == "length");
  CHECK(std::get<llm_done>(got->events.back()).output_tokens == 4);
}

TEST_CASE("a request without an app is refused at once") {
  parts p;
  hand_loop turned;
  const auto opened = make(turned, p)->open({}, [](llm_event) { FAIL("nothing may come"); });
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == errc::invalid);
  turned.run_ready();
}

TEST_CASE("options that make no sense are refused with an example") {
  parts p;
  hand_loop turned;
  for (const auto* options : {R"({"words_per_second":-1})", R"({"words_per_second":"fast"})",
                              R"({"words_per_second":1e9})", "[]", "{"}) {
    INFO("options: ", options);
    const auto made = catalogue::builtin().make_llm({"rules", "", options},
                                                    {turned, p.ids, p.count});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid);
    CHECK(made.error().detail.find("such as") != std::string::npos);
  }
}

TEST_CASE("the catalogue knows its providers and names them when asked for another") {
  parts p;
  hand_loop turned;
  auto c = catalogue::builtin();
  CHECK(c.llm_names() == std::vector<std::string>{"azure", "openai", "rules"});
  const auto none = c.make_llm({"acme", "", "{}"}, {turned, p.ids, p.count});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == errc::not_found);
  CHECK(none.error().detail.find("rules") != std::string::npos);
  c.add_llm("acme", [](const provider_context& context, const json_text& options) {
    return make_llm_rules(context, options);
  });
  CHECK(c.make_llm({"acme", "", "{}"}, {turned, p.ids, p.count}).has_value());
}

TEST_CASE("a hand-turned loop runs timers in their order and forgets cancelled ones") {
  hand_loop turned;
  std::string order;
  const auto late = turned.after(20ms, [&] { order += "late "; });
  const auto early = turned.after(10ms, [&] {
    order += "early ";
    turned.post([&] { order += "posted "; });
  });
  auto never = turned.after(15ms, [&] { order += "never "; });
  never.reset();
  CHECK(turned.pending() == 2);
  const auto begin = turned.now();
  const auto wall = turned.wall();
  CHECK(turned.advance(30ms) == 3);
  CHECK(order == "early posted late ");
  CHECK(turned.now() - begin == 30ms);
  CHECK(turned.wall() - wall == 30ms);
  CHECK(turned.pending() == 0);
}

} // namespace sidevoice
