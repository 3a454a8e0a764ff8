#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Turn taking of one voice seat: what the visitor's speech does to the running answer, when their
/// turn is over, what becomes of its words, who breaks a silence, and how long each turn took. The
/// decisions are `turn_taking`, `silence_watch` and `turn_ledger`.
audio_actor spawn_audio(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                        const session_actor& session, const start_voice& seat);

} // namespace sidevoice
