#pragma once

#include "actors/parts.hpp"
#include "cluster/fault_runner.hpp"
#include "cluster/fault_scenario.hpp"
#include "cluster/faulty_parts.hpp"

#include <functional>

namespace sidevoice {

/// A node's parts with the faults of a scenario between, and who makes them. The server and the lab
/// have the same one.
class faulty_node {
public:
  /// `real` outlives it; `order` takes the faults of actors to whoever knows them.
  faulty_node(fault_scenario scenario, const node_parts& real,
              std::function<void(const fault_order&)> order);

  /// `real`, with faults between.
  [[nodiscard]] node_parts between(node_parts real);

  /// The scenario's time begins. On the loop's thread.
  void start() {
    runner_.start();
  }
  /// And is over: nothing fails any more. On the loop's thread.
  void stop() {
    runner_.stop();
  }

private:
  fault_switches switches_;
  shifted_loop where_;
  faulty_store journal_;
  catalogue providers_;
  fault_runner runner_;
};

} // namespace sidevoice
