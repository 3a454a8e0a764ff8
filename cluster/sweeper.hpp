#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"

#include <functional>

namespace sidevoice {

/// The app of a row; null when this server does not know it any more.
using app_lookup = std::function<app_ptr(const std::string& id)>;

/// Finishes what a dead incarnation left open: at start, every session with an open response is
/// found (and so restored), a few at a time; nobody has to come back for its work to finish. Ends
/// when done.
void spawn_sweeper(caf::actor_system& sys, const node_parts& parts,
                   const directory_actor& directory, app_lookup apps);

} // namespace sidevoice
