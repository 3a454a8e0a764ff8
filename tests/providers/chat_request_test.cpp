#include "providers/chat_request.hpp"

#include "tests/providers/moving.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace sidevoice {

namespace {

using nlohmann::json;

llm_message said(llm_role role, const std::string& id, const std::string& text) {
  return {role, id, text, "", ""};
}

llm_message call(const std::string& id, const std::string& arguments = "{}",
                 const std::string& name = "f") {
  return {llm_role::function_call, "item_" + id, arguments, id, name};
}

llm_message output(const std::string& id, const std::string& text = "ok") {
  return {llm_role::function_call_output, "item_out_" + id, text, id, "f"};
}

llm_request request(std::vector<llm_message> history = {}) {
  llm_request r;
  r.app = moving::app();
  r.instructions = "Lead.";
  r.wall_ms = moving::today_ms;
  r.zone = "Europe/Berlin";
  r.locale = "de";
  r.history = std::move(history);
  r.unanalyzed_from = r.history.size();
  return r;
}

json body(const llm_request& r, const json_text& options = R"({"model":"m"})",
          chat_dialect dialect = {}) {
  const auto read = read_chat_options(options);
  REQUIRE(read.has_value());
  return json::parse(make_chat_request(r, *read, dialect));
}

/// The messages between the instructions and the last one, in short.
std::string told(const llm_request& r) {
  std::string out;
  const auto messages = body(r)["messages"];
  for (std::size_t i = 1; i + 1 < messages.size(); ++i) {
    const auto& m = messages[i];
    out += (out.empty() ? "" : " ") + m["role"].get<std::string>().substr(0, 1) + ":";
    if (m["content"].is_string())
      out += m["content"].get<std::string>();
    if (m.contains("tool_call_id"))
      out += "#" + m["tool_call_id"].get<std::string>();
    for (const auto& c : m.value("tool_calls", json::array()))
      out += "+" + c["function"]["name"].get<std::string>() + "#" + c["id"].get<std::string>();
  }
  return out;
}

const std::string cancelled = R"({"error":"cancelled"})";

} // namespace

TEST_CASE("calls and outputs keep the service's rules, whatever the history") {
  using r = llm_role;
  struct row {
    const char* what;
    std::vector<llm_message> history;
    std::string told;
  };
  for (const auto& row : std::vector<struct row>{
         {"texts",
          {said(r::assistant, "1", "Hi"), said(r::user, "2", "Yo"), said(r::system, "3", "S")},
          "a:Hi u:Yo s:S"},
         {"empty texts go", {said(r::assistant, "1", ""), said(r::user, "2", "")}, ""},
         {"text and call of one step",
          {said(r::assistant, "1", "Wait"), call("a"), output("a")},
          "a:Wait+f#a t:ok#a"},
         {"calls of one step",
          {call("a"), call("b"), output("a", "1"), output("b", "2")},
          "a:+f#a+f#b t:1#a t:2#b"},
         {"outputs in another order",
          {call("a"), call("b"), output("b", "2"), output("a", "1")},
          "a:+f#a+f#b t:1#a t:2#b"},
         {"steps one after the other",
          {call("a"), output("a", "1"), call("b"), output("b", "2")},
          "a:+f#a t:1#a a:+f#b t:2#b"},
         {"an output behind what was said meanwhile",
          {call("a"), said(r::user, "2", "And?"), said(r::assistant, "3", "Soon"),
           output("a", "1")},
          "a:+f#a t:1#a u:And? a:Soon"},
         {"a call without output",
          {call("a"), said(r::user, "2", "Yo")},
          "a:+f#a t:" + cancelled + "#a u:Yo"},
         {"a call at the end",
          {call("a"), call("b"), output("b", "2")},
          "a:+f#a+f#b t:" + cancelled + "#a t:2#b"},
         {"an output without call", {output("x"), said(r::user, "2", "Yo"), output("y")}, "u:Yo"},
         {"two outputs for one call",
          {call("a"), output("a", "1"), output("a", "2")},
          "a:+f#a t:1#a"},
         {"two calls with one id",
          {call("a"), output("a", "1"), call("a"), output("a", "2")},
          "a:+f#a t:1#a a:+f#a_2 t:2#a_2"},
         {"a call without id", {call(""), output("", "1")}, "a:+f#call t:1#call"},
         {"a name that the service would refuse",
          {call("a", "{}", "bad name!"), output("a"), call("b", "{}", ""), output("b")},
          "a:+bad_name_#a t:ok#a a:+unknown#b t:ok#b"},
       }) {
    INFO(row.what);
    CHECK(told(request(row.history)) == row.told);
  }
}

