#include "tests/gateway/realtime_client.hpp"
#include "tests/gateway/realtime_torture.hpp"

#include <random>

using namespace sidevoice;
using nlohmann::json;

namespace {

/// A frame that cannot be taken: an error that names its event where it has one, and the
/// connection goes on.
void check_bad(const std::string& frame, const std::string& code, const json& event_id = nullptr) {
  CAPTURE(frame.substr(0, 200));
  realtime_client c;
  c.start();
  const auto error = error_of(c.send_text(frame));
  CHECK(error["code"] == code);
  CHECK(error["event_id"] == event_id);
  CHECK(error["message"].get<std::string>().size() > 20);
  CHECK(c.commands.empty());
  CHECK(types(c.send({{"type", "session.update"}, {"session", {{"type", "realtime"}}}}))
        == "session.updated");
}

std::string user_message(const std::string& text_inside_quotes) {
  return R"({"type":"conversation.item.create","event_id":"e1","item":{"type":"message",)"
         R"("role":"user","content":[{"type":"input_text","text":")"
         + text_inside_quotes + R"("}]}})";
}

} // namespace

TEST_CASE("frames that are no JSON object are answered with invalid_json") {
  for (const auto* frame : {"", " ", "{", "[]", "7", "null", "\"text\"", "{'a':1}", "{\"a\":1}}",
                            "{\"a\":1,}", "{\"a\":1e999}", "// comment\n{}"})
    check_bad(frame, "invalid_json");
}

TEST_CASE("a binary frame is answered with an error") {
  realtime_client c;
  c.start();
  CHECK(error_of(c.take(c.codec->on_binary()))["code"] == "invalid_json");
}

TEST_CASE("invalid UTF-8, lone surrogates and NUL are refused") {
  check_bad(user_message("\xff\xfe"), "invalid_json");
  check_bad(user_message("\xc3"), "invalid_json");
  check_bad(user_message("\xed\xa0\x80"), "invalid_json");
  check_bad(user_message(R"(\ud800)"), "invalid_json");
  check_bad(user_message(R"(\udc00 x)"), "invalid_json");
  check_bad(user_message(R"(\u0000)"), "invalid_value", "e1");
  check_bad(user_message(std::string(1, '\0')), "invalid_json");
  check_bad(R"({"type":"session.update","a\u0000b":1})", "invalid_value");
}

TEST_CASE("every plane of Unicode passes") {
  realtime_client c;
  c.start();
  CHECK(c.send_text(user_message(R"(\u00fc \ud83d\ude00)"
                                 " \xf0\x9f\x98\x80"))
          .empty());
  CHECK(c.command<put_item>().value.text == "\xc3\xbc \xf0\x9f\x98\x80 \xf0\x9f\x98\x80");
}

TEST_CASE("a key that stands twice is refused") {
  check_bad(R"({"type":"session.update","event_id":"e2","type":"response.create"})", "invalid_json",
            "e2");
  check_bad(R"({"type":"session.update","session":{"type":"realtime","type":"realtime"}})",
            "invalid_json");
}

