#include "cluster/faulty_node.hpp"

#include <utility>

namespace sidevoice {

faulty_node::faulty_node(fault_scenario scenario, const node_parts& real,
                         std::function<void(const fault_order&)> order)
    : where_{*real.where},
      journal_{*real.journal, *real.where, switches_},
      providers_{make_faulty_catalogue(*real.providers, switches_)},
      runner_{std::move(scenario), fault_runner::hands{.where = real.where,
                                                       .switches = &switches_,
                                                       .clock = &where_,
                                                       .count = real.count,
                                                       .order = std::move(order)}} {}

node_parts faulty_node::between(node_parts real) {
  real.journal = &journal_;
  real.providers = &providers_;
  real.where = &where_;
  return real;
}

} // namespace sidevoice