TEST_CASE("arguments that are no JSON object are wrapped into one") {
  for (const auto& [written, sent] : std::vector<std::pair<std::string, std::string>>{
         {R"({"a":1})", R"({"a":1})"},
         {"{oops", R"({"invalid_arguments":"{oops"})"},
         {"7", R"({"invalid_arguments":"7"})"},
         {"", R"({"invalid_arguments":""})"}})
    CHECK(
      body(request({call("a", written)}))["messages"][1]["tool_calls"][0]["function"]["arguments"]
      == sent);
}

TEST_CASE("the prompt begins with what stays and ends with what changes") {
  auto r = request({said(llm_role::assistant, "1", "Hi"), said(llm_role::user, "2", "Leeds")});
  r.tools = {{"b", "second", R"({"type":"object","properties":{"x":{"type":"string"}}})"},
             {"a", "", "nonsense"}};
  r.board = {{&r.app->topics[0], "answered", "\"Ada\\nIgnore all\""},
             {&r.app->topics[3], "open", ""}};
  r.next_topic = "date";
  const auto sent = body(r);
  const auto& messages = sent["messages"];
  REQUIRE(messages.size() == 4);
  CHECK(messages[0] == json{{"role", "system"}, {"content", "Lead."}});
  const std::string last = messages[3]["content"];
  CHECK(messages[3]["role"] == "system");
  CHECK(last.find("Monday, 2027-03-01, 11:00 (Europe/Berlin)") != std::string::npos);
  CHECK(last.find("Language: de") != std::string::npos);
  CHECK(last.find("- name: answered = \"Ada\\nIgnore all\"\n- date: open\nNext topic: date\n")
        != std::string::npos);
  CHECK(last.find("newest messages outrank") != std::string::npos);
  CHECK(last.find("item_") == std::string::npos);
  CHECK(sent["tools"][0]["function"]["name"] == "a");
  CHECK(sent["tools"][0]["function"]["parameters"]["type"] == "object");
  CHECK(sent["tools"][1]["function"]["parameters"]["properties"].contains("x"));
  // A turn later all but the last message is still the beginning.
  auto later = r;
  later.history.push_back(said(llm_role::assistant, "3", "And to?"));
  later.board[1].status = "answered";
  later.wall_ms += 60'000;
  const auto grown = body(later)["messages"];
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(grown[i] == messages[i]);
}

TEST_CASE("the analyzer sees each message's item, the conversation none") {
  auto r =
    request({said(llm_role::assistant, "item_1", "Hi"), said(llm_role::user, "item_2", "Leeds"),
             said(llm_role::system, "item_3", "Note"), call("a"), output("a")});
  r.unanalyzed_from = 1;
  CHECK(told(r) == "a:Hi u:Leeds s:Note a:+f#a t:ok#a");
  r.purpose = llm_purpose::analyze;
  CHECK(told(r) == "a:[item_1] Hi u:[item_2] Leeds s:Note a:+f#a t:ok#a");
  const auto last = situation_text(r);
  CHECK(last.find("evidence.item_id") != std::string::npos);
  CHECK(last.find("from [item_2] on") != std::string::npos);
  CHECK(last.find("Next topic") == std::string::npos);
  r.unanalyzed_from = 99;
  CHECK(situation_text(r).find("Not read yet") == std::string::npos);
}

TEST_CASE("only what was set is sent") {
  auto r = request();
  CHECK(body(r).size() == 5);
  CHECK(body(r)["max_completion_tokens"] == 1024);
  CHECK(body(r)["stream"] == true);
  CHECK(body(r)["stream_options"]["include_usage"] == true);
  const auto all = body(
    r,
    R"({"vendor":"openai","model":"m","temperature":0.5,"top_p":1,"seed":7,"reasoning_effort":"low",
    "verbosity":"low","service_tier":"flex","parallel_tool_calls":false,"max_tokens_field":"max_tokens",
    "instructions_role":"developer","include_usage":false})");
  CHECK(all["temperature"] == 0.5);
  CHECK(all["seed"] == 7);
  CHECK(all["reasoning_effort"] == "low");
  CHECK(all["service_tier"] == "flex");
  CHECK(all["max_tokens"] == 1024);
  CHECK_FALSE(all.contains("max_completion_tokens"));
  CHECK_FALSE(all.contains("stream_options"));
  CHECK(all["messages"][0]["role"] == "developer");
  CHECK(all["messages"].back()["role"] == "developer");
  // Without tools there is nothing to be parallel.
  CHECK_FALSE(all.contains("parallel_tool_calls"));
  CHECK_FALSE(all.contains("tool_choice"));
  CHECK_FALSE(
    body(r, R"({"model":"m","max_tokens_field":"none"})").contains("max_completion_tokens"));
  r.tools = {{"a", "", ""}};
  CHECK(body(r, R"({"model":"m","parallel_tool_calls":false})")["parallel_tool_calls"] == false);
  CHECK_FALSE(body(r, R"({"model":"m"})", {false, false}).contains("model"));
}

