#include "tests/providers/fake_support.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace sidevoice;
using namespace sidevoice::test;
using nlohmann::json;

namespace {

constexpr auto tools = R"("tools":[{"type":"function","function":{"name":"look_up","parameters":
  {"type":"object","properties":{"city":{"type":"string","enum":["Oslo","Rome"]},
   "days":{"type":"integer","minimum":2},"note":{"type":"string"}},
   "required":["city","days"]}}}])";

} // namespace

TEST_CASE("without a script the fake repeats what the user said, whole and streamed") {
  fake_openai fake{{}};
  const auto whole = fake.answer(ask("hello there"));
  CHECK(whole.status == 200);
  CHECK(*whole.content_length == whole.bytes().size());
  CHECK(json_of(whole)["choices"][0]["message"]["content"] == "You said: hello there");
  CHECK(json_of(whole)["created"] == 1'790'000'000);
  CHECK(json_of(whole)["usage"]["total_tokens"] > 0);

  const auto stream = fake.answer(ask("hello there", R"("stream":true)"));
  CHECK_FALSE(stream.content_length);
  CHECK(stream.field("Content-Type") == "text/event-stream; charset=utf-8");
  CHECK(text_of(stream) == "You said: hello there");
  const auto events = events_of(stream);
  CHECK(events.back() == "[DONE]");
  CHECK(json::parse(events.front())["choices"][0]["delta"]["role"] == "assistant");
  CHECK(json::parse(events[events.size() - 2])["choices"][0]["finish_reason"] == "stop");
}

TEST_CASE("usage comes as one last chunk without choices where it was asked for") {
  fake_openai fake{{}};
  const auto with =
    events_of(fake.answer(ask("hi", R"("stream":true,"stream_options":{"include_usage":true})")));
  const auto last = json::parse(with[with.size() - 2]);
  CHECK(last["choices"].empty());
  CHECK(last["usage"]["prompt_tokens"] > 0);
  CHECK(json::parse(with.front())["usage"].is_null());
  const auto without = events_of(fake.answer(ask("hi", R"("stream":true)")));
  CHECK(without.size() == with.size() - 1);
}

TEST_CASE("a forced function is called with the smallest arguments that fit its schema") {
  fake_openai fake{{}};
  for (const auto* choice :
       {R"("required")", R"({"type":"function","function":{"name":"look_up"}})"}) {
    const auto answer =
      json_of(fake.answer(ask("hi", std::string{tools} + R"(,"tool_choice":)" + choice)));
    const auto call = answer["choices"][0]["message"]["tool_calls"][0];
    CHECK(call["function"]["name"] == "look_up");
    CHECK(json::parse(call["function"]["arguments"].get<std::string>())
          == json{{"city", "Oslo"}, {"days", 2}});
    CHECK(answer["choices"][0]["finish_reason"] == "tool_calls");
  }
  CHECK_FALSE(
    json_of(fake.answer(ask("hi", tools)))["choices"][0]["message"].contains("tool_calls"));
}

TEST_CASE("a wanted JSON answer is JSON that fits") {
  fake_openai fake{{}};
  const auto text = [&](const std::string& format) {
    const auto answer = json_of(fake.answer(ask(R"(a "quote")", R"("response_format":)" + format)));
    return json::parse(answer["choices"][0]["message"]["content"].get<std::string>());
  };
  CHECK(text(R"({"type":"json_object"})")["answer"] == R"(You said: a "quote")");
  CHECK(text(R"({"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object",
    "properties":{"ok":{"type":"boolean"},"list":{"type":"array","minItems":2,
    "items":{"type":"number","exclusiveMinimum":3}}},"required":["ok","list"]}}})")
        == json{{"ok", false}, {"list", {4.0, 4.0}}});
}

TEST_CASE("lists within lists that each ask for items do not grow without end") {
  std::string schema = R"({"type":"string"})";
  for (int i = 0; i < 30; ++i)
    schema = R"({"type":"array","minItems":16,"items":)" + schema + "}";
  fake_openai fake{{}};
  const auto answer = fake.answer(
    ask("hi", R"("response_format":{"type":"json_schema","json_schema":{"name":"x","schema":)"
                + schema + "}}"));
  CHECK(answer.status == 200);
  CHECK(answer.bytes().size() < 1'000'000);
}

TEST_CASE("parallel calls are streamed by index, their arguments in pieces, each with its id") {
  auto fake = fake_with(R"([{"answer":{"tool_calls":[
    {"name":"a","arguments":{"said":"{{last_user}}"}}, {"name":"b","arguments":"{broken {{"}]}}])");
  const auto events = events_of(fake.answer(ask("a \"b\"", R"("stream":true)")));
  std::vector<std::string> arguments(2);
  std::vector<std::string> ids(2);
  for (const auto& event : events) {
    const auto chunk = json::parse(event, nullptr, false);
    if (chunk.is_discarded() || !chunk["choices"][0]["delta"].contains("tool_calls"))
      continue;
    const auto call = chunk["choices"][0]["delta"]["tool_calls"][0];
    const auto index = call["index"].get<std::size_t>();
    arguments.at(index) += call["function"]["arguments"].get<std::string>();
    if (call.contains("id"))
      ids.at(index) += call["id"].get<std::string>();
  }
  CHECK(json::parse(arguments[0]) == json{{"said", "a \"b\""}});
  CHECK(arguments[1] == "{broken {{");
  CHECK(ids[0] != ids[1]);
  CHECK(json::parse(events[events.size() - 2])["choices"][0]["finish_reason"] == "tool_calls");
}

