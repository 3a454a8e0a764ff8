#include "gateway/realtime_items.hpp"

#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using nlohmann::json;

namespace {

json text_item(const std::string& text, const std::string& id = {}) {
  json item{{"type", "message"},
            {"role", "user"},
            {"content", {{{"type", "input_text"}, {"text", text}}}}};
  if (!id.empty())
    item["id"] = id;
  return item;
}

json create(const json& item, const std::string& event_id = "e1") {
  return {{"type", "conversation.item.create"}, {"event_id", event_id}, {"item", item}};
}

void check_refused(const json& item, const std::string& code, const std::string& param) {
  CAPTURE(item.dump().substr(0, 300));
  realtime_client c;
  c.start();
  const auto error = error_of(c.send(create(item)));
  CHECK(error["code"] == code);
  CHECK(error["param"] == param);
  CHECK(error["event_id"] == "e1");
  CHECK(c.commands.empty());
}

} // namespace

TEST_CASE("a created item is told when it is durable, by its event") {
  realtime_client c;
  c.start();
  CHECK(c.send(create(text_item("hello", "item_1"))).empty());
  const auto put = c.command<put_item>();
  CHECK(put.value.id == "item_1");
  CHECK(put.value.text == "hello");
  CHECK(put.value.role == item_role::user);
  CHECK_FALSE(put.answer);
  CHECK_FALSE(put.previous);
  CHECK(c.accept().empty());
  const auto frames = c.publish({c.put(put.value)});
  REQUIRE(types(frames) == "conversation.item.added conversation.item.done");
  CHECK(frames[0]["item"]["id"] == "item_1");
  CHECK(frames[0]["item"]["status"] == "completed");
  CHECK(frames[0]["previous_item_id"].is_null());
}

TEST_CASE("items without an id get one, parts are joined, and the place is passed on") {
  realtime_client c;
  c.start();
  auto item = text_item("one");
  item["content"].push_back({{"type", "input_text"}, {"text", "two"}});
  auto event = create(item);
  event["previous_item_id"] = "root";
  c.send(event);
  const auto& put = c.command<put_item>();
  CHECK(put.value.id.rfind("item_", 0) == 0);
  CHECK(put.value.text == "one\ntwo");
  CHECK(put.previous == "root");
}

TEST_CASE("an item that goes elsewhere names its predecessor") {
  realtime_client c;
  c.start();
  c.publish({item_put{"00000001", message("a", item_role::user, "a")},
             item_put{"00000002", message("b", item_role::user, "b")}});
  auto frames = c.publish({item_put{"00000001i", message("c", item_role::system, "c")}});
  CHECK(frames[0]["previous_item_id"] == "a");
  frames = c.publish({item_put{"00000000", message("d", item_role::user, "d")}});
  CHECK(frames[0]["previous_item_id"].is_null());
  frames = c.publish({item_put{"00000003", message("e", item_role::user, "e")}});
  CHECK(frames[1]["previous_item_id"] == "b");
}

TEST_CASE("function calls and their outputs are taken and shown") {
  realtime_client c;
  c.start();
  c.send(create(
    {{"type", "function_call"}, {"call_id", "call_1"}, {"name", "look_up"}, {"arguments", "{}"}}));
  CHECK(c.command<put_item>().value.kind == item_kind::function_call);
  c.send(
    create({{"type", "function_call_output"}, {"call_id", "call_1"}, {"output", "{\"a\":1}"}}));
  auto output = c.command<put_item>().value;
  CHECK(output.kind == item_kind::function_call_output);
  const auto frames = c.publish({c.put(output)});
  CHECK(frames[1]["item"]["output"] == "{\"a\":1}");
  CHECK(frames[1]["item"]["call_id"] == "call_1");
}

