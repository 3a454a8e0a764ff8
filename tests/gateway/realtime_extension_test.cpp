#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using nlohmann::json;

namespace {

topic_updated date_set(std::uint64_t revision, const std::string& edit = {}) {
  return {.topic = "date",
          .status = topic_status::answered,
          .value = R"("2027-03-12")",
          .evidence = {"u1", "12 March", 0.9},
          .by = edit.empty() ? topic_author::analyzer : topic_author::person,
          .revision = revision,
          .edit = edit};
}

realtime_client extended() {
  return realtime_client{{.extensions = true, .client_key = "ck_1"}};
}

json resume(std::uint64_t after, const std::string& store = {}) {
  json out{{"type", "sidevoice.session.resume"}, {"event_id", "s1"}, {"after_seq", after}};
  if (!store.empty())
    out["store"] = store;
  return out;
}

/// What a client has once it has taken these frames: the newest number without `more`.
std::uint64_t seen(const std::vector<json>& frames) {
  std::uint64_t out = 0;
  for (const auto& frame : frames)
    if (frame.contains("seq") && frame["seq"].is_number() && !frame.contains("more"))
      out = std::max(out, frame["seq"].get<std::uint64_t>());
  return out;
}

} // namespace

TEST_CASE("a snapshot holds state, topics and key, and the items follow with their numbers") {
  auto c = extended();
  c.journal({c.put(message("u1", item_role::user, "on 12 March")),
             c.put(message("a1", item_role::assistant, "Noted.")), date_set(1)});
  CHECK(types(c.open()) == "session.created");
  CHECK(c.attaches.empty());
  CHECK(c.send(resume(0)).empty());
  const auto frames = c.attach();
  REQUIRE(types(frames)
          == "sidevoice.session.snapshot conversation.item.added conversation.item.done "
             "conversation.item.added conversation.item.done");
  const auto& snapshot = frames[0];
  CHECK(snapshot["session"] == "sess_1");
  CHECK(snapshot["seq"] == 4);
  CHECK(snapshot["store"] == "store_1");
  CHECK(snapshot["state"] == "ready");
  CHECK(snapshot["client_key"] == "ck_1");
  CHECK(snapshot["items_from"] == 2);
  CHECK(snapshot["items"] == 2);
  REQUIRE(snapshot["topics"].size() == 2);
  CHECK(snapshot["topics"][0]["value"] == "2027-03-12");
  CHECK(snapshot["topics"][0]["evidence"]
        == json{{"item_id", "u1"}, {"quote", "12 March"}, {"confidence", 0.9}});
  CHECK(snapshot["topics"][1]["status"] == "open");
  CHECK(snapshot["topics"][1]["choices"] == json::array({"flat", "house"}));
  CHECK(frames[1]["seq"] == 2);
  CHECK(frames[3]["seq"] == 3);
  for (std::size_t i = 0; i + 1 < frames.size(); ++i)
    CHECK(frames[i]["more"] == true);
  CHECK_FALSE(frames.back().contains("more"));
}

TEST_CASE("a client that begins with anything else gets the snapshot first") {
  auto c = extended();
  c.open();
  CHECK(types(c.send({{"type", "session.update"}, {"session", {{"type", "realtime"}}}}))
        == "session.updated");
  REQUIRE(c.attaches.size() == 1);
  CHECK(c.attaches[0].snapshot);
  CHECK(types(c.attach()) == "sidevoice.session.snapshot");
  CHECK(error_of(c.send(resume(3)))["param"] == "type");
}

