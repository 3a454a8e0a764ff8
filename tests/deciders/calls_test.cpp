#include "actors/calls.hpp"

#include "actors/journal.hpp"
#include "actors/responses.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

tool_declaration tool(const std::string& name, tool_kind kind, tool_effect effect) {
  tool_declaration out;
  out.name = name;
  out.kind = kind;
  out.effect = effect;
  out.parameters = R"({"type":"object","required":["day"],"properties":{"day":{"type":"string"}}})";
  return out;
}

/// A session whose model has just answered with calls.
struct story {
  app_definition app;
  journal log{{"app", "sess_1"}, 1, std::make_shared<const session_view>()};
  counted_ids ids{7};
  call_status status{.runner = true};

  story() {
    app.tools = {tool("ask", tool_kind::webhook, tool_effect::none),
                 tool("book", tool_kind::webhook, tool_effect::idempotent),
                 tool("pay", tool_kind::webhook, tool_effect::once),
                 tool("show", tool_kind::client, tool_effect::none),
                 tool("current_date_time", tool_kind::builtin, tool_effect::none)};
    app.tools.back().parameters = R"({"type":"object"})";
    for (const auto& t : app.tools)
      app.conversation_tools.push_back(t.name);
    app.analyzer_tools = {"show"};
    log.push({response_requested{"resp_1", {"in_1"}}, response_started{"resp_1", 1, "item_a"}},
             1000);
  }

  void tell(std::vector<event_body> events) {
    log.push(std::move(events), 1000);
  }
  const session_view& view() const {
    return *log.ahead();
  }
  item call(const std::string& id, const std::string& name,
            const std::string& arguments = R"({"day":"monday"})") {
    return {.id = "item_" + id,
            .kind = item_kind::function_call,
            .call_id = id,
            .name = name,
            .arguments = arguments,
            .response = "resp_1"};
  }
  /// The answer ends with these calls.
  void answer(std::vector<item> calls, const response_options* options = nullptr) {
    const answer_done done{.response = "resp_1", .run = "item_a", .calls = calls};
    tell(finish_response(view(), *view().running(), done, ""));
    tell(take_calls(app, view(), calls, options, ids));
  }
  /// As the session does: until nothing is left to decide.
  void decide() {
    for (auto events = decide_calls(app, view(), status, ids); !events.empty();
         events = decide_calls(app, view(), status, ids)) {
      for (const auto& e : events)
        if (const auto* started = std::get_if<call_started>(&e)) {
          status.ours.insert(started->call);
          status.send_again.erase(started->call);
        }
      tell(std::move(events));
    }
  }
  std::string output_of(const std::string& call_id) const {
    for (const auto& stored : view().items)
      if (stored->value.kind == item_kind::function_call_output && stored->value.call_id == call_id)
        return stored->value.output;
    return "none";
  }
  std::string error_of(const std::string& call_id) const {
    return nlohmann::json::parse(output_of(call_id)).value("error", "");
  }
};

} // namespace

TEST_CASE("a call of this server starts once, and its output asks for the next answer") {
  story s;
  s.answer({s.call("c1", "book")});
  s.decide();
  REQUIRE(s.view().find_call("c1") != nullptr);
  CHECK(s.view().find_call("c1")->phase == call_phase::started);
  CHECK(s.view().find_call("c1")->attempt == 1);
  CHECK_FALSE(continue_after_calls(s.view(), s.ids));
  s.tell(end_call(s.view(), *s.view().find_call("c1"), "ok", "booked", s.ids));
  CHECK(s.output_of("c1") == "booked");
  const auto request = continue_after_calls(s.view(), s.ids);
  REQUIRE(request);
  CHECK(request->cause.size() == 1);
  s.tell({*request});
  CHECK_FALSE(continue_after_calls(s.view(), s.ids));
}

TEST_CASE("the next answer waits for all calls of its response") {
  story s;
  s.answer({s.call("c1", "book"), s.call("c2", "ask")});
  s.decide();
  s.tell(end_call(s.view(), *s.view().find_call("c1"), "ok", "1", s.ids));
  CHECK_FALSE(continue_after_calls(s.view(), s.ids));
  s.tell(end_call(s.view(), *s.view().find_call("c2"), "ok", "2", s.ids));
  REQUIRE(continue_after_calls(s.view(), s.ids));
  CHECK(continue_after_calls(s.view(), s.ids)->cause.size() == 2);
}

