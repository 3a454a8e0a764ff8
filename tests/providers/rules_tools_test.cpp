#include "tests/providers/talk.hpp"

namespace sidevoice {

namespace {

const llm_tool map_tool{
  "show_on_map", "Draw the route",
  R"({"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"}}})"};
const llm_tool price_tool{
  "estimate_price", "Price",
  R"({"type":"object","required":["from","to"],"properties":{"from":{"type":"string"},"to":{"type":"string"},"home":{"type":"string"}}})"};
const llm_tool person_tool{"transfer_to_person", "", R"({"type":"object","properties":{}})"};

nlohmann::json arguments(const llm_call& c) {
  return nlohmann::json::parse(c.arguments);
}

} // namespace

TEST_CASE("a client tool is called once its parameters are known, and its output is told") {
  talk t{moving::app()};
  t.tools = {map_tool, person_tool};
  t.answer();
  CHECK(t.calls.empty());
  t.say("from Leeds");
  CHECK(t.calls.empty());
  const auto before = t.say("to Berlin");
  CHECK_FALSE(before.empty());
  REQUIRE(t.calls.size() == 1);
  CHECK(t.calls[0].name == "show_on_map");
  CHECK_FALSE(t.calls[0].call_id.empty());
  CHECK(arguments(t.calls[0]) == nlohmann::json{{"from", "Leeds"}, {"to", "Berlin"}});
  t.output(R"({"distance": "1,100 km", "hours": 13})");
  const auto after = t.answer();
  CHECK(t.calls.empty());
  CHECK(after.find("1,100 km") != std::string::npos);
  CHECK(after.find('?') != std::string::npos);
  t.say("I'm Anna Schmidt");
  CHECK(t.calls.empty());
}

TEST_CASE("a correction calls the tool again with the new arguments") {
  talk t{moving::app()};
  t.tools = {price_tool};
  t.answer();
  t.say("from Leeds to Berlin");
  REQUIRE(t.calls.size() == 1);
  t.output("ok");
  t.answer();
  t.say("not Berlin but Bonn");
  REQUIRE(t.calls.size() == 1);
  CHECK(arguments(t.calls[0])["to"] == "Bonn");
}

TEST_CASE("tool_choice forbids and forces") {
  talk none{moving::app()};
  none.tools = {map_tool};
  none.tool_choice = "none";
  none.answer();
  none.say("from Leeds to Berlin");
  CHECK(none.calls.empty());

  talk named{moving::app()};
  named.tools = {map_tool, person_tool};
  named.tool_choice = "transfer_to_person";
  named.say("hello");
  REQUIRE(named.calls.size() == 1);
  CHECK(named.calls[0].name == "transfer_to_person");
  CHECK(named.calls[0].arguments == "{}");
  named.output("cancelled");
  CHECK(named.answer().find("could not finish") != std::string::npos);
  CHECK(named.calls.empty());

  talk required{moving::app()};
  required.tools = {price_tool, map_tool};
  required.tool_choice = "required";
  required.say("from Leeds");
  REQUIRE(required.calls.size() == 1);
  CHECK(required.calls[0].name == "estimate_price");
  CHECK(arguments(required.calls[0]) == nlohmann::json{{"from", "Leeds"}});
}

TEST_CASE("outputs of any shape are told in plain words") {
  for (const auto& [output, words] :
       std::vector<std::pair<std::string, std::string>>{{"", "That worked"},
                                                        {"null", "That worked"},
                                                        {"unknown", "cannot tell"},
                                                        {R"({"error":"no route"})", "no route"},
                                                        {"about 500 euros", "about 500 euros"},
                                                        {R"(["a","b"])", "a, b"},
                                                        {"42", "42"},
                                                        {std::string(100'000, 'x'), "xxx"},
                                                        {"{\"a\":", "{\"a\":"}}) {
    talk t{moving::app()};
    t.tools = {map_tool};
    t.answer();
    t.say("from Leeds to Berlin");
    t.output(output);
    const auto said = t.answer();
    INFO("said: ", said.substr(0, 200));
    CHECK(said.find(words) != std::string::npos);
    CHECK(said.size() < 2000);
  }
}

TEST_CASE("tools with broken schemas are left alone") {
  talk t{moving::app()};
  t.tools = {{"a", "", "{"},
             {"b", "", R"({"properties":[]})"},
             {"c", "", R"({"required":[1,2]})"},
             {"d", "", ""},
             {"e", "", R"({"required":"from","properties":{"from":3}})"}};
  t.answer();
  CHECK_FALSE(t.say("to Berlin").empty());
  CHECK(t.calls.empty());
}

} // namespace sidevoice
