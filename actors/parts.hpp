#pragma once

#include "actors/budget.hpp"
#include "actors/calls.hpp"
#include "actors/seat_register.hpp"
#include "actors/turn_histograms.hpp"
#include "config/app_registry.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "persistence/store.hpp"
#include "providers/catalogue.hpp"
#include "providers/speech/engines.hpp"
#include "providers/vendor_health.hpp"

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
  /// Calls of tools that wait for somebody.
  call_patience calls;
  /// The words of an utterance, once it has ended; then the next engine, then "failed".
  std::chrono::milliseconds transcript{8'000};
  /// Speech without words that nobody transcribes any more is given up as lost.
  std::chrono::milliseconds speech{20'000};
  /// From one piece of an engine's speech to the next.
  std::chrono::milliseconds tts_stall{5'000};
  /// A spoken answer whose sound is not sent this long after it should have been.
  std::chrono::milliseconds playout_slack{15'000};
  /// A whole analysis.
  std::chrono::milliseconds analysis{30'000};
  /// Pause after a failed analysis before the one retry.
  std::chrono::milliseconds analysis_retry{2'000};
};

class tracer;
class supervision_figures;

/// What a node gives its sessions. Built by main (or the lab); outlives all actors.
struct node_parts {
  store* journal = nullptr;
  const catalogue* providers = nullptr;
  /// Null: apps have no live settings (tests).
  const app_registry* apps = nullptr;
  /// Null: no network.
  http_client* http = nullptr;
  /// Null: nobody counts the money.
  spend_ledger* ledger = nullptr;
  /// Null: no local speech.
  speech_engines* speech = nullptr;
  /// Null: voice seats are not counted.
  seat_register* seats = nullptr;
  /// Null: turns are not counted.
  turn_histograms* turns = nullptr;
  /// Null: restarts and queues are not counted by name (`actors/supervision_figures.hpp`).
  supervision_figures* figures = nullptr;
  /// Null: nothing is traced (`actors/tracer.hpp`).
  tracer* traces = nullptr;
  /// Null: failures of vendors are not remembered.
  vendor_health* health = nullptr;
  /// Where addresses of tools find their references.
  environment env = process_environment();
  loop* where = nullptr;
  id_source* ids = nullptr;
  counters* count = nullptr;
  /// This node's incarnation; goes into the rows it claims.
  std::string node;
  session_timing timing = {};

  [[nodiscard]] live_ptr live_of(const std::string& app) const {
    return apps != nullptr ? apps->live_of(app) : std::make_shared<const live_settings>();
  }
};

} // namespace sidevoice
