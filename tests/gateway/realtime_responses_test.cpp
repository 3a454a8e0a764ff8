#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using nlohmann::json;

namespace {

const std::string text_begin =
  "response.output_item.added conversation.item.added response.content_part.added "
  "response.output_text.delta";
const std::string text_end = "response.output_text.done response.content_part.done "
                             "conversation.item.done response.output_item.done";

item answer(const std::string& id, const std::string& text, const std::string& response) {
  return message(id, item_role::assistant, text, response);
}

response_done done(const std::string& response, response_status status = response_status::completed,
                   const std::string& reason = {}) {
  return {response, status, reason, {7, 3}};
}

} // namespace

TEST_CASE("a text response comes in the protocol's order") {
  realtime_client c;
  c.start();
  CHECK(c.send({{"type", "response.create"},
                {"event_id", "r1"},
                {"response", {{"metadata", {{"topic", "x"}}}}}})
          .empty());
  const auto id = c.command<request_response>().response;
  CHECK(c.accept().empty());
  CHECK(c.publish({response_requested{id, {id}}}).empty());
  auto frames = c.publish({response_started{id, 1, "item_1"}});
  REQUIRE(types(frames) == "response.created");
  CHECK(frames[0]["response"]["metadata"]["topic"] == "x");
  CHECK(frames[0]["response"]["usage"].is_null());
  frames = c.delta(id, "item_1", 1, "Hel");
  REQUIRE(types(frames) == text_begin);
  CHECK(frames[3]["delta"] == "Hel");
  CHECK(types(c.delta(id, "item_1", 2, "lo.")) == "response.output_text.delta");
  frames = c.publish({c.put(answer("item_1", "Hello.", id)), done(id)});
  REQUIRE(types(frames) == text_end + " response.done");
  CHECK(frames[0]["text"] == "Hello.");
  CHECK(frames[3]["item"]["status"] == "completed");
  const auto& response = frames[4]["response"];
  CHECK(response["status"] == "completed");
  CHECK(response["output"][0]["content"][0]["text"] == "Hello.");
  CHECK(response["metadata"]["topic"] == "x");
  CHECK(response["usage"]["total_tokens"] == 10);
  CHECK(c.delta(id, "item_1", 3, "late").empty());
}

TEST_CASE("a response without deltas gets all its pieces from the item") {
  realtime_client c;
  c.start();
  const auto frames =
    c.publish({response_requested{"resp_1", {"greeting"}}, response_started{"resp_1", 1, "i1"},
               c.put(answer("i1", "Welcome.", "resp_1")), done("resp_1")});
  CHECK(types(frames) == "response.created " + text_begin + " " + text_end + " response.done");
}

TEST_CASE("what was put beyond the stream comes as one more delta") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "One. ");
  const auto frames = c.publish({c.put(answer("i1", "One. Two.", "resp_1")), done("resp_1")});
  CHECK(types(frames) == "response.output_text.delta " + text_end + " response.done");
  CHECK(frames[0]["delta"] == "Two.");
}

TEST_CASE("a hole in the stream is filled by the item") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "a");
  CHECK(c.delta("resp_1", "i1", 1, "a").empty());
  CHECK(c.delta("resp_1", "i1", 3, "c").empty());
  CHECK(c.delta("resp_1", "i1", 4, "d").empty());
  const auto frames = c.publish({c.put(answer("i1", "abcd", "resp_1")), done("resp_1")});
  CHECK(frames[0]["delta"] == "bcd");
}

TEST_CASE("an interrupted response ends incomplete, with what was handed out") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "One. Tw");
  c.send({{"type", "response.cancel"}, {"event_id", "c1"}});
  CHECK(c.command<cancel_response>().response.empty());
  auto left = answer("i1", "One. Tw", "resp_1");
  left.status = item_status::incomplete;
  left.unheard = "o.";
  const auto frames =
    c.publish({c.put(left), done("resp_1", response_status::cancelled, "client_cancelled")});
  REQUIRE(types(frames) == text_end + " response.done");
  CHECK(frames[3]["item"]["status"] == "incomplete");
  CHECK(frames[4]["response"]["status"] == "cancelled");
  CHECK(frames[4]["response"]["status_details"]
        == json{{"type", "cancelled"}, {"reason", "client_cancelled"}});
  CHECK(c.frames.back().dump().find("unheard") == std::string::npos);
}