TEST_CASE("rules are tried in their order, each as often as it may be") {
  auto fake = fake_with(R"({"rules":[
    {"match":{"call":2},"answer":{"text":"second"}},
    {"match":{"last_user":"WEATHER"},"answer":{"text":"rain"},"times":1},
    {"match":{"model":"other"},"answer":{"text":"other"}},
    {"match":{"tool":"look_up"},"answer":{"text":"a tool"}},
    {"match":{"stream":true},"answer":{"text":"streamed"}}]})");
  const auto said = [&](const std::string& text, const std::string& more = "") {
    return json_of(fake.answer(ask(text, more)))["choices"][0]["message"]["content"]
      .get<std::string>();
  };
  CHECK(said("the weather?") == "rain");
  CHECK(said("the weather?") == "second");
  CHECK(said("the weather?") == "You said: the weather?");
  CHECK(said("x", tools) == "a tool");
  CHECK(text_of(fake.answer(ask("x", R"("stream":true)"))) == "streamed");
  fake.answer(post("/fake/reset", ""));
  CHECK(said("weather") == "rain");
}

TEST_CASE("Azure's forms are served, with its key, its filter results and its errors") {
  fake_openai fake{{.key = "k"}, read_fake_script(R"({"models":["mine"]})").script};
  auto request = ask("hi", R"("stream":true)");
  request.path = "/openai/deployments/mine/chat/completions";
  request.query = {{"api-version", "2024-10-21"}};
  CHECK(error_of(fake.answer(request)) == "401 401 -");
  request.fields = {{"Api-Key", "k"}};
  const auto answer = fake.answer(request);
  CHECK(text_of(answer) == "You said: hi");
  const auto first = json::parse(events_of(answer).front());
  CHECK(first["choices"].empty());
  CHECK(first["prompt_filter_results"][0]["content_filter_results"]["hate"]["filtered"] == false);
  CHECK(json::parse(events_of(answer)[1])["model"] == "mine");

  request.query.clear();
  CHECK(fake.answer(request).status == 404);
  request.query = {{"api-version", "2024-10-21"}};
  request.path = "/openai/deployments/other/chat/completions";
  CHECK(error_of(fake.answer(request)) == "404 DeploymentNotFound -");
  request.path = "/openai/v1/chat/completions";
  CHECK(error_of(fake.answer(request)) == "404 model_not_found model");
  request.path = "/v1/chat/completions";
  CHECK(error_of(fake.answer(request)) == "401 invalid_api_key -");
}

TEST_CASE("tests can read what was asked, without its key, and how it ended") {
  auto fake = fake_with("[]", {.key = "secret-key"});
  auto request = ask("hi");
  request.fields = {{"Authorization", "Bearer secret-key"}, {"X-Extra", "seen"}};
  const auto first = fake.answer(request);
  const auto second = fake.answer(request);
  fake.ended(first.number, true);
  fake.ended(second.number, false);
  auto odd = request;
  odd.body = "not json \xff";
  fake.answer(odd);

  auto read = get("/fake/requests");
  CHECK(fake.answer(read).status == 401);
  read.fields = {{"api-key", "secret-key"}};
  const auto answer = fake.answer(read);
  CHECK(answer.bytes().find("secret-key") == std::string::npos);
  const auto log = json_of(answer);
  REQUIRE(log.size() == 3);
  CHECK(log[0]["body"]["messages"][0]["content"] == "hi");
  CHECK(log[0]["headers"]["x-extra"] == "seen");
  CHECK(log[0]["state"] == "sent");
  CHECK(log[1]["state"] == "left");
  CHECK(log[2]["status"] == 400);
  CHECK(log[2]["body"].is_string());
  for (int i = 0; i < 150; ++i)
    fake.answer(request);
  CHECK(json_of(fake.answer(read)).size() == 100);
}

TEST_CASE("models are those of the script") {
  auto fake = fake_with(R"({"models":["a","b"]})");
  CHECK(json_of(fake.answer(get("/v1/models")))["data"][1]["id"] == "b");
  CHECK(json_of(fake.answer(get("/v1/models/a")))["id"] == "a");
  CHECK(error_of(fake.answer(get("/v1/models/c"))) == "404 model_not_found model");
  CHECK(json_of(fake_openai{{}}.answer(get("/openai/v1/models")))["object"] == "list");
}
