#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Hears for one voice seat: opens a stream of the app's first engine that works, gives it to the
/// connection, and passes its words to `audio` (which the session names). When a stream breaks, an
/// utterance fails or its words are overdue, the next engine takes over and the connection feeds it
/// what is not transcribed; when there is none left, the words are reported as failed. Ends with an
/// error when no engine can be opened at all.
stt_actor spawn_stt(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                    const session_actor& session, const start_voice& seat);

} // namespace sidevoice
