#include "tests/lab/scenario.hpp"

#include "tests/lab/shrink.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sidevoice;
using namespace sidevoice::lab;

namespace {

std::string refusal_of(const std::string& text) {
  const auto read = read_scenario(text);
  REQUIRE_FALSE(read.has_value());
  return read.error().detail;
}

std::string with_fault(const std::string& fault) {
  return R"({"version": 3, "seed": 1, "steps": 100, "faults": [)" + fault + "]}";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a scenario reads as it was written") {
  auto plan = make_scenario(7, true);
  plan.without = {"lines", "store"};
  REQUIRE(plan.faults.size() > 2);
  const auto read = read_scenario(to_text(plan));
  REQUIRE(read.has_value());
  CHECK(*read == plan);
}

TEST_CASE("a seed always makes the same scenario, and another seed another one") {
  CHECK(make_scenario(3, false) == make_scenario(3, false));
  CHECK_FALSE(make_scenario(3, false).faults == make_scenario(4, false).faults);
}

TEST_CASE("what is wrong with a scenario is said with its field and its remedy") {
  CHECK(holds(refusal_of("[]"), "not a JSON object"));
  CHECK(holds(refusal_of(R"({"seed": 1, "steps": 5})"), "version"));
  CHECK(holds(refusal_of(R"({"version": 1, "seed": 1, "steps": 5})"), "version 1"));
  CHECK(holds(refusal_of(R"({"version": 1, "seed": 1, "steps": 5})"), "commit that wrote it"));
  CHECK(holds(refusal_of(R"({"version": 3, "steps": 5})"), "seed"));
  CHECK(holds(refusal_of(R"({"version": 3, "seed": -1, "steps": 5})"), "0 or more"));
  CHECK(holds(refusal_of(R"({"version": 3, "seed": 1, "steps": 5, "falts": []})"),
              "did you mean \"faults\""));
  CHECK(holds(refusal_of(R"({"version": 3, "seed": 1, "steps": 5, "without": ["modells"]})"),
              "did you mean \"models\""));
  CHECK(holds(refusal_of(R"({"version": 3, "seed": 1, "steps": 5, "faults": {}})"), "a list"));
}

TEST_CASE("what is wrong with a fault is said with its place") {
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "crash sesion"})")),
              "did you mean \"crash session\""));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": 7})")), "faults[0].do"));
  CHECK(holds(refusal_of(with_fault(R"({"do": "node dies"})")), "faults[0].at_step"));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 100, "do": "node dies"})")), "only 100 steps"));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "hang stt"})")), "for how long"));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "node dies", "for_ms": 5})")),
              "only hangs last"));
  CHECK(holds(refusal_of(with_fault(
                R"({"at_step": 9, "do": "node dies"}, {"at_step": 3, "do": "node dies"})")),
              "in the order"));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "node dies", "wen": 5})")),
              "nobody knows this field"));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "node dies", "when": "talkin"})")),
              "did you mean \"talking\""));
  CHECK(holds(refusal_of(with_fault(R"({"at_step": 3, "do": "node dies", "when": 7})")),
              "faults[0].when"));
}

TEST_CASE("shrinking keeps what makes a run fail, and little else") {
  auto plan = make_scenario(11, false);
  const planned_fault needed{.at_step = 40, .what = "epoch taken", .pick = 5};
  plan.faults.insert(std::find_if(plan.faults.begin(), plan.faults.end(),
                                  [](const auto& f) { return f.at_step > 40; }),
                     needed);
  const auto small = shrink(plan, [&](const scenario& run) {
    return run.steps > 60
           && std::find(run.faults.begin(), run.faults.end(), needed) != run.faults.end();
  });
  CHECK(small.faults == std::vector{needed});
  CHECK(small.steps == 61);
  CHECK(small.without.size() == trouble_names().size());
}

TEST_CASE("shrinking asks no more often than it may") {
  int asked = 0;
  const auto plan = make_scenario(11, false);
  const auto small = shrink(
    plan,
    [&](const scenario&) {
      ++asked;
      return false;
    },
    9);
  CHECK(asked == 9);
  CHECK(small == plan);
}
