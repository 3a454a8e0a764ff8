#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Starts the analyzer actor: it follows the session and keeps the checklist through update_topic
/// calls of its model. One analysis at a time, over the newest state; what arrives meanwhile is
/// taken together by the next. It never delays a reply.
listener_actor spawn_analyzer(caf::actor_system& sys, const node_parts& parts,
                              const session_actor& session, const std::string& id);

} // namespace sidevoice
