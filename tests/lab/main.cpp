#include "cluster/fault_scenario.hpp"
#include "cluster/supervision_tree.hpp"
#include "config/log.hpp"
#include "tests/lab/runner.hpp"
#include "tests/lab/world.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace {

using namespace sidevoice;
using namespace sidevoice::lab;

/// One run with its trace.
int show(const scenario& plan) {
  set_log_level(log_level::info);
  const auto result = world{plan, true}.run();
  for (const auto& what : result.violations)
    std::printf("VIOLATION: %s\n", what.c_str());
  std::printf("%d passed, %d failed\n", result.violations.empty() ? 1 : 0,
              result.violations.empty() ? 0 : 1);
  return result.violations.empty() ? 0 : 1;
}

int show_file(const std::string& file, const run_options& how) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  auto plan = in ? read_scenario(text.str())
                 : result<scenario>{
                   error{errc::not_found, "there is no file " + file + " that could be read"}};
  if (!plan) {
    std::fprintf(stderr, "lab_tests: %s: %s\n", file.c_str(), plan.error().detail.c_str());
    return 2;
  }
  plan->served = how.served;
  return show(*plan);
}

/// A file of the server's; null, and a message for each thing that is wrong with it.
std::shared_ptr<const fault_scenario> read_served(const std::string& file) {
  auto read = load_fault_scenario(file, session_tree_names(true));
  for (const auto& wrong : read.faults)
    std::fprintf(stderr, "%s%s\n", wrong.warning ? "warning: " : "", to_string(wrong).c_str());
  if (std::any_of(read.faults.begin(), read.faults.end(),
                  [](const app_fault& wrong) { return !wrong.warning; }))
    return nullptr;
  return std::make_shared<const fault_scenario>(std::move(read.scenario));
}

} // namespace

/// Runs seeds through the lab. Closes with "N passed, M failed"; a failed seed prints what was
/// violated, is made smaller, and is written to a file that plays it again.
int main(int argc, char** argv) {
  run_options how;
  std::uint64_t single = 0;
  std::string file;
  std::string served;
  CLI::App cli{"The lab: whole sessions on virtual time, with faults, by seed"};
  cli.add_option("--first", how.first, "First seed")->capture_default_str();
  cli.add_option("--seeds", how.seeds, "How many seeds")->capture_default_str();
  cli.add_option("--jobs", how.jobs, "How many at the same time")->capture_default_str();
  cli.add_option("--cells", how.hits_min,
                 "Fail where a fault has hit a state less often than so; 0: any number will do");
  cli.add_flag("--table", how.table, "Print the table of faults and states");
  cli.add_option("--out", how.out, "Folder for the scenarios of seeds that fail")
    ->capture_default_str();
  cli.add_flag("!--no-shrink", how.shrinks, "Leave failing seeds as they are");
  cli.add_option("--seed", single, "One seed, with its trace");
  cli.add_option("--scenario", file, "One scenario that a failed seed has left, with its trace");
  cli.add_option(
    "--fault", served,
    "Faults as `sidevoice serve --fault` takes them, instead of those that seeds mean");
  cli.add_flag("--frames", lab_client::show_frames, "Print every frame of every client");
  cli.add_flag("--late", how.late,
               "Only runs whose analyzer is 5 s late and whose model asks what its hint names");
  CLI11_PARSE(cli, argc, argv);
  if (!served.empty() && !(how.served = read_served(served)))
    return 2;
  if (!file.empty())
    return show_file(file, how);
  if (single != 0)
    return show(plan_of(single, how));
  // The log of a run is its trace; crashes are made on purpose.
  set_log_level(log_level::off);
  return run_seeds(how);
}
