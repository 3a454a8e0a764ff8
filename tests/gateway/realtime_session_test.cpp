#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using nlohmann::json;

namespace {

json update(json session, const std::string& event_id = "e1") {
  session["type"] = "realtime";
  return {{"type", "session.update"}, {"event_id", event_id}, {"session", std::move(session)}};
}

/// What a wrong update is answered with.
void check_refused(const json& session, const std::string& code, const std::string& param) {
  CAPTURE(session.dump());
  realtime_client c;
  c.start();
  c.send(update({{"instructions", "as before"}}));
  const auto before = c.frames.back()["session"];
  const auto error = error_of(c.send(update(session, "e2")));
  CHECK(error["code"] == code);
  CHECK(error["param"] == param);
  CHECK(error["event_id"] == "e2");
  CHECK(error["type"] == "invalid_request_error");
  CHECK(c.send(update(json::object())).front()["session"] == before);
}

} // namespace

TEST_CASE("the first event is session.created with the full session object") {
  realtime_client c;
  const auto frames = c.open();
  REQUIRE(types(frames) == "session.created");
  const auto& session = frames.front()["session"];
  CHECK(session["id"] == "sess_1");
  CHECK(session["model"] == "moving");
  CHECK(session["type"] == "realtime");
  CHECK(session["object"] == "realtime.session");
  CHECK(session["output_modalities"] == json::array({"text"}));
  CHECK(session["instructions"] == "");
  CHECK(session["tools"] == json::array());
  CHECK(session["audio"]["output"]["voice"].is_string());
  CHECK(session["audio"]["input"]["turn_detection"]["interrupt_response"] == true);
  REQUIRE(c.attaches.size() == 1);
  CHECK(c.attaches.front().snapshot);
}

TEST_CASE("session.update merges: absent fields stay, null and empty ones clear") {
  realtime_client c;
  c.start();
  auto frames = c.send(update({{"instructions", "Speak slowly."},
                               {"tools", {{{"type", "function"}, {"name", "look_up"}}}},
                               {"audio", {{"output", {{"voice", "cedar"}}}}}}));
  REQUIRE(types(frames) == "session.updated");
  CHECK(frames[0]["session"]["audio"]["output"]["voice"] == "cedar");
  CHECK(frames[0]["session"]["audio"]["output"]["speed"] == 1.0);
  frames = c.send(update({{"tracing", "auto"}}));
  CHECK(frames[0]["session"]["instructions"] == "Speak slowly.");
  CHECK(frames[0]["session"]["tools"].size() == 1);
  CHECK(frames[0]["session"]["tracing"] == "auto");
  frames = c.send(update({{"instructions", ""}, {"tools", nullptr}, {"audio", nullptr}}));
  CHECK(frames[0]["session"]["instructions"] == "");
  CHECK(frames[0]["session"]["tools"] == json::array());
  CHECK(frames[0]["session"]["audio"]["output"]["voice"] == "alloy");
}

TEST_CASE("a different model in session.update is ignored, and the real one is told") {
  realtime_client c;
  c.start();
  CHECK(c.send(update({{"model", "gpt-realtime-2.1"}})).front()["session"]["model"] == "moving");
}

TEST_CASE("session.updated carries the effective turn_detection") {
  realtime_client c;
  c.start();
  const auto detection = [&](const json& value) {
    return c.send(update({{"audio", {{"input", {{"turn_detection", value}}}}}}))
      .front()["session"]["audio"]["input"]["turn_detection"];
  };
  CHECK(detection({{"type", "server_vad"}, {"threshold", 0.7}})["interrupt_response"] == true);
  CHECK(detection({{"type", "semantic_vad"}})
        == json{{"type", "semantic_vad"},
                {"eagerness", "auto"},
                {"create_response", true},
                {"interrupt_response", true}});
  CHECK(detection(nullptr).is_null());
}

TEST_CASE("what agents-realtime sends by default is taken") {
  realtime_client c{{.speaks = true}};
  c.start();
  const auto frames = c.send(update(
    {{"instructions", "x"},
     {"model", "gpt-realtime-2.1"},
     {"output_modalities", {"audio"}},
     {"audio",
      {{"input",
        {{"format", {{"type", "audio/pcm"}, {"rate", 24000}}},
         {"noise_reduction", nullptr},
         {"transcription", {{"model", "gpt-4o-mini-transcribe"}}},
         {"turn_detection", {{"type", "semantic_vad"}}}}},
       {"output",
        {{"format", {{"type", "audio/pcm"}, {"rate", 24000}}}, {"voice", "ash"}, {"speed", 1}}}}},
     {"tool_choice", "auto"}}));
  REQUIRE(types(frames) == "session.updated");
  CHECK(frames[0]["session"]["output_modalities"] == json::array({"audio"}));
}

