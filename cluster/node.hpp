#pragma once

#include "actors/interfaces.hpp"
#include "actors/parts.hpp"
#include "cluster/fault_scenario.hpp"
#include "cluster/sweeper.hpp"
#include "config/app_registry.hpp"
#include "config/app_watch.hpp"
#include "config/asio_loop.hpp"
#include "config/trace_settings.hpp"
#include "persistence/stores.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sidevoice {

struct node_options {
  app_entries apps;
  /// Unset: everything stays in memory and is gone with the process.
  std::optional<sqlite_options> data;
  session_timing timing = {};
  /// Unset: no speech on this node.
  std::optional<speech_options> speech = {};
  /// Engines by script instead (`providers/speech/fake_engines.hpp`), to measure the node by.
  bool fake_speech = false;
  /// PEM file of authorities that vendors and webhooks are checked against; empty: the system's.
  std::string ca_file;
  /// Without an address nothing is traced.
  trace_settings traces = {};
  /// Faults made on purpose, from `sweep` on; only test builds obey those of actors.
  std::optional<fault_scenario> faults = {};
  /// Threads that run actors; 0: one per core.
  std::size_t worker_threads = 0;
};

/// What a node is, without its gateway: loop, store, actor system, directory, in this order. The
/// thread that calls `run` is the loop's. `sidevoice chat` is a node and a terminal; `sidevoice
/// serve` is a node and a gateway.
class node {
public:
  /// Errors are the store's (`persistence/stores.hpp`), and `invalid` without an app.
  static result<std::unique_ptr<node>> open(node_options options);

  /// Stops what still runs.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Finishes what an earlier incarnation left open.
  void sweep();

  /// Runs the loop until `stop` has done its work.
  void run();

  /// Has all sessions end the turn that is under way, begin no other, and send their clients to the
  /// next server; after `patience` in any case. `done` is called once, on the loop's thread. Any
  /// thread; once.
  void drain(std::chrono::milliseconds patience, std::function<void()> done);

  /// Ends the sessions (their journals stay), then lets `run` return. At most `patience`; sessions
  /// that take longer are named in the log and left to the journal. Any thread; once.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds{5});

  [[nodiscard]] app_ptr find_app(const std::string& id) const;
  [[nodiscard]] const app_registry& apps() const;
  /// These apps from now on: their releases go into the store, new sessions get them, sessions
  /// that run keep what they have. On the loop's thread, or before `run`.
  void use_apps(app_entries apps);
  /// What the store knows under "stable" and "preview", for apps whose files do not give both.
  /// Only before `run`. Errors are the store's.
  result<std::map<std::string, named_releases>> stored_names();
  [[nodiscard]] const node_parts& parts() const;
  [[nodiscard]] const directory_actor& directory() const;
  /// Sessions with running actors. Any thread.
  [[nodiscard]] std::size_t live_sessions() const;
  [[nodiscard]] caf::actor_system& system();
  [[nodiscard]] boost::asio::io_context& context();
  [[nodiscard]] counters& count();
  [[nodiscard]] loop& where();
  [[nodiscard]] id_source& ids();

private:
  struct body;
  explicit node(std::unique_ptr<body> inside);
  void wait_for_sessions(loop::clock::time_point until);
  void wait_for_turns(loop::clock::time_point until, std::function<void()> done);

  std::unique_ptr<body> body_;
};

} // namespace sidevoice
