#include "cluster/fault_scenario.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> actors = {"session", "conversation", "analyzer",
                                         "audio",   "stt",          "tts"};

fault_reading read(const std::string& text) {
  return read_fault_scenario(text, "faults.jsonc", actors);
}

/// A scenario of one entry.
std::string one(const std::string& entry) {
  return "{ \"version\": 1, \"faults\": [\n" + entry + " ] }";
}

struct example {
  std::string text;
  std::size_t line;
  std::string key;
  /// Parts of what is said.
  std::string found;
  std::string remedy;
};

std::string listing(const std::vector<app_fault>& faults) {
  std::string out;
  for (const auto& fault : faults)
    out += to_string(fault) + "\n";
  return out;
}

} // namespace

TEST_CASE("a scenario is read with all its words") {
  const auto got = read(R"({ "version": 1, // what this server reads
    "faults": [
      { "do": "crash", "actor": "conversation", "session": "first", "at_ms": 1000, "every_ms": 1000,
        "times": 30 },
      { "do": "hang", "actor": "analyzer", "at_ms": 500, "for_ms": 800 },
      { "do": "slow", "actor": "stt", "by_ms": 20, "for_ms": 5000 },
      { "do": "store", "fault": "slow", "by_ms": 30, "for_ms": 400 },
      { "do": "llm", "fault": "stall", "for_ms": 400 },
      { "do": "tts", "fault": "fail", "for_ms": 400 },
      { "do": "clock", "by_s": -3600 },
    ] })");
  CAPTURE(listing(got.faults));
  REQUIRE(got.faults.empty());
  const auto& all = got.scenario.faults;
  REQUIRE(all.size() == 7);
  CHECK(all[0].target == fault_target::crash);
  CHECK(all[0].actor == "conversation");
  CHECK(all[0].session == "first");
  CHECK(all[0].at == 1000ms);
  CHECK(all[0].every == 1000ms);
  CHECK(all[0].times == 30);
  CHECK(all[1].session == "all");
  CHECK(all[1].length == 800ms);
  CHECK(all[2].by == 20ms);
  CHECK(all[3].fault == "slow");
  CHECK(all[3].by == 30ms);
  CHECK(all[6].by == -3600s);
  CHECK(all[6].length == 0ms);
}

TEST_CASE("faults of a scenario name line, key and remedy") {
  const std::vector<example> examples = {
    {"[]", 1, "", "a list", "write an object"},
    {"{ \"version\": 1,\n\"faults\": [ { \"do\": } ] }", 2, "", "", ""},
    {"{\n\"faults\": [ { \"do\": \"crash\", \"actor\": \"stt\" } ] }", 1, "version", "nothing",
     "this server reads \"version\": 1"},
    {"{ \"version\": 2,\n\"faults\": [ { \"do\": \"crash\", \"actor\": \"stt\" } ] }", 1, "version",
     "2", "this server reads \"version\": 1"},
    {"{ \"version\": \"1\",\n\"faults\": [ { \"do\": \"crash\", \"actor\": \"stt\" } ] }", 1,
     "version", "\"1\"", "this server reads \"version\": 1"},
    {"{ \"version\": 1 }", 1, "faults", "nothing", "list what is to happen"},
    {"{ \"version\": 1,\n\"faults\": [] }", 2, "faults", "0 faults", "list 1 to 1000"},
    {"{ \"version\": 1, \"faults\": [ { \"do\": \"crash\", \"actor\": \"stt\" } ],\n\"falts\": 1 }",
     2, "falts", "an unknown key", "did you mean \"faults\"?"},
    {one(R"({ "actor": "stt" })"), 2, "faults[0].do", "nothing", "say what is to happen"},
    {one(R"({ "do": "crush", "actor": "stt" })"), 2, "faults[0].do", "crush",
     "did you mean \"crash\"?"},
    {one(R"({ "do": "explode" })"), 2, "faults[0].do", "explode", "write one of: crash, quit"},
    {one(R"({ "do": "crash" })"), 2, "faults[0].actor", "nothing", "name an actor"},
    {one(R"({ "do": "crash", "actor": "analyser" })"), 2, "faults[0].actor", "analyser",
     "did you mean \"analyzer\"?"},
    {one(R"({ "do": "store", "for_ms": 5 })"), 2, "faults[0].fault", "nothing", "say which"},
    {one(R"({ "do": "store", "fault": "ful", "for_ms": 5 })"), 2, "faults[0].fault", "ful",
     "did you mean \"full\"?"},
    {one(R"({ "do": "llm", "fault": "full", "for_ms": 5 })"), 2, "faults[0].fault", "full", "fail"},
    {one(R"({ "do": "llm", "fault": "fail", "for_ms": 5, "actor": "stt" })"), 2, "faults[0].actor",
     "an unknown key", "keys here"},
    {one(R"({ "do": "crash", "actor": "stt", "for_ms": 5 })"), 2, "faults[0].for_ms",
     "an unknown key", "keys here"},
    {one(R"({ "do": "hang", "actor": "stt" })"), 2, "faults[0].for_ms", "nothing", "say how long"},
    {one(R"({ "do": "hang", "actor": "stt", "for_ms": 0 })"), 2, "faults[0].for_ms", "0", ""},
    {one(R"({ "do": "hang", "actor": "stt", "for_ms": 90000000 })"), 2, "faults[0].for_ms",
     "90000000", ""},
    {one(R"({ "do": "crash", "actor": "stt", "at_ms": -1 })"), 2, "faults[0].at_ms", "-1", ""},
    {one(R"({ "do": "crash", "actor": "stt", "at_ms": 1.5 })"), 2, "faults[0].at_ms", "1.5", ""},
    {one(R"({ "do": "crash", "actor": "stt", "at_ms": "1" })"), 2, "faults[0].at_ms", "", ""},
    {one(R"({ "do": "crash", "actor": "stt", "every_ms": 100 })"), 2, "faults[0].every_ms",
     "no end of it", "say how often"},
    {one(R"({ "do": "crash", "actor": "stt", "times": 3 })"), 2, "faults[0].times", "3",
     "say how far apart"},
    {one(R"({ "do": "hang", "actor": "stt", "for_ms": 500, "every_ms": 400, "times": 2 })"), 2,
     "faults[0].for_ms", "500", "at most every_ms"},
    {one(R"({ "do": "slow", "actor": "stt", "for_ms": 500 })"), 2, "faults[0].by_ms", "nothing",
     "say by how much"},
    {one(R"({ "do": "slow", "actor": "stt", "for_ms": 500, "by_ms": 600 })"), 2, "faults[0].by_ms",
     "600", "at most for_ms"},
    {one(R"({ "do": "clock" })"), 2, "faults[0].by_s", "nothing", "say by how many seconds"},
    {one(R"({ "do": "clock", "by_s": 0 })"), 2, "faults[0].by_s", "0", "above or below"},
  };
  for (const auto& wanted : examples) {
    CAPTURE(wanted.text);
    const auto got = read(wanted.text);
    CAPTURE(listing(got.faults));
    CHECK(got.scenario.faults.empty());
    REQUIRE(got.faults.size() == 1);
    const auto& fault = got.faults.front();
    CHECK(fault.file == "faults.jsonc");
    CHECK(fault.line == wanted.line);
    if (!wanted.key.empty())
      CHECK(fault.key == wanted.key);
    CHECK(fault.found.find(wanted.found) != std::string::npos);
    CHECK(fault.remedy.find(wanted.remedy) != std::string::npos);
  }
}

