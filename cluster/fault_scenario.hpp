#pragma once

#include "config/app_file.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Faults made on purpose, as a file says them. Plain: the server and the lab read the same files.
/// docs/supervision.md has the words.
namespace sidevoice {

enum class fault_target {
  /// An exception leaves a handler of `actor`.
  crash,
  /// `actor` ends as if it had decided so.
  quit,
  /// `actor` handles nothing for `length`.
  hang,
  /// `actor` handles nothing for `by`, again and again, half of the time for `length`.
  slow,
  /// For `length`, `fault` is "full", "unavailable", "unknown" or "slow" (by `by`).
  store,
  /// "fail", "stall" or "slow".
  llm,
  /// "fail" or "hang".
  stt,
  tts,
  /// The time of day is shifted by `by`; without `length` for good.
  clock,
};

struct fault_entry {
  fault_target target = fault_target::crash;
  /// Of actors: its name in the supervision tree.
  std::string actor = {};
  /// Of actors: "first", "newest", "all" or a session's id.
  std::string session = "all";
  std::string fault = {};
  /// Since the scenario began.
  std::chrono::milliseconds at{0};
  /// So often, and so far from one begin to the next.
  std::uint32_t times = 1;
  std::chrono::milliseconds every{0};
  std::chrono::milliseconds length{0};
  /// Only of `clock` below 0.
  std::chrono::milliseconds by{0};
};

struct fault_scenario {
  std::vector<fault_entry> faults;
};

struct fault_reading {
  /// Empty when there is any fault.
  fault_scenario scenario;
  /// What is wrong with the file.
  std::vector<app_fault> faults;
};

/// Reads a scenario's text; `file` is its name for people, `actors` are the names that there are.
fault_reading read_fault_scenario(std::string_view text, const std::string& file,
                                  const std::vector<std::string>& actors);

/// And from a file; one that cannot be read is a fault.
fault_reading load_fault_scenario(const std::string& path, const std::vector<std::string>& actors);

/// Something is to be done now.
struct due_fault {
  /// When it was due, since the begin.
  std::chrono::milliseconds at{0};
  /// Place in `fault_scenario::faults`.
  std::size_t entry = 0;
  /// False: the time of this fault is over.
  bool begins = true;

  bool operator==(const due_fault&) const = default;
};

/// Turns a scenario and the time into what is due. Plain.
class fault_plan {
public:
  explicit fault_plan(fault_scenario scenario);

  /// All that has become due since the last call, in the order of its time; at the same time in
  /// the order of the file, and ends before begins.
  std::vector<due_fault> take_due(std::chrono::milliseconds since_begin);

  [[nodiscard]] bool is_over() const {
    return next_.empty();
  }
  /// When the next is due; only where it is not over.
  [[nodiscard]] std::chrono::milliseconds next() const {
    return next_.begin()->first.at;
  }

  [[nodiscard]] const fault_entry& entry(std::size_t number) const {
    return scenario_.faults.at(number);
  }

private:
  struct order {
    std::chrono::milliseconds at;
    bool begins;
    std::size_t entry;
    auto operator<=>(const order&) const = default;
  };

  void plan_run(std::size_t number, std::uint32_t run);

  fault_scenario scenario_;
  /// With how often the entry has begun.
  std::multimap<order, std::uint32_t> next_;
};

} // namespace sidevoice
