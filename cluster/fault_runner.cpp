#include "cluster/fault_runner.hpp"

#include "config/log.hpp"

#include <utility>

namespace sidevoice {

namespace {

fault_order order_of(const fault_entry& what) {
  fault_order out;
  out.session = what.session == "all" ? "" : what.session;
  out.actor = what.actor;
  switch (what.target) {
    case fault_target::crash:
      out.kind = fault_kind::crash;
      break;
    case fault_target::quit:
      out.kind = fault_kind::quit;
      break;
    default:
      out.kind = fault_kind::hang;
      out.length = what.target == fault_target::slow ? what.by : what.length;
  }
  return out;
}

} // namespace

fault_runner::fault_runner(fault_scenario scenario, hands with)
    : plan_{std::move(scenario)},
      with_{std::move(with)} {}

void fault_runner::start() {
  began_ = with_.where->now();
  run();
}

void fault_runner::stop() {
  next_.reset();
  with_.clock->shift(std::chrono::milliseconds{0});
  with_.switches->clear();
}

void fault_runner::run() {
  const auto since =
    std::chrono::duration_cast<std::chrono::milliseconds>(with_.where->now() - began_);
  for (const auto& due : plan_.take_due(since))
    make(plan_.entry(due.entry), due.begins);
  if (plan_.is_over())
    return log(log_level::info, "faults.over", {});
  next_ = with_.where->after(plan_.next() - since, [this] { run(); });
}

void fault_runner::make(const fault_entry& what, bool begins) {
  switch (what.target) {
    case fault_target::crash:
    case fault_target::quit:
    case fault_target::hang:
    case fault_target::slow:
      // The actors count them: an order that meets nobody is no fault.
      return with_.order(order_of(what));
    case fault_target::clock:
      with_.clock->shift(begins ? what.by : std::chrono::milliseconds{0});
      break;
    case fault_target::store:
    case fault_target::llm:
    case fault_target::stt:
    case fault_target::tts:
      with_.switches->set(what.target,
                          begins ? std::optional{fault_switches::setting{what.fault, what.by}}
                                 : std::nullopt);
  }
  if (begins)
    with_.count->add(counter::faults_made);
}

} // namespace sidevoice