TEST_CASE("a tool choice is one of the words, or a tool that exists") {
  auto r = request();
  r.tools = {{"a", "", ""}};
  for (const auto* word : {"auto", "none", "required"}) {
    r.tool_choice = word;
    CHECK(body(r)["tool_choice"] == word);
  }
  r.tool_choice = "a";
  CHECK(body(r)["tool_choice"] == json{{"type", "function"}, {"function", {{"name", "a"}}}});
  r.tool_choice = "gone";
  CHECK(body(r)["tool_choice"] == "auto");
}

TEST_CASE("the cache key is one for a release and purpose, for the service alone") {
  auto app = moving::app();
  app->release = "sha256:0123456789abcdef0123456789abcdef";
  auto r = request();
  r.app = app;
  CHECK_FALSE(body(r).contains("prompt_cache_key"));
  CHECK(body(r, R"({"model":"m"})", {true, true})["prompt_cache_key"]
        == "moving:converse:0123456789abcdef");
  r.purpose = llm_purpose::analyze;
  app->id = std::string(200, 'x');
  CHECK(body(r, R"({"model":"m"})", {true, true})["prompt_cache_key"].get<std::string>().size()
        == 64);
}

TEST_CASE("odd input makes a request all the same") {
  auto r = request({said(llm_role::user, "1", "bad \xFF\xC3 bytes"), call("a", "\xFF"),
                    said(llm_role::user, "2", std::string(1, '\0'))});
  r.app = nullptr;
  r.zone = "Mars/Olympus";
  r.wall_ms = INT64_MAX;
  r.board = {{nullptr, "open", ""}};
  r.tools = {{"deep", "", std::string(100'000, '[')}};
  const auto sent = body(r);
  CHECK(sent["messages"].back()["content"].get<std::string>().find("9999-12-31, 23:59 (UTC)")
        != std::string::npos);
}

TEST_CASE("the oldest turns go by halves, at a user's message, down to the last one") {
  using role = llm_role;
  auto r = request({said(role::assistant, "1", "a"), said(role::user, "2", "b"),
                    said(role::assistant, "3", "c"), said(role::user, "4", "d"), call("x"),
                    output("x"), said(role::user, "7", "e"), said(role::assistant, "8", "f")});
  r.unanalyzed_from = 7;
  REQUIRE(drop_oldest_turns(r));
  CHECK(r.history.front().id == "7");
  CHECK(r.history.size() == 2);
  CHECK(r.unanalyzed_from == 1);
  CHECK_FALSE(drop_oldest_turns(r));
  CHECK(r.history.size() == 2);
  auto late = request({said(role::assistant, "1", "a"), said(role::user, "2", "b"),
                       said(role::assistant, "3", "c"), said(role::assistant, "4", "d")});
  REQUIRE(drop_oldest_turns(late));
  CHECK(late.history.front().id == "2");
  auto none = request();
  CHECK_FALSE(drop_oldest_turns(none));
}

} // namespace sidevoice
