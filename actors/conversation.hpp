#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

namespace sidevoice {

/// Starts the conversation actor: it joins the session as its runner and runs one response at a
/// time: prompt, model stream, clauses. The models of the app are tried in their order; the next
/// one takes over on an error or a silence before the first word. Beside that it runs the calls of
/// this server's tools that the session hands to it. `id` is the session's, for logs and budgets.
runner_actor spawn_conversation(caf::actor_system& sys, const node_parts& parts,
                                const session_actor& session, const std::string& id);

} // namespace sidevoice
