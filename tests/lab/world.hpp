#pragma once

#include "actors/budget.hpp"
#include "actors/supervision_figures.hpp"
#include "cluster/directory_local.hpp"
#include "cluster/faulty_node.hpp"
#include "cluster/supervision_tree.hpp"
#include "config/app_registry.hpp"
#include "tests/lab/coverage.hpp"
#include "tests/lab/dice.hpp"
#include "tests/lab/journal_watch.hpp"
#include "tests/lab/lab_client.hpp"
#include "tests/lab/lab_http.hpp"
#include "tests/lab/lab_loop.hpp"
#include "tests/lab/lab_store.hpp"
#include "tests/lab/lab_voice.hpp"
#include "tests/lab/scenario.hpp"
#include "tests/lab/script_llm.hpp"
#include "tests/lab/watched_disk.hpp"
#include "tests/support/faulty_disk.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sidevoice::lab {

/// What a run reports.
struct outcome {
  std::vector<std::string> violations;
  std::string journal_hash;
  std::uint64_t steps = 0;
  std::uint64_t events = 0;
  /// How often each fault happened.
  std::map<std::string, std::uint64_t> faults;
  /// How calls of tools ended: "once: unknown", "page: no_page".
  std::map<std::string, std::uint64_t> calls;
  coverage covered;
};

/// One node with its production actors and codecs, on virtual time, with its interleaving chosen by
/// the scenario's seed. Sessions are talked to by scripted clients while its faults are made. What
/// must hold at any time is checked after each step; then the faults stop, everything settles, and
/// the rest is checked.
class world {
public:
  explicit world(scenario plan, bool trace = false);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  outcome run();

private:
  struct patron {
    std::unique_ptr<lab_client> client;
    std::string session;
    /// The actor that looks for its session has not come back yet.
    std::shared_ptr<bool> searching;
    /// Frames and acknowledgements that have been looked at.
    std::uint64_t frames_seen = 0;
    std::uint64_t sounds_seen = 0;
    /// When it last heard something.
    loop::clock::time_point heard_at = {};
    std::size_t acknowledged_seen = 0;
  };
  /// An actor of a session's tree, or a connection.
  struct member {
    caf::actor_addr address;
    std::string session;
  };

  // -- turning the world (world.cpp)
  // -----------------------------------------------------------------------
  void start_node();
  void step();
  bool work_once();
  void settle();
  /// Whether a session has a response that has not ended.
  bool is_busy();
  [[nodiscard]] std::set<std::string> sessions() const;
  void advance(std::chrono::milliseconds by);
  void connect(patron& who);
  session_tree recorded_tree();
  void say(const std::string& what);
  void said_to_run(const std::string& call, const std::string& tool);
  [[nodiscard]] bool is_without(const char* trouble) const {
    return plan_.without.contains(trouble);
  }

  // -- faults (world_faults.cpp)
  // -------------------------------------------------------------------------------
  /// False: nobody is in the state that it waits for.
  bool make_fault(const planned_fault& fault);
  bool hit_actor(const planned_fault& fault);
  bool hit_line(const planned_fault& fault);
  void hit_disk(const planned_fault& fault);
  void hit_node(const std::string& what);
  [[nodiscard]] bool is_in_state(const std::string& session, const planned_fault& fault);
  void count_disk_faults(const std::string& session);
  void crash_node(bool power_fails);
  void covered(const std::string& fault, const std::string& session);
  [[nodiscard]] std::vector<std::string> states_of(const std::string& session);
  [[nodiscard]] bool is_hung(const caf::resumable* job) const;

  // -- checks after each step (invariants_running.cpp)
  // -------------------------------------------------------------------------------
  std::optional<std::vector<event_ptr>> read(const std::string& session, std::uint64_t after);
  void look(const session_key& key);
  void look_again();
  void check_step();
  void check_running(patron& who);

  // -- checks (invariants.cpp)
  // -------------------------------------------------------------------------------
  void violated(const std::string& what);
  void print(const std::string& session, const journal_watch& watch) const;
  void check_journal(const std::string& session);
  void check_inputs(const std::string& session, const journal_watch& watch);
  void check_responses(const std::string& session, const journal_watch& watch);
  void check_calls(const std::string& session, const journal_watch& watch);
  void check_speech(const std::string& session, const std::vector<event_ptr>& events,
                    const session_view& view);
  void check_heard(const std::string& session, const session_view& view);
  void check_usage();
  void check_client(const patron& who, const session_view& view);
  void check_agreement(const std::string& session);
  void check_tree();
  void check_silence();
  std::map<std::string, std::vector<std::string>> living_tree();
  journal_watch& watch_of(const std::string& session);

  scenario plan_;
  dice chance_;
  bool trace_;
  /// The model asks for what its hint names, and visitors say what the topics are.
  bool asks_ = false;
  outcome out_;
  std::vector<std::string> trail_;
  app_ptr app_;
  llm_script script_;
  voice_script voice_;
  /// Half of the runs are talks.
  bool talks_ = false;
  std::uint64_t next_sentence_ = 2;
  /// Of the steps, clients do something in so many of a hundred.
  std::uint64_t act_percent_ = 10;
  catalogue providers_;
  counters count_;
  counted_ids ids_;
  app_registry apps_;
  supervision_figures figures_;
  spend_ledger ledger_;
  /// Null: the store keeps everything in memory. Else SQLite writes to it.
  std::unique_ptr<faulty_disk> platter_;
  disk_tally tally_;
  std::unique_ptr<watched_disk> disk_;
  std::map<std::string, journal_watch> watches_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* sched_ = nullptr;
  std::unique_ptr<lab_loop> loop_;
  std::unique_ptr<lab_http> outside_;
  /// The stores of all incarnations: actors of a dead one still point to theirs.
  std::vector<std::unique_ptr<lab_store>> stores_;
  /// Where the scenario has faults as the server takes them.
  std::vector<std::unique_ptr<faulty_node>> faulty_;
  node_parts parts_;
  directory_actor directory_;
  std::vector<member> spawned_;
  /// Actors that handle nothing until then.
  std::map<caf::actor_id, loop::clock::time_point> hung_;
  std::vector<patron> patrons_;
  std::uint64_t incarnation_ = 0;
  /// From then on nothing fails any more.
  std::int64_t quiet_from_ms_ = 0;
};

} // namespace sidevoice::lab