TEST_CASE("resume gives the durable rest, then says up to where") {
  auto c = extended();
  c.journal({c.put(message("u1", item_role::user, "on 12 March")),
             response_requested{"resp_1", {"u1"}}, response_started{"resp_1", 1, "a1"},
             c.put(message("a1", item_role::assistant, "Noted.", "resp_1")),
             response_done{"resp_1", response_status::completed, "", {1, 1}}, date_set(1)});
  c.open();
  c.send(resume(2, "store_1"));
  REQUIRE(c.attaches.size() == 1);
  CHECK(c.attaches[0].after == 2);
  CHECK_FALSE(c.attaches[0].snapshot);
  const auto frames = c.attach();
  CHECK(types(frames)
        == "sidevoice.session.event response.created response.output_item.added "
           "conversation.item.added "
           "response.content_part.added response.output_text.delta response.output_text.done "
           "response.content_part.done conversation.item.done response.output_item.done "
           "response.done sidevoice.topic.updated sidevoice.session.resumed");
  CHECK(frames[3]["previous_item_id"] == "u1");
  CHECK(frames[3]["seq"] == 5);
  CHECK(frames[5]["seq"].is_null());
  CHECK(frames.back()["from_seq"] == 2);
  CHECK(frames.back()["to_seq"] == 7);
  CHECK(frames.back()["state"] == "ready");
  CHECK(seen(frames) == 7);
}

TEST_CASE("clients with extensions see every number of the journal, each in its order") {
  auto c = extended();
  c.start();
  std::uint64_t last = c.codec->last_seq();
  for (auto& body : std::vector<event_body>{
         response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "a1"},
         response_spoken{"resp_1", 1, 1, "Noted."},
         c.put(message("a1", item_role::assistant, "Noted.", "resp_1")),
         response_done{"resp_1", response_status::completed, "", {1, 1}}, analysis_done{5, {}},
         item_removed{"nobody"}, erased{"item.put"}, session_completed{1, "{}"}}) {
    CHECK(seen(c.publish({body})) == last + 1);
    last = c.codec->last_seq();
  }
}

TEST_CASE("a break between two frames of one event loses neither") {
  auto c = extended();
  c.start();
  const auto frames = c.publish({c.put(message("u1", item_role::user, "x"))});
  REQUIRE(frames.size() == 2);
  CHECK(seen({frames[0]}) < frames[0]["seq"]);
  CHECK(seen(frames) == 2);
}

TEST_CASE("a resume against another store gets a snapshot") {
  auto c = extended();
  c.journal({c.put(message("u1", item_role::user, "x"))});
  c.open();
  c.send(resume(1, "store_before_the_restore"));
  SUBCASE("where the number exists") {
    CHECK(types(c.attach())
          == "sidevoice.session.snapshot conversation.item.added conversation.item.done");
  }
  SUBCASE("where it does not") {
    CHECK(c.refuse_attach({errc::invalid, "d", "after_seq", "future"}).empty());
    REQUIRE(c.attaches.size() == 2);
    CHECK(c.attaches[1].snapshot);
    CHECK(types(c.attach())
          == "sidevoice.session.snapshot conversation.item.added conversation.item.done");
  }
}

TEST_CASE("a resume number from the future is no error: a snapshot follows") {
  auto c = extended();
  c.open();
  SUBCASE("without a store") {
    c.send(resume(99));
  }
  SUBCASE("of this very store") {
    c.send(resume(99, "store_1"));
  }
  CHECK(c.refuse_attach({errc::invalid, "d", "after_seq", "future"}).empty());
  REQUIRE(c.attaches.size() == 2);
  CHECK(c.attaches[1].snapshot);
  const auto frames = c.attach();
  CHECK(types(frames) == "sidevoice.session.snapshot");
  CHECK(seen(frames) < 99);
  CHECK(c.closes.empty());
}

TEST_CASE("a session that turns out to be damaged is closed for good, with the event's number") {
  auto c = extended();
  c.open();
  c.send(resume(1, "store_1"));
  const auto error = error_of(c.refuse_attach({errc::damaged, "in /a/file", "3", {}}));
  CHECK(error["code"] == "storage_damaged");
  CHECK(error["message"].get<std::string>().find("event 3") != std::string::npos);
  CHECK(error["message"].get<std::string>().find("/a/file") == std::string::npos);
  REQUIRE(c.closes.size() == 1);
  CHECK(c.closes[0].code == 1011);
}

