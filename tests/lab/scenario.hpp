#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sidevoice {
struct fault_scenario;
} // namespace sidevoice

namespace sidevoice::lab {

/// A fault of a run.
struct planned_fault {
  /// Before the step with this number.
  std::uint64_t at_step = 0;
  /// One of `fault_names()`.
  std::string what;
  /// Whom it hits, of those that it can hit then: number `pick` modulo how many there are.
  std::uint64_t pick = 0;
  /// How long it lasts, in virtual time; of hangs.
  std::uint64_t ms = 0;
  /// It waits until it can hit a session in this state (`coverage::states()`), and stays away where
  /// none comes; empty: at once.
  std::string when = {};

  bool operator==(const planned_fault&) const = default;
};

/// All that makes a run: the same scenario gives the same journal. A seed makes one; a failed one
/// is made smaller (`shrink.hpp`) and written to a file.
struct scenario {
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  /// The model asks what its hint names, the analyzer is 5 s late.
  bool late = false;
  /// In the order of their steps.
  std::vector<planned_fault> faults;
  /// Troubles that come by chance and are switched off: some of `trouble_names()`.
  std::set<std::string> without;
  /// Faults as `sidevoice serve --fault` takes them, which begin with each start of the node; null:
  /// none. They are in no file of the lab's: they have one of their own.
  std::shared_ptr<const fault_scenario> served = nullptr;

  bool operator==(const scenario&) const = default;
};

/// "crash session", "hang stt", "node dies", ...
const std::vector<std::string>& fault_names();
/// "models", "webhooks", "store", "speech", "lines", "voice", "sqlite" (memory instead), "second
/// session".
const std::vector<std::string>& trouble_names();

/// The run of a seed.
scenario make_scenario(std::uint64_t seed, bool late);

/// As JSON, for people and for `read_scenario`.
std::string to_text(const scenario& run);

/// Errors name the field and the remedy: names that nobody knows, steps out of order or beyond the
/// end, a file of an older lab, whose seeds mean other runs.
result<scenario> read_scenario(const std::string& text);

/// Of the runs that seeds mean; raised whenever a seed gives another run than before.
inline constexpr int scenario_version = 3;

} // namespace sidevoice::lab