TEST_CASE("depth and size have limits") {
  check_bad(std::string(100'000, '['), "invalid_json");
  const auto nested = [](int depth) {
    std::string out = R"({"type":"session.update","session":{"type":"realtime","tracing":)";
    for (int i = 0; i < depth; ++i)
      out += R"({"a":)";
    out += "1" + std::string(static_cast<std::size_t>(depth), '}');
    return out + "}}";
  };
  check_bad(nested(31), "invalid_json");
  check_bad(user_message(std::string(1024 * 1024, 'x')), "invalid_value");
  realtime_client c;
  c.start();
  CHECK(types(c.send_text(nested(30))) == "session.updated");
  CHECK(c.send_text(user_message(std::string(60, '['))).empty());
}

TEST_CASE("unknown and mistyped events are named") {
  check_bad(R"({"event_id":"e1"})", "missing_required_parameter", "e1");
  check_bad(R"({"type":7,"event_id":"e1"})", "invalid_type", "e1");
  check_bad(R"({"type":"session.destroy","event_id":"e1"})", "invalid_value", "e1");
  check_bad(R"({"type":"response.create","event_id":7})", "invalid_type");
  check_bad(R"({"type":"response.create","event_id":")" + std::string(600, 'x') + "\"}",
            "invalid_value");
  check_bad(R"({"type":"response.create","event_id":"e1","mood":1})", "unknown_parameter", "e1");
  check_bad(R"({"type":"response.create","event_id":"e1","response":7})", "invalid_type", "e1");
  check_bad(R"({"type":"response.cancel","event_id":"e1","response_id":7})", "invalid_type", "e1");
  check_bad(R"({"type":"conversation.item.create","event_id":"e1"})", "missing_required_parameter",
            "e1");
  check_bad(R"({"type":"conversation.item.delete","event_id":"e1"})", "missing_required_parameter",
            "e1");
  check_bad(R"({"type":"conversation.item.retrieve","event_id":"e1","item_id":[]})", "invalid_type",
            "e1");
  check_bad(R"({"type":"conversation.item.truncate","event_id":"e1","item_id":"x",)"
            R"("content_index":0,"audio_end_ms":-1})",
            "invalid_value", "e1");
}

TEST_CASE("what belongs to WebRTC is refused with what to do instead") {
  realtime_client c;
  c.start();
  const auto error = error_of(c.send({{"type", "output_audio_buffer.clear"}, {"event_id", "a1"}}));
  CHECK(error["code"] == "invalid_value");
  CHECK(error["param"] == "type");
  CHECK(error["event_id"] == "a1");
  CHECK(error["message"].get<std::string>().find("conversation.item.truncate")
        != std::string::npos);
}

TEST_CASE("a burst of events without an answer is bounded") {
  realtime_client c;
  c.start();
  for (int i = 0; i < 256; ++i)
    CHECK(c.send_text(user_message("x")).empty());
  const auto error = error_of(c.send_text(user_message("x")));
  CHECK(error["code"] == "rate_limit_exceeded");
  CHECK(error["event_id"] == "e1");
  c.accept();
  CHECK(c.send_text(user_message("x")).empty());
}

TEST_CASE("mutated frames never break the protocol") {
  const std::vector<std::string> seeds{
    R"({"type":"session.update","session":{"type":"realtime","tools":[{"type":"function","name":"f"}]}})",
    user_message("hello"),
    R"({"type":"conversation.item.create","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_text","text":"x"}]},"answer":true})",
    R"({"type":"conversation.item.delete","item_id":"i"})",
    R"({"type":"conversation.item.retrieve","item_id":"i"})",
    R"({"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":1})",
    R"({"type":"response.create","response":{"metadata":{"a":"b"},"max_output_tokens":5}})",
    R"({"type":"response.cancel","response_id":"r"})",
    R"({"type":"sidevoice.session.resume","after_seq":0,"store":"store"})",
    R"({"type":"sidevoice.topic.update","topic":"date","value":[1,{"a":null}],"base_revision":0})",
    R"({"type":"sidevoice.topic.undo","event_id":"e"})",
    R"({"type":"sidevoice.session.end","reason":"left"})"};
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 400; ++round) {
    std::string input;
    for (std::size_t i = 0, lines = 1 + below(6); i < lines; ++i)
      input += seeds[below(seeds.size())] + "\n";
    for (std::size_t i = 0, changes = below(4); i < changes; ++i) {
      const auto at = below(input.size());
      const auto length = below(8);
      if (below(2) == 0)
        input.replace(at, length, input.substr(below(input.size()), below(24)));
      else
        input[at] = static_cast<char>(random());
    }
    CAPTURE(input);
    CHECK(torture_realtime(input) == "");
  }
}
