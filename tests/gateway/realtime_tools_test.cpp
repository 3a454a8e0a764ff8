#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

app_ptr app_with_tools() {
  auto app = std::make_shared<app_definition>(*moving_app());
  tool_declaration show;
  show.name = "show_on_map";
  show.description = "Draw the route";
  auto book = show;
  book.name = "book_visit";
  book.kind = tool_kind::webhook;
  book.description = "Book a visit";
  book.needs_approval = true;
  app->tools = {show, book};
  app->conversation_tools = {"show_on_map", "book_visit"};
  return app;
}

attached state_of(const realtime_client& c) {
  return {.view = std::make_shared<const session_view>(c.view),
          .app = app_with_tools(),
          .snapshot = true,
          .store_incarnation = "store_1"};
}

/// A connection whose session runs a release with tools.
struct tooled_client : realtime_client {
  explicit tooled_client(bool extensions) : realtime_client({.extensions = extensions}) {
    open();
    if (extensions)
      send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
    take(codec->on_attached(state_of(*this)));
  }
};

call_opened opened(const std::string& id, bool asks = true) {
  return {.call = id,
          .name = "book_visit",
          .arguments = R"({"day":"2027-03-12"})",
          .response = "resp_1",
          .needs_approval = asks};
}

} // namespace

TEST_CASE("an offer names client tools of the app, and nothing else") {
  tooled_client c{true};
  c.send({{"type", "sidevoice.tools.offer"}, {"names", {"show_on_map"}}});
  REQUIRE(c.offers.size() == 1);
  CHECK(c.offers[0] == std::vector<std::string>{"show_on_map"});
  // A page that knows one tool too many keeps the others.
  CHECK(error_of(
          c.send({{"type", "sidevoice.tools.offer"}, {"names", {"show_on_map", "fly"}}}))["param"]
        == "names");
  CHECK(c.offers.back() == std::vector<std::string>{"show_on_map"});
  for (const auto* names : {R"(["book_visit"])", R"(["fly"])", R"("show_on_map")", "[1]"})
    CHECK(error_of(c.send_text(std::string{R"({"type":"sidevoice.tools.offer","names":)"} + names
                               + "}"))["param"]
          == "names");
  CHECK(error_of(c.send({{"type", "sidevoice.tools.offer"}}))["param"] == "names");
}

TEST_CASE("a call for this page comes with its arguments as an object, and its end is told") {
  tooled_client c{true};
  auto frames = c.take(
    c.codec->on_tool_call({"call_1", "show_on_map", R"({"from":"A"})", 9s, call_author::analyzer}));
  REQUIRE(types(frames) == "sidevoice.tool.called");
  CHECK(frames[0]["arguments"]["from"] == "A");
  CHECK(frames[0]["deadline_ms"] == 9000);
  CHECK(frames[0]["by"] == "analyzer");
  CHECK(frames[0]["seq"].is_null());
  CHECK(types(c.take(c.codec->on_tool_cancelled({"call_1"}))) == "sidevoice.tool.cancelled");
  tooled_client plain{false};
  CHECK(plain.take(plain.codec->on_tool_call({"call_1", "show_on_map", "{}", 9s, {}})).empty());
}

