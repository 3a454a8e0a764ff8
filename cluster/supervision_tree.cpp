#include "cluster/supervision_tree.hpp"

#include "actors/analyzer.hpp"
#include "actors/conversation.hpp"
#include "actors/session.hpp"

/// The whole supervision tree, as two lists. /debug/tree prints the same names live.
namespace sidevoice {

std::vector<std::string> node_tree_names() {
  return {
    "store",     // the journal's writer thread; without it the process ends
    "directory", // session -> its supervisor; one per node
    "sessions",  // one supervisor each, below
    "gateway",   // listener, sockets, one connection actor per socket
  };
}

session_tree make_session_tree() {
  const auto conversation = [](caf::actor_system& sys, const node_parts& parts,
                               const find_session& who, const session_actor& session) {
    return caf::actor_cast<caf::actor>(spawn_conversation(sys, parts, session, who.id));
  };
  const auto analyzer = [](caf::actor_system& sys, const node_parts& parts, const find_session& who,
                           const session_actor& session) {
    return caf::actor_cast<caf::actor>(spawn_analyzer(sys, parts, session, who.id));
  };
  return {
    // A crash rebuilds it from the journal and restarts all below (rest for one).
    .session = spawn_session,
    .children =
      {
        {"conversation",
         conversation},         // restarted alone; the session decides what becomes of its response
        {"analyzer", analyzer}, // restarted alone; continues from the last analysis
      },
  };
}

std::vector<std::string> session_tree_names() {
  std::vector<std::string> names{"session"};
  for (const auto& child : make_session_tree().children)
    names.emplace_back(child.name);
  return names;
}

} // namespace sidevoice