TEST_CASE("a wrong item is refused with the path of the field") {
  const json part{{"type", "input_text"}, {"text", "x"}};
  check_refused("text", "invalid_type", "item");
  check_refused(json::object(), "missing_required_parameter", "item.type");
  check_refused({{"type", "poem"}}, "invalid_value", "item.type");
  check_refused({{"type", "message"}}, "missing_required_parameter", "item.role");
  check_refused({{"type", "message"}, {"role", "boss"}}, "invalid_value", "item.role");
  check_refused({{"type", "message"}, {"role", "user"}}, "missing_required_parameter",
                "item.content");
  check_refused({{"type", "message"}, {"role", "user"}, {"content", "x"}}, "invalid_type",
                "item.content");
  check_refused({{"type", "message"}, {"role", "user"}, {"content", json::array()}},
                "invalid_value", "item.content");
  check_refused({{"type", "message"}, {"role", "user"}, {"content", {part, 7}}}, "invalid_type",
                "item.content[1]");
  check_refused({{"type", "message"}, {"role", "assistant"}, {"content", {part}}}, "invalid_value",
                "item.content[0].type");
  check_refused({{"type", "message"},
                 {"role", "user"},
                 {"content", {{{"type", "input_audio"}, {"audio", "AAAA"}}}}},
                "invalid_value", "item.content[0].type");
  check_refused({{"type", "message"}, {"role", "user"}, {"content", {{{"type", "input_text"}}}}},
                "missing_required_parameter", "item.content[0].text");
  check_refused({{"type", "message"}, {"role", "user"}, {"content", {part}}, {"mood", 1}},
                "unknown_parameter", "item.mood");
  check_refused(text_item("x", "no blanks"), "invalid_value", "item.id");
  check_refused(text_item("x", std::string(65, 'a')), "invalid_value", "item.id");
  check_refused(text_item(std::string(128 * 1024 + 1, 'a')), "invalid_value",
                "item.content[0].text");
  check_refused({{"type", "function_call_output"}, {"call_id", "c"}, {"output", 1}}, "invalid_type",
                "item.output");
  check_refused({{"type", "function_call"}, {"call_id", "c"}, {"name", "?"}, {"arguments", ""}},
                "invalid_value", "item.name");
}

TEST_CASE("the longest allowed text passes") {
  realtime_client c;
  c.start();
  CHECK(c.send(create(text_item(std::string(128 * 1024, 'a')))).empty());
  CHECK(c.command<put_item>().value.text.size() == 128 * 1024);
}

TEST_CASE("the session's refusals become the protocol's errors") {
  const auto code_of = [](const error& why) {
    realtime_client c;
    c.start();
    c.send(create(text_item("x"), "mine"));
    const auto answer = error_of(c.refuse(why));
    CHECK(answer["event_id"] == "mine");
    return answer["type"].get<std::string>() + " " + answer["code"].get<std::string>();
  };
  CHECK(code_of({errc::invalid, "d", "previous_item_id", "previous_item_unknown"})
        == "invalid_request_error invalid_value");
  CHECK(code_of({errc::invalid, "d", "item.call_id", "call_unknown"})
        == "invalid_request_error item_create_invalid_call_id");
  CHECK(code_of({errc::not_found, "d", {}, "session_ended"})
        == "invalid_request_error session_expired");
  CHECK(code_of({errc::unavailable, "d", {}, {}}) == "server_error storage_unavailable");
  CHECK(code_of({errc::full, "d", {}, {}}) == "server_error storage_full");
  CHECK(code_of({errc::overloaded, "d", {}, {}}) == "server_error overloaded");
  CHECK(code_of({errc::damaged, "d", {}, {}}) == "server_error storage_damaged");
}

TEST_CASE("a command without an answer is reported with the client's event_id") {
  realtime_client c;
  c.start();
  c.send(create(text_item("x"), "mine"));
  const auto error = error_of(c.lose());
  CHECK(error["type"] == "server_error");
  CHECK(error["event_id"] == "mine");
  CHECK(c.accept().empty());
}

TEST_CASE("the same id again gets the same answer") {
  realtime_client c;
  c.journal({c.put(message("item_1", item_role::user, "the first text"))});
  c.start();
  c.send(create(text_item("another text", "item_1"), "mine"));
  CHECK(c.accept(true, 2).empty());
  CHECK(c.command<get_item>().id == "item_1");
  SUBCASE("its stored form") {
    const auto frames = c.accept(false, 2, c.view.items.front());
    REQUIRE(types(frames) == "conversation.item.added conversation.item.done");
    CHECK(frames[1]["item"]["content"][0]["text"] == "the first text");
  }
  SUBCASE("or that it was deleted since") {
    const auto error = error_of(c.refuse({errc::not_found, "d", {}, {}}));
    CHECK(error["param"] == "item.id");
    CHECK(error["event_id"] == "mine");
  }
}

