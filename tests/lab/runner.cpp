#include "tests/lab/runner.hpp"

#include "tests/lab/shrink.hpp"
#include "tests/lab/world.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

namespace sidevoice::lab {

scenario plan_of(std::uint64_t seed, const run_options& how) {
  auto plan = make_scenario(seed, how.late);
  if (how.served) {
    plan.faults.clear();
    plan.served = how.served;
  }
  return plan;
}

namespace {

/// What all seeds together have come to.
struct total {
  std::uint64_t failed = 0;
  std::uint64_t events = 0;
  std::vector<std::uint64_t> steps;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> calls;
  coverage covered;

  void add(const outcome& one) {
    steps.push_back(one.steps);
    events += one.events;
    for (const auto& [name, count] : one.faults)
      faults[name] += count;
    for (const auto& [name, count] : one.calls)
      calls[name] += count;
    covered.add(one.covered);
  }
};

outcome run_one(const scenario& plan) {
  auto result = world{plan}.run();
  // Every tenth seed again: the same seed must give the same journal.
  if (plan.seed % 10 == 0 && world{plan}.run().journal_hash != result.journal_hash)
    result.violations.emplace_back("a second run of the seed gave another journal");
  return result;
}

/// Prints a failed seed and what is left of it when it is made smaller.
void report(const scenario& plan, const outcome& result, const run_options& how) {
  std::printf("seed %llu:\n", static_cast<unsigned long long>(plan.seed));
  for (const auto& what : result.violations)
    std::printf("  %s\n", what.c_str());
  const auto* served = how.served ? " --fault with the same file" : "";
  std::printf("  see it again: lab_tests --seed %llu%s%s\n",
              static_cast<unsigned long long>(plan.seed), how.late ? " --late" : "", served);
  if (!how.shrinks)
    return;
  const auto small =
    shrink(plan, [](const scenario& smaller) { return !run_one(smaller).violations.empty(); });
  const auto file = std::filesystem::path{how.out}
                    / ("seed_" + std::to_string(plan.seed) + ".json");
  std::error_code ignored;
  std::filesystem::create_directories(how.out, ignored);
  std::ofstream{file} << to_text(small);
  std::printf("  made smaller: %llu of %llu steps, %zu of %zu faults: lab_tests --scenario %s%s\n",
              static_cast<unsigned long long>(small.steps),
              static_cast<unsigned long long>(plan.steps), small.faults.size(), plan.faults.size(),
              file.c_str(), served);
  for (const auto& fault : small.faults)
    std::printf("    step %llu: %s\n", static_cast<unsigned long long>(fault.at_step),
                fault.what.c_str());
}

total run_all(const run_options& how) {
  total sum;
  std::mutex mutex;
  std::atomic<std::uint64_t> next{how.first};
  const auto work = [&] {
    for (auto seed = next++; seed < how.first + how.seeds; seed = next++) {
      const auto plan = plan_of(seed, how);
      const auto result = run_one(plan);
      const std::lock_guard lock{mutex};
      sum.add(result);
      if (result.violations.empty())
        continue;
      // After a few, more of them tell nothing new.
      auto quick = how;
      quick.shrinks = how.shrinks && sum.failed < 3;
      ++sum.failed;
      report(plan, result, quick);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < how.jobs; ++i)
    threads.emplace_back(work);
  work();
  for (auto& thread : threads)
    thread.join();
  return sum;
}

} // namespace

int run_seeds(const run_options& how) {
  const auto begin = std::chrono::steady_clock::now();
  auto sum = run_all(how);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::sort(sum.steps.begin(), sum.steps.end());
  std::printf("%.1f s, %.2f ms a seed; median %llu steps a seed, %llu journal events\n",
              took.count(), took.count() * 1000 / static_cast<double>(how.seeds),
              static_cast<unsigned long long>(sum.steps[sum.steps.size() / 2]),
              static_cast<unsigned long long>(sum.events));
  for (const auto& [name, count] : sum.faults)
    std::printf("  %6llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  for (const auto& [name, count] : sum.calls)
    std::printf("  %6llu  calls of effect or kind %s\n", static_cast<unsigned long long>(count),
                name.c_str());
  if (how.table)
    std::printf("\n%s\n", sum.covered.table().c_str());
  const auto gaps = how.hits_min > 0 ? sum.covered.gaps(how.hits_min) : std::vector<std::string>{};
  for (const auto& gap : gaps)
    std::printf("NOT COVERED: %s; at least %llu are wanted\n", gap.c_str(),
                static_cast<unsigned long long>(how.hits_min));
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(how.seeds - sum.failed),
              static_cast<unsigned long long>(sum.failed + gaps.size()));
  return sum.failed == 0 && gaps.empty() ? 0 : 1;
}

} // namespace sidevoice::lab
