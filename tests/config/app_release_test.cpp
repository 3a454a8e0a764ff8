#include "tests/config/app_corpus.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

using namespace sidevoice;
using namespace sidevoice::test;

using nlohmann::ordered_json;

namespace {

/// Field by field, so that a failure names the one. Private members are none: the struct is plain.
void check_equal(const app_definition& a, const app_definition& b) {
  CHECK(a.id == b.id);
  CHECK(a.title == b.title);
  CHECK(a.language == b.language);
  CHECK(a.other_languages == b.other_languages);
  CHECK(a.conversation_instructions == b.conversation_instructions);
  CHECK(a.greeting == b.greeting);
  CHECK(a.analyzer_instructions == b.analyzer_instructions);
  CHECK(a.topics == b.topics);
  CHECK(a.complete_say == b.complete_say);
  CHECK(a.complete_summary == b.complete_summary);
  CHECK(a.conversation_models == b.conversation_models);
  CHECK(a.analyzer_models == b.analyzer_models);
  CHECK(a.page_accent == b.page_accent);
  CHECK(a.page_notice == b.page_notice);
  CHECK(a.tools == b.tools);
  CHECK(a.conversation_tools == b.conversation_tools);
  CHECK(a.analyzer_tools == b.analyzer_tools);
  CHECK(a.max_tool_rounds == b.max_tool_rounds);
  CHECK(a.analyzes_partial == b.analyzes_partial);
  CHECK(a.release == b.release);
  CHECK(a.release_body == b.release_body);
}

void check_comes_back(const app_load& loaded) {
  INFO(listing(loaded.faults));
  REQUIRE(loaded.app);
  const auto again = read_release(loaded.app->release_body);
  INFO((again ? std::string{} : again.error().detail));
  REQUIRE(again.has_value());
  check_equal(*loaded.app, **again);
}

std::string letters(std::mt19937& random, std::size_t most) {
  std::string out(1 + random() % most, ' ');
  for (auto& c : out)
    c = static_cast<char>('a' + random() % 26);
  return out;
}

/// An app with random topics, tools and texts, its keys in random order.
ordered_json random_app(std::mt19937& random) {
  auto topics = ordered_json::array();
  for (unsigned i = 0; i < 1 + random() % 12; ++i) {
    ordered_json topic;
    const auto id = "t" + std::to_string(i);
    switch (random() % 5) {
      case 0:
        topic = {{"type", "choice"}, {"id", id}, {"choices", {{letters(random, 5), {"w" + id}}}}};
        break;
      case 1:
        topic = {
          {"id", id}, {"max", random() % 90 + 10}, {"type", "integer"}, {"min", random() % 9}};
        break;
      case 2:
        topic = {
          {"type", "money"}, {"currency", "EUR"}, {"id", id}, {"sensitive", random() % 2 == 0}};
        break;
      case 3:
        topic = {{"id", id},
                 {"type", "object"},
                 {"schema",
                  {{"type", "object"},
                   {"properties", {{"z", {{"type", "string"}}}, {"a", true}}}}}};
        break;
      default:
        topic = {{"label", letters(random, 100)}, {"id", id}, {"list", random() % 2 == 0}};
    }
    if (i > 0 && random() % 2 == 0)
      topic["after"] = {"t" + std::to_string(random() % i)};
    topics.push_back(topic);
  }
  auto tools = ordered_json::object();
  auto names = ordered_json::array();
  for (unsigned i = 0; i < random() % 5; ++i) {
    const auto name = letters(random, 8) + std::to_string(i);
    tools[name] = {{"description", letters(random, 50)},
                   {"kind", random() % 2 == 0 ? "client" : "webhook"},
                   {"effects", random() % 2 == 0},
                   {"parameters",
                    {{"type", "object"},
                     {"properties", {{"b", true}, {"a", {{"enum", {1, "x"}}}}}}}}};
    if (tools[name]["kind"] == "webhook")
      tools[name]["url"] = "${env:" + letters(random, 9) + "|http://localhost}/"
                           + letters(random, 9);
    names.push_back(name);
  }
  return {{"tools", tools},
          {"conversation", {{"tools", names}, {"instructions", letters(random, 3000)}}},
          {"checklist", {{"topics", topics}}},
          {"app", letters(random, 20)},
          {"page", {{"notice", letters(random, 400)}}}};
}

} // namespace

TEST_CASE("a release gives the app that it was made of, for all examples") {
  for (const auto& path : good_files()) {
    CAPTURE(path);
    check_comes_back(load_app(path, {"dev", variables()}));
  }
}

TEST_CASE("a release gives the app that it was made of, for random apps") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    check_comes_back(load_text(random_app(random).dump()));
  }
}

TEST_CASE("a release holds long texts and references as they were written, but nothing of live") {
  const temporary_folder folder;
  const std::string text(300'000, 'x');
  folder.write("host.md", text);
  folder.write("app.jsonc", with(R"(
    "conversation": { "instructions": { "file": "host.md" }, "tools": ["t"] },
    "tools": { "t": { "kind": "webhook", "description": "d", "url": "${env:SHOP}/x" } },
    "live": { "access": { "server_keys": ["${env:KEY}"], "origins": ["https://a.example"] } },
    "profiles": { "dev": { "title": "In dev" } })"));
  const auto loaded =
    load_app(folder.path().string(),
             {"dev", variables({{"KEY", canary}, {"SHOP", "https://shop.example"}})});
  check_comes_back(loaded);
  const auto& body = loaded.app->release_body;
  CHECK(body.find(text) != std::string::npos);
  CHECK(body.find("${env:SHOP}/x") != std::string::npos);
  CHECK(body.find("\"title\":\"In dev\"") != std::string::npos);
  for (const auto* part : {canary, "shop.example", "a.example", "\"live\"", "\"profiles\""})
    CHECK(body.find(part) == std::string::npos);
}

TEST_CASE("what is no release is damaged, and says where") {
  for (const std::string body :
       {"", "[]", "{", "{}", R"({"app":"a"})", R"({"app":"a","checklist":{"topics":[]}})",
        R"({"app":"a","checklist":{"topics":[{"id":"x"}]},"live":{}})",
        R"({"app":"a","checklist":{"topics":[{"id":"x"}]},"profiles":{}})",
        R"({"app":"a","checklist":{"topics":[{"id":"x"}]},"conversation":{"instructions":5}})"}) {
    CAPTURE(body);
    const auto refused = read_release(body);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::damaged);
  }
}

TEST_CASE("a release names no file: its own instructions are in it") {
  const auto refused = read_release(
    R"({"app":"a","checklist":{"topics":[{"id":"x"}]},"conversation":{"instructions":{"file":"host.md"}}})");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::damaged);
}
