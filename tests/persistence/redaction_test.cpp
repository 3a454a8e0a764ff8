#include "persistence/redaction.hpp"

#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace sidevoice;
using nlohmann::json;

namespace {

const std::string canary = "Ann's number is 555 0199";

/// The same body with the canary in every text that a person, a model or a client can choose.
event_body planted(const event_body& body) {
  auto whole = json::parse(encode(body));
  const std::set<std::string> ours = {"kind", "role", "status", "by", "runner", "resumes"};
  const std::function<void(json&, const std::string&)> plant = [&](json& value,
                                                                   const std::string& key) {
    if (value.is_string() && ours.count(key) == 0)
      value = key == "value" || key == "arguments" || key == "result"
                ? json{{canary, json::array({canary, 7, {{canary, canary}}})}}.dump()
                : canary;
    else if (value.is_structured())
      for (auto& member : value.items())
        plant(member.value(), value.is_array() ? key : member.key());
  };
  plant(whole, {});
  const auto read = decode(type_of(body), version_of(body), whole.dump());
  REQUIRE(read.has_value());
  return *read;
}

} // namespace

TEST_CASE("what was said stands in no field of a redacted event") {
  std::size_t places = 0;
  for (const auto& body : samples::one_of_each()) {
    CAPTURE(type_of(body));
    if (std::holds_alternative<erased>(body))
      continue;
    const auto full = planted(body);
    redaction clean{{"book", "date"}};
    const auto text = clean.event(full);
    CHECK(text.find("Ann") == std::string::npos);
    CHECK(text.find("555") == std::string::npos);
    for (auto at = encode(full).find("Ann"); at != std::string::npos;
         at = encode(full).find("Ann", at + 1))
      ++places;
    // Its structure stays.
    CHECK(json::parse(text).size() == json::parse(encode(full)).size());
  }
  // The test has planted what it looks for.
  CHECK(places > 60);
}

TEST_CASE("ids, types, numbers and reasons stay") {
  redaction clean{{"book", "date"}};
  const auto done = json::parse(clean.event(
    response_done{"resp_1", response_status::cancelled, "turn_detected", {.input = 7}}));
  CHECK(done["response"] == "resp_1");
  CHECK(done["reason"] == "turn_detected");
  CHECK(done["usage"]["input"] == 7);
  const auto put = json::parse(
    clean.event(item_put{"10", {.id = "item_1", .text = "Zo\xc3\xab", .response = "resp_1"}}));
  CHECK(put["item"]["id"] == "item_1");
  CHECK(put["item"]["text"] == "[3 characters]");
  const auto topic = json::parse(clean.event(topic_updated{
    .topic = "date", .value = R"({"amount":1200,"unit":"EUR"})", .evidence = {.quote = "twelve"}}));
  CHECK(topic["topic"] == "date");
  CHECK(topic["value"] == "[object of 2: number, text of 3 characters]");
  CHECK(topic["evidence"]["quote"] == "[6 characters]");
}

TEST_CASE("an id that is none gets a number, the same each time") {
  redaction clean{{}};
  CHECK(clean.id("in_1") == "in_1");
  CHECK(clean.id("") == "");
  const auto first = clean.id("my name is Ann");
  CHECK(first == "[id 1]");
  CHECK(clean.id("another of these") == "[id 2]");
  CHECK(clean.id("my name is Ann") == first);
}

TEST_CASE("a tool's name stays where the app has such a tool; a model may invent others") {
  const redaction clean{{"book"}};
  CHECK(clean.name("book") == "book");
  CHECK(clean.name("call_ann_now") == "[12 characters]");
}

TEST_CASE("shapes are bounded and show no keys") {
  CHECK(redaction::shape_of("") == "");
  CHECK(redaction::shape_of("{") == "[no JSON, 1 characters]");
  CHECK(redaction::shape_of("null") == "[null]");
  CHECK(redaction::shape_of(R"({"secret": [true, {"deep": {"deeper": {"x": "y"}}}]})")
        == "[object of 1: [list of 2: flag, [object of 1: [object of 1: [object of 1]]]]]");
  CHECK(redaction::shape_of(json(std::vector<int>(1000, 1)).dump()).size() < 250);
}

TEST_CASE("an app keeps its structure and names, not its texts") {
  const auto body = R"({"app": "moving",
    "conversation": {"instructions": "Be kind to Ann", "tools": ["book"], "max_tool_rounds": 4},
    "checklist": {"topics": [{"id": "date", "type": "date", "label": "When?"}]},
    "models": {"conversation": ["openai:gpt-4.1-mini"]},
    "tools": {"book": {"kind": "webhook", "url": "https://shop.example/x", "effect": "once"}}})";
  const auto app = json::parse(redaction::app(body));
  CHECK(app["app"] == "moving");
  CHECK(app["conversation"]["instructions"] == "[14 characters]");
  CHECK(app["conversation"]["tools"][0] == "book");
  CHECK(app["conversation"]["max_tool_rounds"] == 4);
  CHECK(app["checklist"]["topics"][0]["type"] == "date");
  CHECK(app["checklist"]["topics"][0]["label"] == "[5 characters]");
  CHECK(app["models"]["conversation"][0] == "openai:gpt-4.1-mini");
  CHECK(app["tools"]["book"]["kind"] == "webhook");
  CHECK(app["tools"]["book"]["url"] == "[22 characters]");
  CHECK(redaction::app("broken") == "null");
  const auto names = names_of_app(body);
  CHECK(names.count("book") == 1);
  CHECK(names.count("date") == 1);
}
