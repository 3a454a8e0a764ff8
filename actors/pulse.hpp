#pragma once

#include "actors/messages.hpp"
#include "actors/parts.hpp"
#include "actors/supervision_figures.hpp"

#include <cstdint>
#include <string>

namespace sidevoice {

/// "Are you there?", to any actor of a session's tree: a request that is in no interface, so it
/// goes to a `caf::actor`. Answered with a pulse_report. Its own supervisor asks, and so whoever
/// waits behind a handler that does not return is seen.
using pulse_atom = caf::atom_constant<caf::atom("pulse")>;

struct pulse_report {
  /// Messages in its mailbox behind the question.
  std::uint64_t waiting = 0;
};

/// At the start of each actor of a session's tree. From then on it answers pulses; an exception
/// that leaves a handler ends it with the exception's text as the reason; a message that it does
/// not know is logged once and dropped. In test builds (SIDEVOICE_FAULTS) it obeys a `fault_order`.
/// `name` is that of the supervision tree.
void take_pulse(caf::scheduled_actor* self, const node_parts& parts, std::string name,
                std::string session);

/// Why an actor ended, for counting and for people.
end_reason classify(const caf::error& reason);
std::string describe(const caf::actor_system& sys, const caf::error& reason);

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(pulse_report)
