#pragma once

#include "actors/pulse.hpp"
#include "actors/restart_policy.hpp"
#include "actors/supervisor.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

/// The session supervisor's inside: its private messages and its state.
namespace sidevoice {

/// Start child number `index` again; 0 is the session. Obsolete once the session has been started
/// anew.
struct restart_child {
  std::size_t index = 0;
  std::uint64_t generation = 0;
  /// Of voice actors: the seat they serve.
  std::uint64_t seat = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(restart_child)

namespace sidevoice {

/// `pulse_atom`, from the directory by and by: look whether all children answer.
using supervisor_inner =
  session_supervisor_actor::extend<caf::reacts_to<restart_child>, caf::reacts_to<pulse_atom>>;

/// Owned by one supervisor actor; touched only inside its handlers.
class supervisor_state {
public:
  static inline const char* name = "session supervisor";

  explicit supervisor_state(supervisor_inner::pointer self) : self_{self} {}

  // -- life (supervisor.cpp)
  // --------------------------------------------------------------------------

  void start(const node_parts& parts, const session_tree& tree, const find_session& who,
             const caf::actor& parent);
  caf::result<session_actor> on_find();
  void on_restart(const restart_child& restart);
  void on_start_voice(const start_voice& seat);
  void on_stop_voice(const stop_voice& seat);
  void on_drain(const drain_session& how);
  void on_fault(const fault_order& fault);
  /// Ends the children and then itself; who waits gets the reason.
  void stop(caf::error why);

  // -- who is alive (supervisor_pulse.cpp)
  // ------------------------------------------------------------

  /// The tree, with what each child says of itself.
  caf::result<tree_report> on_tree();
  /// Asks all children; one that stays silent is ended.
  void on_watch();

private:
  struct child_entry {
    std::string name;
    caf::actor actor;
    restart_policy policy;
    std::string last_reason;
    /// A question of the watch is under way; how many have passed in silence.
    bool asked = false;
    std::uint32_t missed = 0;
    /// Its silence has been counted.
    bool silent = false;
  };

  void start_session();
  void on_ready();
  void start_child(std::size_t index);
  /// Voice actors come behind the session's own children.
  [[nodiscard]] std::size_t first_voice() const {
    return 1 + tree_.children.size();
  }
  void start_voice_child(std::size_t index);
  void end_voice();
  void watch(child_entry& child, caf::actor fresh);
  /// From now on the child is nobody's: what becomes of it is not asked.
  caf::actor let_go(child_entry& child);
  void end(child_entry& child);
  void on_down(const caf::down_msg& down);
  void on_child_down(std::size_t index, const caf::error& reason);
  void give_up(const child_entry& child);
  void lose_voice(child_entry& child);
  /// The order comes from the session that runs now, and not from one that was given up.
  [[nodiscard]] bool is_from_session() const;

  void ask(std::size_t index);
  void on_pulse(child_entry& child, const pulse_report& pulse, std::chrono::microseconds age);
  void on_silence(std::size_t index);
  void count_silence(child_entry& child);
  void end_hung(std::size_t index);
  void remember_client();
  void tell_restart(std::size_t index);
  [[nodiscard]] std::chrono::microseconds since(loop::clock::time_point asked) const;

  supervisor_inner::pointer self_;
  node_parts parts_;
  session_tree tree_;
  find_session who_;
  caf::actor_addr parent_;
  session_actor session_;
  std::vector<child_entry> children_;
  std::vector<caf::typed_response_promise<session_actor>> waiting_;
  /// Who has asked for the session, and so watches it; monitored.
  std::vector<caf::actor_addr> clients_;
  /// Who talks now.
  std::optional<start_voice> voice_;
  /// Counts starts of the session; restarts planned under an older one are obsolete.
  std::uint64_t generation_ = 0;
  std::optional<loop::clock::time_point> told_at_;
  bool ready_ = false;
  bool stopping_ = false;
  /// For a session that is started again while the node drains.
  std::optional<drain_session> drain_;
};

} // namespace sidevoice