TEST_CASE("the end of an interrupted item says what counts where the journal holds less") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "One. Tw");
  auto left = answer("i1", "One. ", "resp_1");
  left.status = item_status::incomplete;
  const auto frames =
    c.publish({c.put(left), done("resp_1", response_status::cancelled, "owner_lost")});
  CHECK(frames[0]["text"] == "One. ");
  const auto& details = frames[4]["response"]["status_details"];
  CHECK_FALSE(details.contains("reason"));
  CHECK(details["error"]["code"] == "owner_lost");
}

TEST_CASE("a response that was cancelled before it began is created and done") {
  realtime_client c;
  c.start();
  const auto frames = c.publish({response_requested{"resp_1", {"x"}},
                                 done("resp_1", response_status::cancelled, "client_cancelled")});
  CHECK(types(frames) == "response.created response.done");
}

TEST_CASE("a response that fails before anything was made is created and done") {
  realtime_client c;
  c.start();
  const auto frames =
    c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"},
               done("resp_1", response_status::failed, "unavailable")});
  REQUIRE(types(frames) == "response.created response.done");
  CHECK(frames[1]["response"]["status_details"]["error"]["code"] == "unavailable");
}

TEST_CASE("an open item that never was put is finished and deleted") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "Hm");
  const auto frames = c.publish({done("resp_1", response_status::failed, "poison")});
  CHECK(types(frames) == text_end + " conversation.item.deleted response.done");
}

TEST_CASE("a new attempt voids the item of the former one and goes on at the next index") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "Fir");
  auto frames = c.publish({response_started{"resp_1", 2, "i2"}});
  REQUIRE(types(frames) == text_end + " conversation.item.deleted");
  CHECK(frames[3]["item"]["status"] == "incomplete");
  CHECK(frames[4]["item_id"] == "i1");
  CHECK(c.delta("resp_1", "i1", 2, "st").empty());
  frames = c.delta("resp_1", "i2", 1, "Second.", 2);
  REQUIRE(types(frames) == text_begin);
  CHECK(frames[0]["output_index"] == 1);
  frames = c.publish({c.put(answer("i2", "Second.", "resp_1")), done("resp_1")});
  CHECK(frames.back()["response"]["output"].size() == 2);
}

TEST_CASE("function calls are output items of their response, whole and completed") {
  realtime_client c;
  c.start();
  c.send(json::parse(R"({"type":"session.update","session":{"type":"realtime","tools":[
    {"type":"function","name":"look_up","description":"d","parameters":{"type":"object"}}]}})"));
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "One moment.");
  const auto frames =
    c.publish({c.put(answer("i1", "One moment.", "resp_1")),
               c.put(call("i2", "call_1", "look_up", R"({"a":1})", "resp_1")),
               c.put(call("i3", "call_2", "look_up", R"({"a":2})", "resp_1")), done("resp_1")});
  const std::string one_call =
    " response.output_item.added conversation.item.added response.function_call_arguments.delta "
    "response.function_call_arguments.done conversation.item.done response.output_item.done";
  REQUIRE(types(frames) == text_end + one_call + one_call + " response.done");
  CHECK(frames[4]["item"]["arguments"] == "");
  CHECK(frames[7]["name"] == "look_up");
  CHECK(frames[7]["arguments"] == R"({"a":1})");
  CHECK(frames[9]["item"]["status"] == "completed");
  CHECK(frames[9]["response_id"] == "resp_1");
  CHECK(frames[15]["output_index"] == 2);
  CHECK(frames.back()["response"]["output"].size() == 3);
}

TEST_CASE("errors of responses carry the client's event_id, so that it goes on asking") {
  realtime_client c;
  c.start();
  const auto ask = [&](const std::string& event_id) {
    c.send({{"type", "response.create"}, {"event_id", event_id}});
  };
  ask("r1");
  auto error = error_of(c.refuse({errc::conflict, "d", {}, "response_active"}));
  CHECK(error["code"] == "conversation_already_has_active_response");
  CHECK(error["event_id"] == "r1");
  ask("r2");
  error = error_of(c.refuse({errc::unavailable, "the disk is full", {}, {}}));
  CHECK(error["type"] == "server_error");
  CHECK(error["event_id"] == "r2");
  ask("r3");
  CHECK(error_of(c.lose())["event_id"] == "r3");
  for (const auto& [response, param] : std::vector<std::pair<json, std::string>>{
         {{{"conversation", "none"}}, "response.conversation"},
         {{{"input", json::array()}}, "response.input"},
         {{{"metadata", {{"a", 1}}}}, "response.metadata.a"},
         {{{"max_output_tokens", 5000}}, "response.max_output_tokens"},
         {{{"tools", 1}}, "response.tools"},
         {{{"mood", 1}}, "response.mood"}}) {
    error =
      error_of(c.send({{"type", "response.create"}, {"event_id", "r4"}, {"response", response}}));
    CHECK(error["param"] == param);
    CHECK(error["event_id"] == "r4");
  }
  c.send({{"type", "response.cancel"}, {"event_id", "r5"}, {"response_id", "resp_9"}});
  error = error_of(c.refuse({errc::not_found, "d", "response_id", "response_not_active"}));
  CHECK(error["code"] == "response_cancel_not_active");
  CHECK(error["event_id"] == "r5");
}

