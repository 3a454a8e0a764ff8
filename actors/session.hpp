#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Starts the session actor: claims the session's row, folds its journal, then serves. It ends with
/// an error of ours (`from_caf`) when the journal cannot be had: not_found, conflict, damaged,
/// unavailable; with exit_reason::normal after its idle time.
session_actor spawn_session(caf::actor_system& sys, const node_parts& parts,
                            const find_session& who);

} // namespace sidevoice
