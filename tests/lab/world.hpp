#pragma once

#include "cluster/directory_local.hpp"
#include "cluster/supervision_tree.hpp"
#include "tests/lab/dice.hpp"
#include "tests/lab/lab_client.hpp"
#include "tests/lab/lab_http.hpp"
#include "tests/lab/lab_loop.hpp"
#include "tests/lab/lab_store.hpp"
#include "tests/lab/lab_voice.hpp"
#include "tests/lab/script_llm.hpp"

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
};

/// One node with its production actors and codecs, on virtual time, with its interleaving chosen by
/// the seed. Sessions are talked to by scripted clients while faults are made; then the faults
/// stop, everything settles, and the invariants are checked.
class world {
public:
  explicit world(std::uint64_t seed, bool trace = false);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  outcome run();

  /// All runs are of one kind: the model asks what its hint names, the analyzer is 5 s late.
  static inline bool late_analyzer = false;

private:
  struct patron {
    std::unique_ptr<lab_client> client;
    std::string session;
    /// The actor that looks for its session has not come back yet.
    std::shared_ptr<bool> searching;
  };

  // -- turning the world (world.cpp)
  // -----------------------------------------------------------------------
  void start_node();
  void step();
  bool work_once();
  void settle();
  /// Whether a session has a response that has not ended.
  bool is_answering();
  [[nodiscard]] std::set<std::string> sessions() const;
  void advance(std::chrono::milliseconds by);
  void connect(patron& who);
  void make_fault();
  void crash_node();
  session_tree recorded_tree();
  void say(const std::string& what);
  void said_to_run(const std::string& call, const std::string& tool);

  // -- checks (invariants.cpp)
  // -------------------------------------------------------------------------------
  void violated(const std::string& what);
  void check_journal(const std::string& session);
  void check_events(const std::string& session, const std::vector<event_ptr>& events);
  void check_responses(const std::string& session, const std::vector<event_ptr>& events);
  void check_calls(const std::string& session, const std::vector<event_ptr>& events,
                   const session_view& view);
  void check_speech(const std::string& session, const std::vector<event_ptr>& events,
                    const session_view& view);
  void check_questions(const std::string& session, const std::vector<event_ptr>& events);
  void check_topics(const std::string& session, const std::vector<event_ptr>& events);
  void check_client(const patron& who, const session_view& view);
  void check_agreement(const std::string& session);
  void check_tree();
  void check_silence();
  std::vector<event_ptr> read_all(const std::string& session);

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
  catalogue providers_;
  counters count_;
  counted_ids ids_;
  std::unique_ptr<store_writer> disk_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* sched_ = nullptr;
  std::unique_ptr<lab_loop> loop_;
  std::unique_ptr<lab_http> outside_;
  /// The stores of all incarnations: actors of a dead one still point to theirs.
  std::vector<std::unique_ptr<lab_store>> stores_;
  node_parts parts_;
  directory_actor directory_;
  std::vector<caf::actor_addr> spawned_;
  std::vector<patron> patrons_;
  std::uint64_t incarnation_ = 0;
};

} // namespace sidevoice::lab