TEST_CASE("a create that went out twice around a crash is told once") {
  realtime_client c;
  c.start();
  c.send(create(text_item("x", "item_1")));
  const auto value = c.command<put_item>().value;
  CHECK(c.publish({c.put(value)}).size() == 2);
  CHECK(c.accept(true, c.view.head).empty());
  CHECK(c.commands.size() == 1);
}

TEST_CASE("items are deleted by their event, and unknown ones are an error") {
  realtime_client c;
  c.journal({c.put(message("item_1", item_role::user, "x"))});
  c.start();
  const json remove{{"type", "conversation.item.delete"},
                    {"event_id", "d1"},
                    {"item_id", "item_1"}};
  CHECK(c.send(remove).empty());
  CHECK(c.command<remove_item>().id == "item_1");
  const auto frames = c.publish({item_removed{"item_1"}});
  REQUIRE(types(frames) == "conversation.item.deleted");
  CHECK(frames[0]["item_id"] == "item_1");
  SUBCASE("a repetition after a crash says nothing") {
    CHECK(c.refuse({errc::not_found, "d", "item_id", {}}).empty());
  }
  SUBCASE("the same delete again gets the same answer") {
    c.accept();
    c.send(remove);
    CHECK(types(c.accept(true)) == "conversation.item.deleted");
  }
  SUBCASE("an unknown one") {
    c.accept();
    c.send({{"type", "conversation.item.delete"}, {"event_id", "d2"}, {"item_id", "nobody"}});
    const auto error = error_of(c.refuse({errc::not_found, "d", "item_id", "item_unknown"}));
    CHECK(error["code"] == "item_not_found");
    CHECK(error["param"] == "item_id");
    CHECK(error["event_id"] == "d2");
  }
}

TEST_CASE("items are retrieved, in the middle of their making too") {
  realtime_client c;
  c.journal({c.put(message("item_1", item_role::user, "x"))});
  c.start();
  c.send({{"type", "conversation.item.retrieve"}, {"item_id", "item_1"}});
  auto frames = c.accept(false, 2, c.view.items.front());
  REQUIRE(types(frames) == "conversation.item.retrieved");
  CHECK(frames[0]["item"]["content"][0]["text"] == "x");
  c.send({{"type", "conversation.item.retrieve"}, {"event_id", "r1"}, {"item_id", "nobody"}});
  CHECK(error_of(c.refuse({errc::not_found, "d", {}, {}}))["code"] == "item_not_found");

  c.publish({response_requested{"resp_1", {"item_1"}}, response_started{"resp_1", 1, "item_2"}});
  c.delta("resp_1", "item_2", 1, "Hel");
  frames = c.send({{"type", "conversation.item.retrieve"}, {"item_id", "item_2"}});
  REQUIRE(types(frames) == "conversation.item.retrieved");
  CHECK(frames[0]["item"]["status"] == "in_progress");
  CHECK(frames[0]["item"]["content"][0]["text"] == "Hel");
}

TEST_CASE("text cannot be truncated") {
  realtime_client c;
  c.journal({c.put(message("item_1", item_role::assistant, "x"))});
  c.start();
  const auto truncate = [&](const std::string& id) {
    return error_of(c.send({{"type", "conversation.item.truncate"},
                            {"event_id", "t1"},
                            {"item_id", id},
                            {"content_index", 0},
                            {"audio_end_ms", 100}}));
  };
  CHECK(truncate("nobody")["code"] == "item_truncate_invalid_item_id");
  CHECK(truncate("item_1")["code"] == "invalid_value");
  CHECK(truncate("item_1")["event_id"] == "t1");
}

TEST_CASE("the order of items finds who stands before whom") {
  item_order order;
  CHECK(order.previous_of("x").empty());
  order.put("00000001", "a");
  order.put("00000003", "c");
  order.put("00000002", "b");
  CHECK(order.ids() == std::vector<std::string>{"a", "b", "c"});
  CHECK(order.previous_of("c") == "b");
  CHECK(order.previous_of("a").empty());
  CHECK(order.previous_of("unknown") == "c");
  order.put("00000004", "a");
  CHECK(order.previous_of("b").empty());
  CHECK(order.remove("b"));
  CHECK_FALSE(order.remove("b"));
  CHECK(order.ids() == std::vector<std::string>{"c", "a"});
}