TEST_CASE("who comes in the middle of an answer gets what was said so far as one delta") {
  auto c = extended();
  c.journal({c.put(message("u1", item_role::user, "x")), response_requested{"resp_1", {"u1"}},
             response_started{"resp_1", 1, "a1"}});
  c.open();
  c.send(resume(4));
  auto frames = c.attach(open_answer{"resp_1", 1, "a1", 3, "Hello "});
  REQUIRE(types(frames)
          == "sidevoice.session.resumed response.created response.output_item.added "
             "conversation.item.added response.content_part.added response.output_text.delta");
  CHECK(frames[0]["state"] == "thinking");
  CHECK(frames[5]["so_far"] == true);
  CHECK(frames[5]["n"] == 3);
  CHECK(frames[5]["attempt"] == 1);
  CHECK(frames[5]["delta"] == "Hello ");
  CHECK(c.delta("resp_1", "a1", 3, "lo ").empty());
  frames = c.delta("resp_1", "a1", 4, "there");
  CHECK(frames[0]["n"] == 4);
  CHECK_FALSE(frames[0].contains("so_far"));
  frames = c.publish({c.put(message("a1", item_role::assistant, "Hello there", "resp_1")),
                      response_done{"resp_1", response_status::completed, "", {1, 1}}});
  CHECK(types({frames.end() - 2, frames.end()}) == "response.done sidevoice.session.state");
}

TEST_CASE("the state is told around responses") {
  auto c = extended();
  c.start();
  auto frames = c.publish({response_requested{"resp_1", {"x"}}});
  REQUIRE(types(frames) == "sidevoice.session.state");
  CHECK(frames[0]["state"] == "thinking");
  frames = c.publish({response_done{"resp_1", response_status::cancelled, "", {}}});
  CHECK(frames.back()["state"] == "ready");
  frames = c.publish({session_ended{"left"}});
  CHECK(types(frames) == "sidevoice.session.state sidevoice.session.ended");
  CHECK(frames[1]["reason"] == "left");
  CHECK(c.closes.empty());
}

TEST_CASE("an item can ask for its answer in the same append") {
  auto c = extended();
  c.start();
  json create{{"type", "conversation.item.create"},
              {"item",
               {{"type", "message"},
                {"id", "u1"},
                {"role", "user"},
                {"content", {{{"type", "input_text"}, {"text", "hi"}}}}}},
              {"answer", true}};
  c.send(create);
  CHECK(c.command<put_item>().answer);
  CHECK(c.command<put_item>().response.rfind("resp_", 0) == 0);
  CHECK(c.command<put_item>().options);
  create["response_id"] = "resp_mine";
  c.send(create);
  CHECK(c.command<put_item>().response == "resp_mine");
  create["answer"] = "yes";
  CHECK(error_of(c.send(create))["param"] == "answer");

  realtime_client plain;
  plain.start();
  create["answer"] = true;
  CHECK(error_of(plain.send(create))["code"] == "unknown_parameter");
}

TEST_CASE("topics are edited by hand, under the id of the event") {
  auto c = extended();
  c.start();
  c.send({{"type", "sidevoice.topic.update"},
          {"event_id", "event_e1"},
          {"topic", "date"},
          {"value", "2027-03-12"},
          {"base_revision", 0}});
  const auto& edit = c.command<edit_topic>();
  CHECK(edit.edit == "event_e1");
  CHECK(edit.value == R"("2027-03-12")");
  CHECK_FALSE(edit.status);
  const auto frames = c.publish({date_set(1, "event_e1")});
  CHECK(c.accept().empty());
  REQUIRE(types(frames) == "sidevoice.topic.updated");
  CHECK(frames[0]["revision"] == 1);
  CHECK(frames[0]["by"] == "person");
  CHECK(frames[0]["edit"] == "event_e1");
  CHECK(frames[0]["topic"]["id"] == "date");
  CHECK(frames[0]["topic"]["label"] == "Date");

  c.send({{"type", "sidevoice.topic.update"},
          {"event_id", "event_e1"},
          {"topic", "date"},
          {"status", "confirmed"},
          {"base_revision", 0}});
  CHECK(c.command<edit_topic>().status == topic_status::confirmed);
  CHECK(types(c.accept(true)) == "sidevoice.topic.updated");
}

