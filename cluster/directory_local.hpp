#pragma once

#include "actors/supervisor.hpp"

#include <atomic>
#include <chrono>

namespace sidevoice {

struct directory_options {
  /// Sessions with running actors on this node; beyond it new ones are refused (`overloaded`).
  std::size_t sessions_max = 100'000;
  /// Kept at the number of sessions with running actors, for metrics; null: nobody asks.
  std::atomic<std::size_t>* live = nullptr;
  /// Supervisors are asked in turns whether their actors answer: each about every `watch_round`,
  /// while there are sessions, and at most `watch_max` of them in a second. 0: nobody asks.
  std::chrono::seconds watch_round{5};
  std::size_t watch_max = 200;
};

/// Starts the directory of a node alone: finds a session's supervisor, or starts one.
directory_actor spawn_directory_local(caf::actor_system& sys, const node_parts& parts,
                                      const session_tree& tree, directory_options options = {});

} // namespace sidevoice
