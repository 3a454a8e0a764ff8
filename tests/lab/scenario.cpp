#include "tests/lab/scenario.hpp"

#include "config/suggest.hpp"
#include "tests/lab/coverage.hpp"
#include "tests/lab/dice.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sidevoice::lab {

using nlohmann::json;

namespace {

/// Faults come from dice of their own, so that one less of them leaves the others where they are.
constexpr std::uint64_t fault_salt = 0x5DEECE66DULL;

struct weighed {
  const char* what;
  std::uint64_t weight;
};

constexpr std::array weights{
  weighed{"crash session", 10},   weighed{"crash conversation", 8}, weighed{"crash analyzer", 6},
  weighed{"crash audio", 14},     weighed{"crash stt", 12},         weighed{"crash tts", 14},
  weighed{"crash connection", 8}, weighed{"hang session", 4},       weighed{"hang conversation", 4},
  weighed{"hang analyzer", 4},    weighed{"hang audio", 12},        weighed{"hang stt", 12},
  weighed{"hang tts", 12},        weighed{"hang connection", 4},    weighed{"node dies", 8},
  weighed{"power fails", 6},      weighed{"epoch taken", 6},        weighed{"line cut", 6},
  weighed{"store full", 8},       weighed{"store unavailable", 8},  weighed{"store unknown", 8},
  weighed{"disk full", 24},       weighed{"disk write", 28},        weighed{"disk sync", 28},
  weighed{"disk read", 28},       weighed{"disk power", 24},
};

/// So many faults wait for a state that sessions are seldom in: left to chance, they would hardly
/// ever hit one there. The rarest stand here more than once.
constexpr std::uint64_t waits_percent = 75;
constexpr std::array rare_states{"talking",   "talking",       "talking",     "talking", "talking",
                                 "talking",   "calling",       "calling",     "calling", "calling",
                                 "calling",   "writing",       "writing",     "writing", "asked",
                                 "half said", "words awaited", "nobody there"};

std::string draw(dice& chance) {
  std::uint64_t sum = 0;
  for (const auto& one : weights)
    sum += one.weight;
  auto left = chance.roll(sum);
  for (const auto& one : weights) {
    if (left < one.weight)
      return one.what;
    left -= one.weight;
  }
  return weights.back().what;
}

error invalid(const std::string& field, const std::string& detail) {
  return {errc::invalid, field + ": " + detail, field};
}

result<std::uint64_t> number(const json& from, const std::string& path, const std::string& name) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_number_unsigned())
    return invalid(path + name, "give a whole number of 0 or more");
  return found->get<std::uint64_t>();
}

const std::vector<std::string> fault_fields{"at_step", "do", "pick", "for_ms", "when"};

result<planned_fault> read_fault(const json& entry, const std::string& path) {
  if (!entry.is_object())
    return invalid(path, R"(write a fault as {"at_step": 40, "do": "node dies"})");
  planned_fault fault;
  for (const auto& [name, value] : entry.items())
    if (std::find(fault_fields.begin(), fault_fields.end(), name) == fault_fields.end())
      return invalid(path + "." + name,
                     "nobody knows this field; " + suggestion(name, fault_fields));
  auto at = number(entry, path + ".", "at_step");
  if (!at)
    return at.error();
  fault.at_step = *at;
  const auto what = entry.value("do", json{});
  if (!what.is_string())
    return invalid(path + ".do", "say what happens, such as \"node dies\"");
  fault.what = what.get<std::string>();
  const auto& known = fault_names();
  if (std::find(known.begin(), known.end(), fault.what) == known.end())
    return invalid(path + ".do",
                   "there is no fault \"" + fault.what + "\"; " + suggestion(fault.what, known));
  if (entry.contains("pick")) {
    auto pick = number(entry, path + ".", "pick");
    if (!pick)
      return pick.error();
    fault.pick = *pick;
  }
  const auto lasts = fault.what.starts_with("hang ");
  if (lasts != entry.contains("for_ms"))
    return invalid(path + ".for_ms",
                   lasts ? "say for how long it hangs" : "only hangs last; leave it away");
  if (lasts) {
    auto ms = number(entry, path + ".", "for_ms");
    if (!ms)
      return ms.error();
    fault.ms = *ms;
  }
  if (entry.contains("when")) {
    const auto& state = entry["when"];
    const auto& states = coverage::states();
    fault.when = state.is_string() ? state.get<std::string>() : "";
    if (std::find(states.begin(), states.end(), fault.when) == states.end())
      return invalid(path + ".when",
                     "no session is ever " + state.dump() + "; " + suggestion(fault.when, states));
  }
  return fault;
}

} // namespace

