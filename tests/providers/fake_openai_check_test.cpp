#include "tests/providers/fake_support.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

struct row {
  const char* body;
  const char* error;
};

std::string outcome(const std::string& body) {
  fake_openai fake{{}};
  const auto answer = fake.answer(post("/v1/chat/completions", body));
  return answer.status == 200 ? "200" : error_of(answer);
}

/// A conversation of these messages.
std::string talk(const std::string& messages) {
  return outcome(R"({"model":"m","messages":[)" + messages + "]}");
}

constexpr auto user = R"({"role":"user","content":"hi"})";
constexpr auto two_calls = R"({"role":"assistant","content":null,"tool_calls":[
  {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},
  {"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]})";
constexpr auto first = R"({"role":"tool","tool_call_id":"c1","content":"1"})";
constexpr auto second =
  R"({"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"2"}]})";

std::string join(std::initializer_list<const char*> messages) {
  std::string out;
  for (const auto* message : messages)
    out += (out.empty() ? "" : ",") + std::string{message};
  return out;
}

} // namespace

TEST_CASE("what the service refuses is refused with the field and the code") {
  const std::vector<row> table = {
    {"", "400 - -"},
    {"{\"model\":\"\xff\"}", "400 - -"},
    {"[]", "400 - -"},
    {R"({"messages":[]})", "400 missing_required_parameter model"},
    {R"({"model":"m"})", "400 missing_required_parameter messages"},
    {R"({"model":7,"messages":[]})", "400 invalid_type model"},
    {R"({"model":"m","messages":{}})", "400 invalid_type messages"},
    {R"({"model":"m","messages":[]})", "400 empty_array messages"},
    {R"({"model":"m","messages":[7]})", "400 invalid_type messages[0]"},
    {R"({"model":"m","messages":[{"content":"x"}]})",
     "400 missing_required_parameter messages[0].role"},
    {R"({"model":"m","messages":[{"role":"robot","content":"x"}]})",
     "400 invalid_value messages[0].role"},
    {R"({"model":"m","messages":[{"role":"user"}]})",
     "400 missing_required_parameter messages[0].content"},
    {R"({"model":"m","messages":[{"role":"user","content":7}]})",
     "400 invalid_type messages[0].content"},
    {R"({"model":"m","messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"x"}}]}]})",
     "400 invalid_value messages[0].content[0].type"},
    {R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})",
     "400 missing_required_parameter messages[0].content[0].image_url.url"},
  };
  for (const auto& one : table)
    CHECK_MESSAGE(outcome(one.body) == one.error, std::string{one.body});
}

TEST_CASE("fields beside the messages are checked as well") {
  const std::vector<row> table = {
    {R"("made_up":1)", "400 - -"},
    {R"("stream":"yes")", "400 invalid_type stream"},
    {R"("stream_options":{"include_usage":true})", "400 - stream_options"},
    {R"("temperature":2.5)", "400 decimal_above_max_value temperature"},
    {R"("top_p":-1)", "400 decimal_below_min_value top_p"},
    {R"("max_completion_tokens":0)", "400 integer_below_min_value max_completion_tokens"},
    {R"("max_tokens":1,"max_completion_tokens":1)", "400 invalid_parameter_combination max_tokens"},
    {R"("n":2)", "400 unsupported_value n"},
    {R"("tools":[])", "400 empty_array tools"},
    {R"("tool_choice":"auto")", "400 - tool_choice"},
    {R"("parallel_tool_calls":true)", "400 - parallel_tool_calls"},
    {R"("tools":[{"type":"function","function":{"name":"no blanks"}}])",
     "400 invalid_value tools[0].function.name"},
    {R"("tools":[{"type":"function","function":{"name":"f","strict":true,
      "parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}])",
     "400 invalid_function_parameters tools[0].function.parameters"},
    {R"("tools":[{"type":"function","function":{"name":"f"}}],
      "tool_choice":{"type":"function","function":{"name":"g"}})",
     "400 - tool_choice"},
    {R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"always")",
     "400 invalid_value tool_choice"},
    {R"("response_format":{"type":"xml"})", "400 invalid_value response_format.type"},
    {R"("response_format":{"type":"json_schema"})",
     "400 missing_required_parameter response_format.json_schema.name"},
    // Null is as good as absent.
    {R"("temperature":null,"tools":null,"stop":null,"stream":null)", "200"},
  };
  fake_openai fake{{}};
  for (const auto& one : table) {
    const auto answer = fake.answer(ask("hi", one.body));
    CHECK_MESSAGE((answer.status == 200 ? "200" : error_of(answer)) == one.error,
                  std::string{one.body});
  }
}

TEST_CASE("every tool call is answered once, by the messages that follow it") {
  CHECK(talk(join({user, two_calls, first, second})) == "200");
  CHECK(talk(join({user, two_calls, second, first, user})) == "200");
  CHECK(talk(join({user, two_calls, first})) == "400 - messages");
  CHECK(talk(join({user, two_calls, first, user, second})) == "400 - messages");
  CHECK(talk(join({user, two_calls})) == "400 - messages");
  CHECK(talk(join({user, first})) == "400 - messages[1].role");
  CHECK(talk(join({user, two_calls, first, first, second})) == "400 - messages[3].role");
  CHECK(talk(join({user, two_calls, R"({"role":"tool","content":"1"})"}))
        == "400 missing_required_parameter messages[2].tool_call_id");
  CHECK(talk(join({user, R"({"role":"assistant","content":null})"}))
        == "400 invalid_type messages[1].content");
  CHECK(talk(join({user, R"({"role":"assistant","tool_calls":[]})"}))
        == "400 empty_array messages[1].tool_calls");
  CHECK(talk(join({user, R"({"role":"assistant","tool_calls":[
    {"id":"c","type":"function","function":{"name":"f","arguments":{}}}]})"}))
        == "400 invalid_type messages[1].tool_calls[0].function.arguments");
}

TEST_CASE("nesting that would exhaust a stack is no JSON here") {
  const std::string deep(100'000, '[');
  CHECK(outcome(deep + std::string(deep.size(), ']')) == "400 - -");
  CHECK(outcome(R"({"model":"m","messages":[{"role":"user","content":"[[[[ \" ]"}]})") == "200");
}

TEST_CASE("keys, paths and methods are refused as the service does") {
  fake_openai fake{{.key = "right"}};
  auto request = ask("hi");
  CHECK(error_of(fake.answer(request)) == "401 invalid_api_key -");
  request.fields = {{"Authorization", "Bearer wrong"}};
  CHECK(error_of(fake.answer(request)) == "401 invalid_api_key -");
  request.fields = {{"api-key", "right"}};
  CHECK(error_of(fake.answer(request)) == "401 invalid_api_key -");
  request.fields = {{"AUTHORIZATION", "Bearer right"}};
  CHECK(fake.answer(request).status == 200);
  request.method = "GET";
  CHECK(error_of(fake.answer(request)) == "405 method_not_supported -");
  CHECK(error_of(fake.answer(post("/v1/embeddings", "{}"))) == "404 unknown_url -");
  CHECK(error_of(fake.answer(get("/\xff"))) == "404 unknown_url -");
}