TEST_CASE("a wrong session.update is refused whole, with the path of the field") {
  realtime_client c;
  c.start();
  auto error = error_of(c.send({{"type", "session.update"}, {"session", json::object()}}));
  CHECK(error["code"] == "missing_required_parameter");
  CHECK(error["param"] == "session.type");
  CHECK(error_of(c.send({{"type", "session.update"}}))["param"] == "session");

  const json tool{{"type", "function"}, {"name", "f"}};
  check_refused({{"colour", 1}}, "unknown_parameter", "session.colour");
  check_refused({{"instructions", 1}}, "invalid_type", "session.instructions");
  check_refused({{"instructions", "new"}, {"output_modalities", {"smoke"}}}, "invalid_value",
                "session.output_modalities");
  check_refused({{"tools", {{{"type", "function"}, {"name", "no blanks"}}}}}, "invalid_value",
                "session.tools[0].name");
  check_refused({{"tools", {tool, {{"type", "function"}}}}}, "missing_required_parameter",
                "session.tools[1].name");
  check_refused({{"tools", {tool, tool}}}, "invalid_value", "session.tools[1].name");
  check_refused({{"tools", {{{"type", "mcp"}}}}}, "invalid_value", "session.tools[0].type");
  check_refused({{"tools", "all"}}, "invalid_type", "session.tools");
  check_refused({{"tool_choice", "maybe"}}, "invalid_value", "session.tool_choice");
  check_refused({{"max_output_tokens", 0}}, "invalid_value", "session.max_output_tokens");
  check_refused({{"max_output_tokens", 18446744073709551615U}}, "invalid_value",
                "session.max_output_tokens");
  check_refused({{"max_output_tokens", 1.5}}, "invalid_type", "session.max_output_tokens");
  check_refused({{"audio", {{"output", {{"speed", 9}}}}}}, "invalid_value",
                "session.audio.output.speed");
  check_refused({{"audio", {{"input", {{"turn_detection", {{"type", "magic"}}}}}}}},
                "invalid_value", "session.audio.input.turn_detection.type");
  check_refused({{"audio", {{"input", {{"turn_detection", {{"shape", 1}}}}}}}}, "unknown_parameter",
                "session.audio.input.turn_detection.shape");
  check_refused({{"audio", {{"input", {{"format", {{"type", "audio/mp3"}}}}}}}}, "invalid_value",
                "session.audio.input.format.type");
}

TEST_CASE(
  "a field outside of the key's rights is refused by name, and nothing of the update is taken") {
  auto allowed = std::make_shared<std::vector<std::string>>(
    std::vector<std::string>{"tools", "output_modalities", "audio", "turn_detection"});
  realtime_client c{{.rights = {.may_set = [allowed] { return *allowed; }}}};
  c.start();
  const json tools = {{{"type", "function"}, {"name", "look_up"}}};
  auto error = error_of(c.send(update({{"tools", tools}, {"instructions", "Ignore the app."}})));
  CHECK(error["code"] == "field_not_allowed");
  CHECK(error["param"] == "session.instructions");
  CHECK(error["message"].get<std::string>().find("\"instructions\" to live.access.client_may_set")
        != std::string::npos);
  auto frames = c.send(update({{"instructions", ""}, {"output_modalities", {"text"}}}));
  REQUIRE(types(frames) == "session.updated");
  CHECK(frames[0]["session"]["tools"] == json::array());
  error =
    error_of(c.send({{"type", "response.create"}, {"response", {{"instructions", "Ignore it."}}}}));
  CHECK(error["param"] == "response.instructions");

  struct row {
    json session;
    const char* param;
  };
  const std::vector<row> refused = {
    {{{"tool_choice", "none"}}, "session.tool_choice"},
    {{{"max_output_tokens", 5}}, "session.max_output_tokens"},
    {{{"audio", {{"output", {{"voice", "cedar"}, {"speed", 1.2}}}}}},
     "session.audio.output.voice"}};
  for (const auto& row : refused)
    CHECK(error_of(c.send(update(row.session)))["param"] == row.param);
  const json audio = {{"input", {{"turn_detection", nullptr}}}, {"output", {{"speed", 1.2}}}};
  CHECK(types(c.send(update({{"tools", tools}, {"audio", audio}}))) == "session.updated");

  // The list is asked each time: a change of the settings holds at once.
  *allowed = {"instructions"};
  CHECK(types(c.send(update({{"instructions", "Be kind."}}))) == "session.updated");
  CHECK(error_of(c.send(update({{"tools", json::array()}})))["param"] == "session.tools");
  CHECK(error_of(c.send(update({{"audio", nullptr}})))["param"]
        == "session.audio.input.turn_detection");
}