TEST_CASE("all faults of a scenario are found at once") {
  const auto got = read(one(R"({ "do": "crash", "actor": "sts" }, { "do": "clok", "by_s": 1 })"));
  CHECK(got.faults.size() == 2);
}

TEST_CASE("a scenario that cannot be read is a fault with its file") {
  const auto got = load_fault_scenario("no/such/file.jsonc", actors);
  REQUIRE(got.faults.size() == 1);
  CHECK(got.faults.front().file == "no/such/file.jsonc");
}

namespace {

fault_plan plan_of(const std::string& entries) {
  auto got = read("{ \"version\": 1, \"faults\": [ " + entries + " ] }");
  CAPTURE(listing(got.faults));
  REQUIRE(got.faults.empty());
  return fault_plan{std::move(got.scenario)};
}

} // namespace

TEST_CASE("a plan gives what is due once and in the order of time") {
  auto plan =
    plan_of(R"({ "do": "crash", "actor": "stt", "at_ms": 100, "every_ms": 50, "times": 3 },
                         { "do": "quit", "actor": "tts", "at_ms": 120 })");
  CHECK(plan.take_due(99ms).empty());
  CHECK(plan.next() == 100ms);
  CHECK(plan.take_due(130ms) == std::vector<due_fault>{{100ms, 0, true}, {120ms, 1, true}});
  CHECK(plan.take_due(130ms).empty());
  CHECK(plan.next() == 150ms);
  CHECK(plan.take_due(10s) == std::vector<due_fault>{{150ms, 0, true}, {200ms, 0, true}});
  CHECK(plan.is_over());
}

TEST_CASE("a fault that lasts has an end and its next begin comes behind it") {
  auto plan = plan_of(
    R"({ "do": "store", "fault": "full", "at_ms": 10, "for_ms": 20, "every_ms": 20, "times": 2 })");
  CHECK(plan.take_due(60ms)
        == std::vector<due_fault>{
          {10ms, 0, true}, {30ms, 0, false}, {30ms, 0, true}, {50ms, 0, false}});
  CHECK(plan.is_over());
}

TEST_CASE("the time of day stays shifted where no length is given") {
  auto plan = plan_of(R"({ "do": "clock", "by_s": 60 })");
  CHECK(plan.take_due(0ms) == std::vector<due_fault>{{0ms, 0, true}});
  CHECK(plan.is_over());
}

TEST_CASE("a slow actor is one that hangs for a moment again and again") {
  auto plan = plan_of(R"({ "do": "slow", "actor": "stt", "at_ms": 5, "by_ms": 10, "for_ms": 60,
                           "every_ms": 1000, "times": 2 })");
  CHECK(plan.take_due(500ms)
        == std::vector<due_fault>{{5ms, 0, true}, {25ms, 0, true}, {45ms, 0, true}});
  CHECK(plan.take_due(5s)
        == std::vector<due_fault>{{1005ms, 0, true}, {1025ms, 0, true}, {1045ms, 0, true}});
  CHECK(plan.is_over());
}
