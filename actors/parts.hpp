#pragma once

#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "persistence/store.hpp"
#include "providers/catalogue.hpp"

#include <chrono>
#include <string>

namespace sidevoice {

/// Waits of the session's tree; every one has a named outcome in log and counters.
struct session_timing {
  /// No client and no work for so long: the actors go, the journal stays.
  std::chrono::milliseconds idle{600'000};
  /// A store answer that takes longer ends the session actor; it is rebuilt from the journal.
  std::chrono::milliseconds store_deadline{15'000};
  /// Pause before a refused store is asked again on the session's own account.
  std::chrono::milliseconds store_retry{500};
  /// Nothing at all from a model, then nothing more.
  std::chrono::milliseconds first_token{15'000};
  std::chrono::milliseconds stall{20'000};
  /// A whole analysis.
  std::chrono::milliseconds analysis{30'000};
  /// Pause after a failed analysis before the one retry.
  std::chrono::milliseconds analysis_retry{2'000};
};

/// What a node gives its sessions. Built by main (or the lab); outlives all actors.
struct node_parts {
  store* journal = nullptr;
  const catalogue* providers = nullptr;
  loop* where = nullptr;
  id_source* ids = nullptr;
  counters* count = nullptr;
  /// This node's incarnation; goes into the rows it claims.
  std::string node;
  session_timing timing = {};
};

} // namespace sidevoice
