#pragma once

#include "actors/supervisor.hpp"

namespace sidevoice {

/// The session's tree, whole: see the .cpp.
session_tree make_session_tree();

/// Names of the node's own parts in the order of their start, and of the session's, for
/// /debug/tree; `with_voice` while somebody holds the voice seat.
std::vector<std::string> node_tree_names();
std::vector<std::string> session_tree_names(bool with_voice = false);

} // namespace sidevoice