TEST_CASE("what a model calls wrongly is answered at once, with the fault and the remedy") {
  story s;
  s.answer({s.call("c1", "fly"), s.call("c2", "book", "{"), s.call("c3", "book", R"({"day":7})")});
  CHECK(s.view().open_calls.empty());
  CHECK(s.error_of("c1") == "unknown_tool");
  CHECK(s.output_of("c1").find("book") != std::string::npos);
  CHECK(s.error_of("c2") == "invalid_arguments");
  CHECK(s.output_of("c3").find("day") != std::string::npos);
  CHECK(continue_after_calls(s.view(), s.ids));
}

TEST_CASE("twenty calls at once: sixteen are made, the others are told so") {
  story s;
  std::vector<item> calls;
  for (int i = 0; i < 20; ++i)
    calls.push_back(s.call("c" + std::to_string(i), "ask"));
  s.answer(calls);
  CHECK(s.view().open_calls.size() == max_calls_of_answer);
  CHECK(s.error_of("c19") == "too_many_calls");
}

TEST_CASE("tools that a client brought along are its own to run") {
  story s;
  response_options options;
  options.tools = {{"theirs", "", "{}"}};
  s.answer({s.call("c1", "theirs", "not checked here")}, &options);
  s.decide();
  REQUIRE(s.view().find_call("c1") != nullptr);
  CHECK(s.view().find_call("c1")->call.runner == call_runner::client);
  CHECK(s.view().find_call("c1")->phase == call_phase::ready);
  s.tell(expire_call(s.app, s.view(), *s.view().find_call("c1"), s.ids));
  CHECK(s.error_of("c1") == "timeout");
  // The client asks for the answer itself.
  CHECK_FALSE(continue_after_calls(s.view(), s.ids));
}

TEST_CASE("the answer to a client's output waits for the calls of this server beside it") {
  story s;
  response_options options;
  options.tools = {{"theirs", "", "{}"}};
  s.answer({s.call("c1", "theirs"), s.call("c2", "book")}, &options);
  s.decide();
  s.tell(
    {item_put{
       next_rank(s.view()),
       {.id = "out_1", .kind = item_kind::function_call_output, .call_id = "c1", .output = "mine"}},
     call_ended{"c1", "ok", {}}, response_requested{"resp_2", {"out_1"}}});
  CHECK(decide_next(s.view(), {.available = true}, s.ids).events.empty());
  auto visitor = s.view();
  const event word{visitor.head + 1, 0, item_put{"zz", {.id = "in_2", .text = "and?"}}};
  REQUIRE(sidevoice::apply(visitor, word).has_value());
  const event ask{visitor.head + 1, 0, response_requested{"resp_3", {"in_2"}}};
  REQUIRE(sidevoice::apply(visitor, ask).has_value());
  CHECK(decide_next(visitor, {.available = true}, s.ids).run->response == "resp_3");
  s.tell(end_call(s.view(), *s.view().find_call("c2"), "ok", "booked", s.ids));
  const auto step = decide_next(s.view(), {.available = true}, s.ids);
  REQUIRE(step.run);
  CHECK(step.run->response == "resp_2");
  // The client asks; nobody asks for it.
  CHECK_FALSE(continue_after_calls(s.view(), s.ids));
}

TEST_CASE("a lost run is begun again, never where the effect forbids it, and not for ever") {
  story s;
  s.answer({s.call("c1", "ask"), s.call("c2", "book"), s.call("c3", "pay")});
  s.decide();
  s.status.ours.clear();
  s.status.runner = false;
  s.decide();
  // Without a runner the others wait; what must not be sent again needs none.
  CHECK(s.view().find_call("c1")->attempt == 1);
  CHECK(s.view().find_call("c3") == nullptr);
  CHECK(s.error_of("c3") == "unknown");
  s.status.runner = true;
  for (std::uint32_t attempt = 2; attempt <= max_call_attempts; ++attempt) {
    s.decide();
    CHECK(s.view().find_call("c2")->attempt == attempt);
    s.status.ours.clear();
  }
  s.decide();
  CHECK(s.view().open_calls.empty());
  CHECK(s.error_of("c2") == "failed");
}

TEST_CASE("a page's tool goes to the page that offers it; without one the app decides") {
  story skip;
  skip.answer({skip.call("c1", "show")});
  skip.decide();
  CHECK(skip.output_of("c1").find("skipped") != std::string::npos);

  story waits;
  waits.answer({waits.call("c1", "show")});
  waits.app.tools[3].without_page = no_page::wait;
  waits.decide();
  CHECK(waits.view().find_call("c1")->phase == call_phase::ready);
  waits.status.offered = {"show"};
  waits.decide();
  CHECK(waits.view().find_call("c1")->phase == call_phase::started);
  // The page reloads: the same call is sent again when it is back.
  waits.status.send_again = {"c1"};
  waits.decide();
  CHECK(waits.view().find_call("c1")->attempt == 2);
  waits.status.offered.clear();
  waits.status.ours.clear();
  waits.decide();
  CHECK(waits.view().find_call("c1")->attempt == 2);

  story fails;
  fails.answer({fails.call("c1", "show")});
  fails.app.tools[3].without_page = no_page::fail;
  fails.decide();
  CHECK(fails.error_of("c1") == "no_page");
}