TEST_CASE("a refused edit says why, and what stands") {
  auto c = extended();
  c.journal({date_set(1)});
  c.start();
  c.send({{"type", "sidevoice.topic.update"},
          {"event_id", "event_e1"},
          {"topic", "date"},
          {"value", "yesterday"},
          {"base_revision", 1}});
  auto frames = c.refuse({errc::invalid, "A date looks like 2027-03-12.", "value", {}});
  REQUIRE(types(frames) == "sidevoice.topic.rejected");
  CHECK(frames[0]["reason"] == "invalid");
  CHECK(frames[0]["message"] == "A date looks like 2027-03-12.");
  CHECK(frames[0]["current"]["value"] == "2027-03-12");
  CHECK(frames[0]["edit"] == "event_e1");
  c.send({{"type", "sidevoice.topic.update"},
          {"topic", "date"},
          {"value", nullptr},
          {"base_revision", 0}});
  CHECK(c.command<edit_topic>().value == "null");
  CHECK(c.refuse({errc::conflict, "d", {}, "revision"})[0]["reason"] == "revision");
  c.send({{"type", "sidevoice.topic.update"}, {"topic", "date"}, {"value", 1}});
  CHECK(c.frames.back()["error"]["param"] == "base_revision");
  CHECK(error_of(c.send(
          {{"type", "sidevoice.topic.update"}, {"topic", "date"}, {"base_revision", 1}}))["param"]
        == "value");
  CHECK(error_of(c.send({{"type", "sidevoice.topic.update"},
                         {"topic", "date"},
                         {"status", "done"},
                         {"base_revision", 1}}))["param"]
        == "status");
}

TEST_CASE("undo, the end and notices") {
  auto c = extended();
  c.start();
  c.send({{"type", "sidevoice.topic.undo"}, {"event_id", "event_u1"}});
  CHECK(c.command<undo_topic>().edit == "event_u1");
  CHECK(types(c.refuse({errc::not_found, "There is nothing to undo.", {}, {}}))
        == "sidevoice.topic.rejected");
  c.send({{"type", "sidevoice.session.end"}, {"reason", "left"}});
  CHECK(c.command<end_session>().reason == "left");
  CHECK(error_of(c.send({{"type", "sidevoice.session.end"}, {"reason", "bored"}}))["param"]
        == "reason");
  const auto frames = c.notify({"storage_delayed", "warning", "Saving takes a moment."});
  REQUIRE(types(frames) == "sidevoice.notice");
  CHECK(frames[0]["seq"].is_null());
  realtime_client plain;
  plain.start();
  CHECK(plain.notify({"storage_delayed", "warning", "x"}).empty());
}

TEST_CASE("the checklist's completion is told with its result") {
  auto c = extended();
  c.start();
  auto frames = c.publish({date_set(1), session_completed{1, R"({"date":"2027-03-12"})"}});
  REQUIRE(types(frames) == "sidevoice.topic.updated sidevoice.checklist.completed");
  CHECK(frames[1]["result"]["date"] == "2027-03-12");
  CHECK(types(c.publish({session_reopened{2}})) == "sidevoice.checklist.reopened");
}

TEST_CASE("plain connections hear nothing of the extension") {
  realtime_client c;
  c.start();
  CHECK(c.publish({date_set(1), session_completed{1, "{}"}, session_reopened{2},
                   analysis_done{3, {}}, response_requested{"r", {"x"}}})
          .empty());
  CHECK(error_of(c.send({{"type", "sidevoice.topic.undo"}}))["message"].get<std::string>().find(
          "sidevoice.v1")
        != std::string::npos);
}

TEST_CASE(
  "events of the extension that this server does not know are refused with those it knows") {
  auto c = extended();
  c.start();
  const auto error = error_of(c.send({{"type", "sidevoice.audio.nothing"}, {"from_ms", 0}}));
  CHECK(error["param"] == "type");
  CHECK(error["message"].get<std::string>().find("sidevoice.topic.update") != std::string::npos);
}