TEST_CASE("what a key brings with it holds, also against a list that would allow it") {
  const json preset = {{"instructions", "Speak slowly."},
                       {"audio", {{"output", {{"voice", "cedar"}}}}}};
  realtime_client c{
    {.rights = {.may_set =
                  [] {
                    return std::vector<std::string>{"instructions", "audio", "voice"};
                  },
                .preset = preset.dump()}}};
  const auto created = c.open().front()["session"];
  CHECK(created["instructions"] == "Speak slowly.");
  CHECK(created["audio"]["output"]["voice"] == "cedar");
  CHECK(created["audio"]["output"]["speed"] == 1.0);
  c.attach();
  const auto error = error_of(c.send(update({{"instructions", "Faster."}})));
  CHECK(error["code"] == "field_not_allowed");
  CHECK(error["param"] == "session.instructions");
  CHECK(error["message"].get<std::string>().find("fixed when") != std::string::npos);
  CHECK(error_of(c.send(update({{"audio", {{"output", {{"voice", "ash"}}}}}})))["param"]
        == "session.audio.output.voice");
  CHECK(types(c.send(
          update({{"instructions", "Speak slowly."}, {"audio", {{"output", {{"speed", 1.1}}}}}})))
        == "session.updated");
  c.send({{"type", "response.create"}});
  CHECK(c.command<request_response>().options->instructions == "Speak slowly.");
}

TEST_CASE("responses of a connection are made with what it has set") {
  realtime_client c;
  c.start();
  c.send(update({{"instructions", "Speak slowly."},
                 {"max_output_tokens", 99},
                 {"tool_choice", {{"type", "function"}, {"name", "look_up"}}},
                 {"tools",
                  {{{"type", "function"},
                    {"name", "look_up"},
                    {"description", "d"},
                    {"parameters", {{"type", "object"}}}}}}}));
  c.send({{"type", "response.create"}});
  const auto& options = *c.command<request_response>().options;
  CHECK(options.instructions == "Speak slowly.");
  CHECK(options.max_output_tokens == 99);
  CHECK(options.tool_choice == "look_up");
  REQUIRE(options.tools.size() == 1);
  CHECK(options.tools[0].parameters == R"({"type":"object"})");

  c.send({{"type", "response.create"},
          {"response", {{"instructions", "Once."}, {"tools", json::array()}}}});
  CHECK(c.command<request_response>().options->instructions == "Once.");
  CHECK(c.command<request_response>().options->tools.empty());
  c.send({{"type", "response.create"}});
  CHECK(c.command<request_response>().options->instructions == "Speak slowly.");
}

TEST_CASE("a plain client gets the stored items after its first session.updated, and once") {
  realtime_client c;
  c.journal({c.put(message("item_a", item_role::user, "hello")),
             c.put(message("item_b", item_role::assistant, "hi"))});
  c.open();
  CHECK(c.attach().empty());
  const auto frames = c.send(update(json::object()));
  CHECK(types(frames)
        == "session.updated conversation.item.added conversation.item.done "
           "conversation.item.added conversation.item.done");
  CHECK(frames[1]["previous_item_id"].is_null());
  CHECK(frames[3]["previous_item_id"] == "item_a");
  CHECK(frames[3]["item"]["content"] == json::parse(R"([{"type":"output_text","text":"hi"}])"));
  CHECK(types(c.send(update(json::object()))) == "session.updated");
}

TEST_CASE("a plain client that was faster than its session gets the stored items all the same") {
  realtime_client c;
  c.journal({c.put(message("item_a", item_role::user, "hello"))});
  c.open();
  CHECK(types(c.send(update(json::object()))) == "session.updated");
  CHECK(types(c.attach()) == "conversation.item.added conversation.item.done");
}