TEST_CASE("nothing runs before the visitor has agreed") {
  story s;
  s.app.tools[2].needs_approval = true;
  s.answer({s.call("c1", "pay"), s.call("c2", "pay")});
  s.decide();
  CHECK(s.view().find_call("c1")->phase == call_phase::waiting);
  s.tell(*judge_approval(s.view(), {"c1", true}, s.ids));
  s.tell(*judge_approval(s.view(), {"c2", false}, s.ids));
  s.decide();
  CHECK(s.view().find_call("c1")->phase == call_phase::started);
  CHECK(s.view().find_call("c2") == nullptr);
  CHECK(s.error_of("c2") == "refused");
  CHECK(judge_approval(s.view(), {"c1", true}, s.ids).error().reason == "call_unknown");
}

TEST_CASE("a tried-out release makes no call that has an effect") {
  story s;
  s.status.simulate = true;
  s.answer({s.call("c1", "ask"), s.call("c2", "pay")});
  s.decide();
  CHECK(s.view().find_call("c1")->phase == call_phase::started);
  CHECK(s.output_of("c2").find("simulated") != std::string::npos);
}

TEST_CASE("time over means unknown where it may have been done, and no approval is a no") {
  story s;
  s.answer({s.call("c1", "ask"), s.call("c2", "pay")});
  s.decide();
  s.tell(expire_call(s.app, s.view(), *s.view().find_call("c1"), s.ids));
  s.tell(expire_call(s.app, s.view(), *s.view().find_call("c2"), s.ids));
  CHECK(s.error_of("c1") == "timeout");
  CHECK(s.error_of("c2") == "unknown");
  story asked;
  asked.app.tools[2].needs_approval = true;
  asked.answer({asked.call("c1", "pay")});
  asked.tell(expire_call(asked.app, asked.view(), *asked.view().find_call("c1"), asked.ids));
  CHECK(asked.error_of("c1") == "no_approval");
  CHECK(patience_of(asked.app, call_state{.call = {.name = "ask"}}, {}) > 10s);
}

TEST_CASE("rounds of tools are counted since the visitor's last word") {
  story s;
  CHECK(tool_rounds(s.view(), "resp_1") == 0);
  s.answer({s.call("c1", "current_date_time", "{}")});
  s.decide();
  auto request = continue_after_calls(s.view(), s.ids);
  REQUIRE(request);
  s.tell({*request});
  CHECK(tool_rounds(s.view(), request->response) == 1);
  CHECK(s.output_of("c1").find("\"weekday\"") != std::string::npos);
}

TEST_CASE("the analyzer calls what the app gives it, and nothing twice") {
  story s;
  std::vector<std::string> refused;
  const auto arguments = R"({"day":"monday"})";
  s.tell(take_analyzer_calls(
    s.app, s.view(), {{"a1", "show", arguments}, {"a2", "pay", arguments}, {"a3", "show", "[]"}},
    refused));
  REQUIRE(refused.size() == 2);
  REQUIRE(s.view().open_calls.size() == 1);
  CHECK(s.view().open_calls[0]->call.by == call_author::analyzer);
  s.tell(take_analyzer_calls(s.app, s.view(), {{"a4", "show", arguments}}, refused));
  CHECK(s.view().open_calls.size() == 1);
  s.tell(end_call(s.view(), *s.view().find_call("a1"), "ok", "shown", s.ids));
  REQUIRE(s.view().analyzer_calls.size() == 1);
  CHECK(s.view().analyzer_calls[0].output == "shown");
  CHECK(s.view().items.empty());
  CHECK(take_analyzer_calls(s.app, s.view(), {{"a5", "show", arguments}}, refused).empty());
}

TEST_CASE("a new input cancels what only answers, and leaves what has an effect") {
  story s;
  s.answer({s.call("c1", "ask"), s.call("c2", "pay")});
  s.decide();
  std::vector<std::string> cancelled;
  s.tell(cancel_calls(s.app, s.view(), s.ids, cancelled));
  CHECK(cancelled == std::vector<std::string>{"c1"});
  CHECK(s.error_of("c1") == "cancelled");
  CHECK(s.view().find_call("c2") != nullptr);
}
