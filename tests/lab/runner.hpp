#pragma once

#include "tests/lab/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sidevoice::lab {

struct run_options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  /// Seeds that run at the same time, each on a thread of its own.
  std::size_t jobs = 1;
  bool late = false;
  /// Faults as the server takes them, instead of those that seeds mean; null: theirs.
  std::shared_ptr<const fault_scenario> served = nullptr;
  /// Least number of hits of each fault in each state.
  std::uint64_t hits_min = 0;
  bool table = false;
  bool shrinks = true;
  /// Where the scenarios of failed seeds go.
  std::string out = "build/lab-failures";
};

/// The run of a seed, as the options have it.
scenario plan_of(std::uint64_t seed, const run_options& how);

/// Runs seeds and prints what became of them. Returns the exit code.
int run_seeds(const run_options& how);

} // namespace sidevoice::lab
