#include "config/log.hpp"
#include "tests/lab/world.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <numeric>

/// Runs seeds through the lab. Closes with "N passed, M failed"; a failed seed prints what was
/// violated and how to see it again.
int main(int argc, char** argv) {
  using namespace sidevoice;
  using namespace sidevoice::lab;
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  std::uint64_t single = 0;
  CLI::App cli{"The lab: whole sessions on virtual time, with faults, by seed"};
  cli.add_option("--first", first, "First seed");
  cli.add_option("--seeds", seeds, "How many seeds");
  cli.add_option("--seed", single, "One seed, with its trace");
  cli.add_flag("--frames", lab_client::show_frames, "Print every frame of every client");
  cli.add_flag("--late", world::late_analyzer,
               "Only runs whose analyzer is 5 s late and whose model asks what its hint names");
  CLI11_PARSE(cli, argc, argv);
  // The log of a run is its trace; crashes are made on purpose.
  set_log_level(single != 0 ? log_level::info : log_level::off);
  if (single != 0) {
    first = single;
    seeds = 1;
  }
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  std::uint64_t events = 0;
  std::vector<std::uint64_t> steps;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> calls;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    auto result = world{seed, single != 0}.run();
    // Every tenth seed again: the same seed must give the same journal.
    if (seed % 10 == 0 && world{seed}.run().journal_hash != result.journal_hash)
      result.violations.emplace_back("a second run of the seed gave another journal");
    steps.push_back(result.steps);
    events += result.events;
    for (const auto& [name, count] : result.faults)
      faults[name] += count;
    for (const auto& [name, count] : result.calls)
      calls[name] += count;
    if (result.violations.empty())
      continue;
    ++failed;
    std::printf("seed %llu:\n", static_cast<unsigned long long>(seed));
    for (const auto& what : result.violations)
      std::printf("  %s\n", what.c_str());
    std::printf("  see it again: lab_tests --seed %llu\n", static_cast<unsigned long long>(seed));
  }
  std::sort(steps.begin(), steps.end());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f s, %.2f ms a seed; median %llu steps a seed, %llu journal events\n",
              took.count(), took.count() * 1000 / static_cast<double>(seeds),
              static_cast<unsigned long long>(steps[steps.size() / 2]),
              static_cast<unsigned long long>(events));
  for (const auto& [name, count] : faults)
    std::printf("  %6llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  for (const auto& [name, count] : calls)
    std::printf("  %6llu  calls of effect or kind %s\n", static_cast<unsigned long long>(count),
                name.c_str());
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(seeds - failed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
