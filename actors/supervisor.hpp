#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

#include <functional>
#include <vector>

namespace sidevoice {

/// One line of a session's tree: a name and how to start it. `cluster/supervision_tree.cpp` lists
/// them.
struct session_child {
  const char* name;
  /// Started with the session it belongs to.
  std::function<caf::actor(caf::actor_system&, const node_parts&, const find_session&,
                           const session_actor&)>
    start;
};

/// One that is there while somebody holds the voice seat.
struct voice_child {
  const char* name;
  std::function<caf::actor(caf::actor_system&, const node_parts&, const find_session&,
                           const session_actor&, const start_voice&)>
    start;
};

/// What a session's supervisor runs: the session first, then the others in order.
struct session_tree {
  std::function<session_actor(caf::actor_system&, const node_parts&, const find_session&)> session;
  std::vector<session_child> children;
  std::vector<voice_child> voice = {};
};

/// Starts the supervisor of one session. A child that crashes is started again with backoff; a
/// crash of the session takes its children with it (rest for one). What cannot be restarted (no
/// such session, another owner, a damaged journal, a child that crashes too often) ends the tree;
/// whoever asks for the session is told why, and the next contact starts a new tree from the
/// journal. Ends with its `parent`, so that no tree outlives the directory that could find it.
session_supervisor_actor spawn_session_supervisor(caf::actor_system& sys, const node_parts& parts,
                                                  const session_tree& tree, const find_session& who,
                                                  const caf::actor& parent);

} // namespace sidevoice
