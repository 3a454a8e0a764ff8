#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

struct example {
  std::string text;
  std::size_t line;
  std::string key;
  /// Parts of what is said.
  std::string found;
  std::string remedy;
};

/// Each text has exactly the one fault.
void check_each(const std::vector<example>& examples) {
  for (const auto& wanted : examples) {
    CAPTURE(wanted.text);
    const auto loaded = load_text(wanted.text);
    CHECK_FALSE(loaded.app);
    auto faults = loaded.faults;
    std::erase_if(faults, [](const app_fault& f) { return f.warning; });
    CAPTURE(listing(faults));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].line == wanted.line);
    CHECK(faults[0].key == wanted.key);
    CHECK(faults[0].found.find(wanted.found) != std::string::npos);
    CHECK(faults[0].remedy.find(wanted.remedy) != std::string::npos);
    CHECK(faults[0].file.ends_with("app.jsonc"));
  }
}

std::string live(const std::string& access) {
  return with(R"("live": { "access": { )" + access + " } }");
}

} // namespace

TEST_CASE("faults of the file as a whole name line, key and remedy") {
  check_each({
    {"{\n\"app\": \"a\"\n\"title\": \"b\" }", 3, "", "\"", "write a comma"},
    {"{ \"app\": \"a\",\n\"app\": \"b\" }", 2, "app", "a second time", "keep one"},
    {"[]", 1, "", "a list", "write an object"},
    {R"({ "checklist": { "topics": [ { "id": "x" } ] } })", 1, "app", "nothing",
     "add the app's id"},
    {"{\n\"app\": \"a\" }", 1, "checklist", "nothing", "add \"checklist\""},
    {"{ \"app\": \"a\",\n\"checklist\": {} }", 2, "checklist.topics", "nothing", "add \"topics\""},
    {"{ \"app\": \"a\",\n\"checklist\": { \"topics\": [] } }", 2, "checklist.topics", "0 topics",
     "declare 1 to 200"},
    {with(R"("titel": "b")"), 2, "titel", "an unknown key", "did you mean \"title\"?"},
    {with(R"("zebra": "b")"), 2, "zebra", "an unknown key", "keys here: $schema, analyzer"},
    {with(R"("title": 5)"), 2, "title", "a number", "text in double quotes"},
    {with(R"("title": "")"), 2, "title", "an empty text", "write something"},
    {with(R"("language": "english")"), 2, "language", "\"english\"", "\"en\""},
    {with(R"("language": { "defualt": "en" })"), 2, "language.defualt", "an unknown key",
     "\"default\""},
    {with(R"("voice": [])"), 2, "voice", "a list", "an object"},
    {with(R"("tools": "none")"), 2, "tools", "a text", "an object"},
    {with(R"("page": { "accent": "green" })"), 2, "page.accent", "\"green\"", "#0a7d5a"},
    {with(R"("page": { "acent": "#fff" })"), 2, "page.acent", "an unknown key", "\"accent\""},
  });
  CHECK(load_text(R"({ "app": "Moving", "checklist": { "topics": [ { "id": "x" } ] } })")
          .faults.at(0)
          .remedy.find("small letter")
        != std::string::npos);
}

TEST_CASE("faults of the agents and their models name line, key and remedy") {
  check_each({
    {with(R"("conversation": { "greetings": "Hi" })"), 2, "conversation.greetings",
     "an unknown key", "\"greeting\""},
    {with("\"conversation\": {\n\"greeting\": \"" + std::string(2001, 'x') + "\" }"), 3,
     "conversation.greeting", "2001 characters", "shorten it to 2000"},
    {with(R"("conversation": { "tools": {} })"), 2, "conversation.tools", "an object", "a list"},
    {with(R"("conversation": { "max_tool_rounds": "4" })"), 2, "conversation.max_tool_rounds",
     "a text", "a number"},
    {with(R"("conversation": { "instructions": 5 })"), 2, "conversation.instructions", "a number",
     "write an object"},
    {with(R"("conversation": { "instructions": {} })"), 2, "conversation.instructions.file",
     "nothing", "write the text itself"},
    {with(R"("analyzer": { "instructions": { "file": "no.md" } })"), 2,
     "analyzer.instructions.file", "\"no.md\"", "no such file"},
    {with(R"("analyzer": { "instructions": { "file": "../host.md" } })"), 2,
     "analyzer.instructions.file", "\"../host.md\"", "in the app's folder"},
    {with(R"("analyzer": { "instructions": { "file": "/etc/passwd" } })"), 2,
     "analyzer.instructions.file", "\"/etc/passwd\"", "in the app's folder"},
    {with(R"("models": { "conversation": "rules" })"), 2, "models.conversation", "\"rules\"",
     "list models"},
    {with(R"("models": { "analyzer": [] })"), 2, "models.analyzer", "an empty list", "list models"},
    {with(R"("models": { "analyzer": ["Open AI"] })"), 2, "models.analyzer[0]", "\"Open AI\"",
     "did you mean \"openai\"?"},
    {with(R"("models": { "analyzer": ["rules", 5] })"), 2, "models.analyzer[1]", "5",
     "write a model"},
    {with(R"("models": { "conversation": [ { "model": "x" } ] })"), 2,
     "models.conversation[0].vendor", "nothing", "add the vendor"},
    {with(R"("models": { "conversations": ["rules"] })"), 2, "models.conversations",
     "an unknown key", "\"conversation\""},
  });
}

TEST_CASE("faults of topics name line, key and remedy") {
  check_each({
    {with_topics(R"({ "label": "x" })"), 2, "checklist.topics[0].id", "nothing", "add an id"},
    {with_topics(R"({ "id": "Date" })"), 2, "checklist.topics[0].id", "\"Date\"", "small letter"},
    {with_topics(R"({ "id": "a-b" })"), 2, "checklist.topics[0].id", "\"a-b\"", "small letter"},
    {with_topics("{ \"id\": \"a\" },\n{ \"id\": \"a\" }"), 3, "checklist.topics[1].id",
     "a second time", "an id of its own"},
    {with_topics(R"("name")"), 2, "checklist.topics[0]", "a text", "an object"},
    {with_topics("{ \"id\": \"from\" },\n{ \"id\": \"to\",\n\"type\": \"adress\" }"), 4,
     "checklist.topics[1].type", "\"adress\"", "did you mean \"address\"?"},
    {with_topics(R"({ "id": "x", "type": "quux" })"), 2, "checklist.topics[0].type", "\"quux\"",
     "write one of: text, person_name"},
    {with_topics(R"({ "id": "x", "required": "yes" })"), 2, "checklist.topics[0].required",
     "a text", "true or false"},
    {with_topics(R"({ "id": "x", "requried": true })"), 2, "checklist.topics[0].requried",
     "an unknown key", "\"required\""},
    {with_topics(R"({ "id": "x", "confirm": "always" })"), 2, "checklist.topics[0].confirm",
     "\"always\"", "never, read_back, person"},
    {with_topics(R"({ "id": "x", "type": "integer", "min": 9, "max": 3 })"), 2,
     "checklist.topics[0].min", "min above max", "swap"},
    {with_topics(R"({ "id": "x", "type": "integer", "min": "0" })"), 2, "checklist.topics[0].min",
     "a text", "a number"},
    {with_topics(R"({ "id": "x", "type": "email", "min": 0 })"), 2, "checklist.topics[0].min",
     "type email", "belongs to type integer"},
    {with_topics(R"({ "id": "x", "type": "date", "min": "tomorrow" })"), 2,
     "checklist.topics[0].min", "\"tomorrow\"", "\"today\""},
    {with_topics(R"({ "id": "x", "type": "date", "max": 3 })"), 2, "checklist.topics[0].max",
     "type date", "integer or money"},
    {with_topics(R"({ "id": "x", "type": "choice" })"), 2, "checklist.topics[0].choices", "nothing",
     "add \"choices\""},
    {with_topics(R"({ "id": "x", "type": "choice", "choices": {} })"), 2,
     "checklist.topics[0].choices", "no choices", "add some"},
    {with_topics(R"({ "id": "x", "type": "choice", "choices": ["a"] })"), 2,
     "checklist.topics[0].choices", "a list", "an object"},
    {with_topics(R"({ "id": "x", "type": "choice", "choices": { "a": "b" } })"), 2,
     "checklist.topics[0].choices.a", "a text", "a list"},
    {with_topics(R"({ "id": "x", "type": "choice", "choices": { "a": ["c"], "b": ["C"] } })"), 2,
     "checklist.topics[0].choices.b", "means \"a\" too", "one value"},
    {with_topics(R"({ "id": "x", "choices": { "a": [] } })"), 2, "checklist.topics[0].choices",
     "type text", "belongs to type choice"},
    {with_topics(R"({ "id": "x", "type": "money" })"), 2, "checklist.topics[0].currency", "nothing",
     "add \"currency\""},
    {with_topics(R"({ "id": "x", "type": "money", "currency": "EUX" })"), 2,
     "checklist.topics[0].currency", "\"EUX\"", "did you mean"},
    {with_topics(R"({ "id": "x", "type": "money", "currency": "euros" })"), 2,
     "checklist.topics[0].currency", "\"euros\"", ""},
    {with_topics(R"({ "id": "x", "currency": "EUR" })"), 2, "checklist.topics[0].currency",
     "type text", "belongs to type money"},
    {with_topics(R"({ "id": "x", "type": "object" })"), 2, "checklist.topics[0].schema", "nothing",
     "add a JSON Schema"},
    {with_topics(R"({ "id": "x", "type": "object", "schema":
      { "properties": { "a": { "type": "int" } } } })"),
     3, "checklist.topics[0].schema.properties.a.type", "\"int\"", "integer"},
    {with_topics(R"({ "id": "x", "type": "object", "schema": { "required": "a" } })"), 2,
     "checklist.topics[0].schema.required", "\"a\"", "list the names"},
    {with_topics(R"({ "id": "x", "type": "object", "schema": { "enum": [] } })"), 2,
     "checklist.topics[0].schema.enum", "a list", "list the allowed"},
    {with_topics(R"({ "id": "x", "type": "object", "schema": { "items": 5 } })"), 2,
     "checklist.topics[0].schema.items", "5", "write a JSON Schema"},
    {"{ \"app\": \"a\", \"checklist\": { \"topics\": [ { \"id\": \"x\" } ],\n\"complete\": { "
     "\"says\": "
     "\"Bye\" } } }",
     2, "checklist.complete.says", "an unknown key", "\"say\""},
  });
}

TEST_CASE("faults of links between topics name line, key and remedy") {
  const std::string home =
    R"({ "id": "home", "type": "choice", "choices": { "flat": [], "house": [] } },)"
    "\n";
  check_each({
    {with_topics(home + R"({ "id": "x", "after": ["hom"] })"), 3, "checklist.topics[1].after[0]",
     "\"hom\", which is no topic", "did you mean \"home\"?"},
    {with_topics(home + R"({ "id": "x", "after": "home" })"), 3, "checklist.topics[1].after",
     "\"home\"", "a list of topic ids"},
    {with_topics(home + R"({ "id": "x", "after": [5] })"), 3, "checklist.topics[1].after[0]", "5",
     "the id of a topic"},
    {with_topics(home + R"({ "id": "x", "after": ["x"] })"), 3, "checklist.topics[1].after[0]",
     "\"x\" itself", "another topic"},
    {with_topics("{ \"id\": \"a\", \"after\": [\"c\"] },\n{ \"id\": \"b\", \"after\": [\"a\"] },\n"
                 "{ \"id\": \"c\", \"after\": [\"b\"] }"),
     2, "checklist.topics[0].after", "a circle: a after c after b after a", "remove one"},
    {with_topics("{ \"id\": \"a\", \"when\": { \"b\": \"x\" } },\n"
                 "{ \"id\": \"b\", \"after\": [\"a\"] }"),
     2, "checklist.topics[0].when", "a circle: a after b after a", "remove one"},
    {with_topics(home + R"({ "id": "x", "when": { "hmoe": ["flat"] } })"), 3,
     "checklist.topics[1].when.hmoe", "which is no topic", "did you mean \"home\"?"},
    {with_topics(home + R"({ "id": "x", "when": "home" })"), 3, "checklist.topics[1].when",
     "\"home\"", "write {"},
    {with_topics(home + R"({ "id": "x", "when": { "home": ["house", "flt"] } })"), 3,
     "checklist.topics[1].when.home[1]", "\"flt\"", "did you mean \"flat\"?"},
    {with_topics(home + R"({ "id": "x", "when": { "home": "castle" } })"), 3,
     "checklist.topics[1].when.home", "\"castle\"", "one of \"flat\", \"house\""},
    {with_topics(home + R"({ "id": "x", "when": { "home": [] } })"), 3,
     "checklist.topics[1].when.home", "an empty list", "list the values"},
    {with_topics(home + R"({ "id": "x", "when": { "home": { "min": 1 } } })"), 3,
     "checklist.topics[1].when.home", "type choice", "list the values"},
    {with_topics("{ \"id\": \"n\", \"type\": \"integer\" },\n"
                 "{ \"id\": \"x\", \"when\": { \"n\": { \"mim\": 1 } } }"),
     3, "checklist.topics[1].when.n.mim", "an unknown key", "did you mean"},
    {with_topics("{ \"id\": \"n\", \"type\": \"integer\" },\n"
                 "{ \"id\": \"x\", \"when\": { \"n\": { \"min\": 5, \"max\": 1 } } }"),
     3, "checklist.topics[1].when.n.min", "min above max", "swap"},
    {with_topics("{ \"id\": \"n\", \"type\": \"integer\" },\n"
                 "{ \"id\": \"x\", \"when\": { \"n\": {} } }"),
     3, "checklist.topics[1].when.n", "no bounds", "\"min\": 1"},
  });
}

TEST_CASE("faults of live and its access name line, key and remedy") {
  check_each({
    {with(R"("live": { "acess": {} })"), 2, "live.acess", "an unknown key", "\"access\""},
    {with(R"("live": { "webhooks": {} })"), 2, "live.webhooks", "an object", "a list"},
    {live(R"("public": "yes")"), 2, "live.access.public", "a text", "true or false"},
    {live(R"("origins": "https://a.example")"), 2, "live.access.origins", "a text", "a list"},
    {live(R"("origins": ["*"])"), 2, "live.access.origins[0]", "no origin", "scheme and host"},
    {live(R"("origins": ["a.example"])"), 2, "live.access.origins[0]", "no origin", "scheme"},
    {live(R"("origins": ["https://a.example/"])"), 2, "live.access.origins[0]",
     "https://a.example/", "no final /"},
    {live(R"("origins": ["https://A.example"])"), 2, "live.access.origins[0]", "https://A.example",
     "as a browser sends"},
    {live(R"("origins": ["https://a.example:443"])"), 2, "live.access.origins[0]", ":443",
     "as a browser sends"},
    {live(R"("origins": ["https://a.example:99999"])"), 2, "live.access.origins[0]", ":99999",
     "as a browser sends"},
    {live(R"("server_keys": "${env:KEY}")"), 2, "live.access.server_keys", "a text", "a list"},
    {live(R"("server_keys": ["plain-key"])"), 2, "live.access.server_keys[0]", "a literal text",
     "${env:NAME}"},
    {live(R"("server_keys": ["${env:NO GOOD}"])"), 2, "live.access.server_keys[0]",
     "a literal text", "${env:NAME}"},
    {live(R"("server_keys": [7])"), 2, "live.access.server_keys[0]", "a number", "${file:PATH}"},
    {live(R"("server_keys": ["${file:missing}"])"), 2, "live.access.server_keys[0]", "a file",
     "create it"},
    {with("\"profiles\": {\n\"prod\": { \"live\": { \"acces\": {} } } }"), 3,
     "profiles.prod.live.acces", "an unknown key", "\"access\""},
    {with("\"profiles\": {\n\"dev\": { \"live\": { \"access\": { \"public\": 1 } } } }"), 3,
     "profiles.dev.live.access.public", "a number", "true or false"},
    {with(R"("profiles": { "prod": { "app": "b" } })"), 2, "profiles.prod.app",
     "a key that no profile changes", "remove it"},
    {with(R"("profiles": { "prod": [] })"), 2, "profiles.prod", "a list", "an object"},
    {with(R"("profiles": [])"), 2, "profiles", "a list", "an object"},
  });
}

TEST_CASE("all faults are found at once, in the order of their lines") {
  const auto loaded = load_text(
    "{ \"app\": \"A\",\n\"titel\": \"x\",\n\"checklist\": { \"topics\": "
    "[\n{ \"id\": \"x\", \"type\": \"quux\" },\n{ \"id\": \"x\" } ] } }");
  CHECK_FALSE(loaded.app);
  REQUIRE(loaded.faults.size() == 4);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(loaded.faults[i].line < loaded.faults[i + 1].line);
}

TEST_CASE("a fault reads as one line that editors can follow") {
  CHECK(to_string({"apps/moving/app.jsonc", 12, "checklist.topics[2].type", "\"adress\"",
                   "did you mean \"address\"?"})
        == "apps/moving/app.jsonc:12: checklist.topics[2].type: found \"adress\": did you mean "
           "\"address\"?");
  CHECK(to_string({"a.jsonc", 3, "live.session_start", "a key of a later version", "has no effect yet", true})
        == "a.jsonc:3: warning: live.session_start: found a key of a later version: has no effect yet");
  CHECK(to_string({"a.jsonc", 0, "", "no app file", "create it"})
        == "a.jsonc: found no app file: create it");
}
