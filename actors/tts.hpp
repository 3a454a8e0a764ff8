#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Speaks for one voice seat: follows the session's answers, cuts them into chunks, has one chunk
/// at a time spoken by the app's first engine that works, and sends the sound to the connection. At
/// most two chunks ahead of what the connection asks for. An answer that no engine can speak ends
/// as text: its `last` piece comes all the same.
tts_actor spawn_tts(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                    const session_actor& session, const start_voice& seat);

} // namespace sidevoice