TEST_CASE("an output is text, or any JSON, or an error; a refused one names the call") {
  tooled_client c{true};
  c.send({{"type", "sidevoice.tool.output"}, {"call_id", "call_1"}, {"output", "done"}});
  CHECK(c.command<answer_call>().output == "done");
  c.send({{"type", "sidevoice.tool.output"}, {"call_id", "call_1"}, {"output", {{"km", 7}}}});
  CHECK(c.command<answer_call>().output == R"({"km":7})");
  c.send({{"type", "sidevoice.tool.output"}, {"call_id", "call_1"}, {"error", "no map"}});
  CHECK(c.command<answer_call>().failed);
  CHECK(json::parse(c.command<answer_call>().output)["message"] == "no map");
  const auto frames =
    c.refuse({errc::invalid, "the call call_1 has its output already", "call_id", "call_answered"});
  CHECK(error_of(frames)["param"] == "call_id");
  for (const auto& bad :
       {json{{"type", "sidevoice.tool.output"}, {"call_id", "c"}},
        json{{"type", "sidevoice.tool.output"}, {"output", "x"}},
        json{{"type", "sidevoice.tool.output"}, {"call_id", "c"}, {"output", 1}, {"error", "x"}},
        json{{"type", "sidevoice.tool.output"},
             {"call_id", "c"},
             {"output", std::string(200'000, 'x')}}})
    CHECK(error_of(c.send(bad))["type"] == "invalid_request_error");
}

TEST_CASE("an approval is asked of every page, answered by one, and asked again after a reload") {
  tooled_client c{true};
  auto frames = c.publish({opened("call_1")});
  REQUIRE(types(frames) == "sidevoice.approval.requested");
  CHECK(frames[0]["say"] == "Book a visit");
  CHECK(frames[0]["arguments"]["day"] == "2027-03-12");
  realtime_client late{{.extensions = true}};
  late.open();
  late.journal({opened("call_1")});
  late.send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
  CHECK(types(late.take(late.codec->on_attached(state_of(late))))
        == "sidevoice.session.snapshot sidevoice.approval.requested");
  c.send({{"type", "sidevoice.approval.answer"}, {"call_id", "call_1"}, {"approve", true}});
  CHECK(c.command<answer_approval>().approve);
  frames = c.publish({call_approved{"call_1", true}});
  REQUIRE(types(frames) == "sidevoice.approval.answered");
  CHECK(frames[0]["approve"] == true);
  // Its end says nothing more, unless nobody has answered.
  CHECK(types(c.publish({call_ended{"call_1", "ok", {}}})) == "sidevoice.session.event");
  c.publish({opened("call_2")});
  frames = c.publish({call_ended{"call_2", "refused", {}}});
  REQUIRE(types(frames) == "sidevoice.approval.answered");
  CHECK(frames[0]["approve"] == false);
  CHECK(
    error_of(c.send(
      {{"type", "sidevoice.approval.answer"}, {"call_id", "call_1"}, {"approve", "yes"}}))["param"]
    == "approve");
}

TEST_CASE("a plain client sees the calls of the tools that it brought along, and no others") {
  tooled_client c{false};
  c.send(json::parse(R"({"type":"session.update","session":{"type":"realtime","tools":[
    {"type":"function","name":"mine","description":"d","parameters":{"type":"object"}}]}})"));
  c.publish({response_requested{"resp_1", {"u1"}}, response_started{"resp_1", 1, "a1"}});
  auto frames = c.publish({c.put(call("f1", "call_1", "book_visit", "{}", "resp_1")),
                           c.put(call("f2", "call_2", "mine", "{}", "resp_1")),
                           response_done{"resp_1", response_status::completed, "", {}}});
  std::string text;
  for (const auto& frame : frames)
    text += frame.dump();
  CHECK(text.find("book_visit") == std::string::npos);
  CHECK(text.find("\"mine\"") != std::string::npos);
  CHECK(frames.back()["response"]["output"].size() == 1);
  // The name of a tool of the app is taken.
  CHECK(error_of(c.send(json::parse(
          R"({"type":"session.update","session":{"type":"realtime","tools":[
    {"type":"function","name":"book_visit","description":"d","parameters":{"type":"object"}}]}})")))
          ["param"]
        == "session.tools[0].name");
  CHECK(error_of(c.send(json::parse(
          R"({"type":"response.create","response":{"tools":[
    {"type":"function","name":"book_visit","description":"d","parameters":{"type":"object"}}]}})")))
          ["param"]
        == "response.tools[0].name");
  item output{.id = "o1",
              .kind = item_kind::function_call_output,
              .call_id = "call_1",
              .output = "booked",
              .response = "resp_1"};
  CHECK(c.publish({c.put(output)}).empty());
  frames = c.publish({c.put(message("a2", item_role::assistant, "It is booked."))});
  REQUIRE(!frames.empty());
  // What it does not see is nobody's predecessor.
  CHECK(frames[0]["previous_item_id"] == "f2");
}