TEST_CASE("a plain client that came in the middle gets only the item, at its end") {
  realtime_client c;
  c.journal({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.open();
  CHECK(c.attach(open_answer{"resp_1", 1, "i1", 2, "Hel"}).empty());
  CHECK(c.delta("resp_1", "i1", 3, "lo").empty());
  CHECK(types(c.publish({c.put(answer("i1", "Hello", "resp_1")), done("resp_1")}))
        == "conversation.item.added conversation.item.done");
}

TEST_CASE("a response asked for before the client came, but not begun, is seen whole") {
  realtime_client c;
  c.journal({response_requested{"resp_1", {"greeting"}}});
  c.open();
  c.attach();
  CHECK(types(c.publish({response_started{"resp_1", 1, "i1"}})) == "response.created");
}

TEST_CASE("events that come twice are shown once, and a hole is fetched") {
  realtime_client c;
  c.start();
  c.publish({c.put(message("a", item_role::user, "a"))});
  CHECK(c.take(c.codec->on_published({{c.events.back()}})).empty());
  const auto seen = c.codec->last_seq();
  c.journal({c.put(message("b", item_role::user, "b"))});
  CHECK(c.publish({c.put(message("c", item_role::user, "c"))}).empty());
  REQUIRE(c.attaches.size() == 2);
  CHECK(c.attaches.back().after == seen);
  CHECK_FALSE(c.attaches.back().snapshot);
  CHECK(c.attach().size() == 4);
  CHECK(c.codec->last_seq() == c.view.head);
}

TEST_CASE("after a restart of the session, the open response goes on where it was") {
  realtime_client c;
  c.start();
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.delta("resp_1", "i1", 1, "Hel");
  c.attaches.push_back({.after = c.codec->last_seq(), .snapshot = false});
  SUBCASE("the same attempt") {
    const auto frames = c.attach(open_answer{"resp_1", 1, "i1", 3, "Hello th"});
    REQUIRE(types(frames) == "response.output_text.delta");
    CHECK(frames[0]["delta"] == "lo th");
    CHECK(types(c.delta("resp_1", "i1", 4, "ere")) == "response.output_text.delta");
  }
  SUBCASE("a new attempt") {
    c.journal({response_started{"resp_1", 2, "i2"}});
    CHECK(types(c.attach()) == text_end + " conversation.item.deleted");
  }
  SUBCASE("closed meanwhile") {
    c.journal({c.put(answer("i1", "Hello.", "resp_1")), done("resp_1")});
    CHECK(types(c.attach()) == "response.output_text.delta " + text_end + " response.done");
  }
  SUBCASE("closed meanwhile, and so long ago that only the state is given") {
    c.journal({c.put(answer("i1", "Hello.", "resp_1")), done("resp_1"),
               c.put(message("u2", item_role::user, "more"))});
    CHECK(types(c.attach(std::nullopt, true))
          == "response.output_text.delta " + text_end
               + " response.done conversation.item.added conversation.item.done");
  }
}

TEST_CASE("the end of the session closes plain connections") {
  realtime_client c;
  c.start();
  CHECK(c.publish({session_ended{"left"}}).empty());
  REQUIRE(c.closes.size() == 1);
  CHECK(c.closes[0].code == 1000);
}

TEST_CASE("a session that cannot be had closes the connection with the reason") {
  realtime_client c;
  c.open();
  CHECK(error_of(c.refuse_attach({errc::unavailable, "the store is away", {}, {}}))["code"]
        == "storage_unavailable");
  REQUIRE(c.closes.size() == 1);
  CHECK(c.closes[0].code == 1013);
}