const std::vector<std::string>& fault_names() {
  static const auto all = [] {
    std::vector<std::string> names;
    for (const auto& one : weights)
      names.emplace_back(one.what);
    return names;
  }();
  return all;
}

const std::vector<std::string>& trouble_names() {
  static const std::vector<std::string> all{"models", "webhooks", "store",  "speech",
                                            "lines",  "voice",    "sqlite", "second session"};
  return all;
}

scenario make_scenario(std::uint64_t seed, bool late) {
  dice chance{seed ^ fault_salt};
  scenario run{.seed = seed, .steps = 250 + chance.roll(900), .late = late};
  for (std::uint64_t step = 0; step < run.steps; ++step) {
    if (!chance.chance(4))
      continue;
    planned_fault fault{.at_step = step, .what = draw(chance), .pick = chance.roll(1000)};
    // Some outlast the deadline after which a supervisor takes an actor for dead.
    if (fault.what.starts_with("hang "))
      fault.ms = chance.chance(30) ? 8'000 + chance.roll(8'000) : 50 + chance.roll(1'500);
    if (chance.chance(waits_percent))
      fault.when = rare_states.at(chance.roll(rare_states.size()));
    run.faults.push_back(std::move(fault));
  }
  return run;
}

std::string to_text(const scenario& run) {
  nlohmann::ordered_json out{
    {"version", scenario_version}, {"seed", run.seed},
    {"steps", run.steps},          {"late", run.late},
    {"without", run.without},      {"faults", nlohmann::ordered_json::array()}};
  for (const auto& fault : run.faults) {
    nlohmann::ordered_json entry{{"at_step", fault.at_step},
                                 {"do", fault.what},
                                 {"pick", fault.pick}};
    if (fault.what.starts_with("hang "))
      entry["for_ms"] = fault.ms;
    if (!fault.when.empty())
      entry["when"] = fault.when;
    out["faults"].push_back(std::move(entry));
  }
  return out.dump(2) + "\n";
}

result<scenario> read_scenario(const std::string& text) {
  const auto in = json::parse(text, nullptr, false);
  if (!in.is_object())
    return invalid("", "this is no scenario of the lab: it is not a JSON object");
  auto version = number(in, "", "version");
  if (!version)
    return version.error();
  if (*version != scenario_version)
    return invalid("version", "this scenario is of the lab's version " + std::to_string(*version)
                                + ", and seeds mean other runs in version "
                                + std::to_string(scenario_version)
                                + ": play it with the commit that wrote it, or look for the fault "
                                  "anew with `make lab`");
  scenario run;
  for (const auto& [name, value] : in.items()) {
    static const std::vector<std::string> fields{"version", "seed",    "steps",
                                                 "late",    "without", "faults"};
    if (std::find(fields.begin(), fields.end(), name) == fields.end())
      return invalid(name, "nobody knows this field; " + suggestion(name, fields));
  }
  auto seed = number(in, "", "seed");
  auto steps = number(in, "", "steps");
  if (!seed || !steps)
    return !seed ? seed.error() : steps.error();
  run.seed = *seed;
  run.steps = *steps;
  if (in.contains("late") && !in["late"].is_boolean())
    return invalid("late", "write true or false");
  run.late = in.value("late", false);
  for (const auto& name : in.value("without", json::array())) {
    const auto& known = trouble_names();
    if (!name.is_string() || std::find(known.begin(), known.end(), name) == known.end())
      return invalid("without",
                     "there is no trouble " + name.dump() + "; "
                       + suggestion(name.is_string() ? name.get<std::string>() : "", known));
    run.without.insert(name.get<std::string>());
  }
  const auto faults = in.value("faults", json::array());
  if (!faults.is_array())
    return invalid("faults", "write a list");
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const auto path = "faults[" + std::to_string(i) + "]";
    auto fault = read_fault(faults[i], path);
    if (!fault)
      return fault.error();
    if (fault->at_step >= run.steps)
      return invalid(path + ".at_step", "the run has only " + std::to_string(run.steps)
                                          + " steps; give an earlier one, or raise steps");
    if (!run.faults.empty() && fault->at_step < run.faults.back().at_step)
      return invalid(path + ".at_step", "list faults in the order of their steps");
    run.faults.push_back(std::move(*fault));
  }
  return run;
}

} // namespace sidevoice::lab
