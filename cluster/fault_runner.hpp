#pragma once

#include "actors/interfaces.hpp"
#include "cluster/fault_scenario.hpp"
#include "cluster/faulty_parts.hpp"
#include "config/counters.hpp"
#include "config/loop.hpp"

#include <memory>

namespace sidevoice {

/// Carries a scenario out on a node. On the loop's thread.
class fault_runner {
public:
  struct hands {
    loop* where = nullptr;
    fault_switches* switches = nullptr;
    shifted_loop* clock = nullptr;
    counters* count = nullptr;
    /// For the actors' faults.
    std::function<void(const fault_order&)> order;
  };

  fault_runner(fault_scenario scenario, hands with);

  /// The scenario's time begins.
  void start();
  /// It is over, whatever was still to come; what holds now ends.
  void stop();

private:
  void run();
  void make(const fault_entry& what, bool begins);

  fault_plan plan_;
  hands with_;
  loop::clock::time_point began_;
  std::unique_ptr<timer> next_;
};

} // namespace sidevoice
