#include "actors/supervisor.hpp"

#include "actors/restart_policy.hpp"
#include "config/log.hpp"

#include <optional>

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

namespace {

using supervisor_inner = session_supervisor_actor::extend<caf::reacts_to<restart_child>>;

/// How long a session may take to fold its journal before those who wait are told.
constexpr std::chrono::seconds load_deadline{15};

/// Ends that a restart would only repeat, or that ask for none.
bool is_final(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown)
    return true;
  const auto why = from_caf(reason);
  return why.code == errc::not_found || why.code == errc::conflict || why.code == errc::damaged;
}

/// Owned by one supervisor actor; touched only inside its handlers.
class supervisor_state {
public:
  static inline const char* name = "session supervisor";

  explicit supervisor_state(supervisor_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const session_tree& tree, const find_session& who,
             const caf::actor& parent) {
    parts_ = parts;
    parent_ = parent.address();
    self_->monitor(parent);
    tree_ = tree;
    who_ = who;
    children_.resize(1 + tree_.children.size() + tree_.voice.size());
    children_[0].name = "session";
    for (std::size_t i = 0; i < tree_.children.size(); ++i)
      children_[i + 1].name = tree_.children[i].name;
    for (std::size_t i = 0; i < tree_.voice.size(); ++i)
      children_[first_voice() + i].name = tree_.voice[i].name;
    self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
    // Children are linked, so that they end with their supervisor; their own ends come as down
    // messages.
    self_->set_exit_handler([this](const caf::exit_msg& exit) {
      if (exit.source == self_->address())
        stop(caf::exit_reason::user_shutdown);
    });
    start_session();
  }

  caf::result<session_actor> on_find() {
    if (stopping_)
      return caf::skip();
    if (ready_)
      return session_;
    auto answer = self_->make_response_promise<session_actor>();
    waiting_.push_back(answer);
    return answer;
  }

  [[nodiscard]] tree_report report() const {
    tree_report all;
    for (std::size_t i = 0; i < children_.size(); ++i)
      if (i < first_voice() || voice_)
        all.entries.push_back(
          {children_[i].name, who_.id, children_[i].policy.restarts(), children_[i].last_reason});
    return all;
  }

  void on_restart(const restart_child& restart) {
    if (stopping_ || restart.generation != generation_)
      return;
    if (restart.index == 0)
      start_session();
    else if (restart.index < first_voice())
      start_child(restart.index);
    else if (voice_ && voice_->seat == restart.seat)
      start_voice_child(restart.index);
  }

  void on_start_voice(const start_voice& seat) {
    if (stopping_)
      return;
    end_voice();
    voice_ = seat;
    for (auto i = first_voice(); i < children_.size(); ++i)
      start_voice_child(i);
  }

  void on_stop_voice(const stop_voice& seat) {
    if (voice_ && voice_->seat == seat.seat)
      end_voice();
  }

  /// Ends the children and then itself; who waits gets the reason.
  void stop(caf::error why) {
    if (std::exchange(stopping_, true))
      return;
    for (auto& answer : waiting_)
      answer.deliver(
        is_final(why) && from_caf(why).reason == "no_answer"
          ? to_caf({errc::unavailable, "the session is going to sleep; ask again", {}, "stopping"})
          : why);
    waiting_.clear();
    for (auto& child : children_)
      end(child);
    self_->quit(std::move(why));
  }

private:
  struct child_entry {
    std::string name;
    caf::actor actor;
    restart_policy policy;
    std::string last_reason;
  };

  void start_session() {
    ++generation_;
    ready_ = false;
    session_ = tree_.session(self_->system(), parts_, who_);
    self_->send(session_, voice_keeper{supervisor_inner{self_}});
    watch(children_[0], caf::actor_cast<caf::actor>(session_));
    for (std::size_t i = 1; i < first_voice(); ++i)
      start_child(i);
    self_->request(session_, load_deadline, view_atom::value)
      .then([this](const attached&) { on_ready(); },
            [this](const caf::error&) {
              // Its end comes as a down message with the reason; a silent one is ended here.
              if (!ready_ && !stopping_ && children_[0].actor)
                self_->send_exit(children_[0].actor,
                                 to_caf({errc::unavailable, "the journal took too long"}));
            });
  }

  void on_ready() {
    ready_ = true;
    // From now on the session exists: a restart must find it, not make it.
    who_.create = false;
    for (auto& answer : std::exchange(waiting_, {}))
      answer.deliver(session_);
  }

  void start_child(std::size_t index) {
    auto& child = children_[index];
    watch(child, tree_.children[index - 1].start(self_->system(), parts_, who_, session_));
  }

  /// Voice actors come behind the session's own children.
  [[nodiscard]] std::size_t first_voice() const {
    return 1 + tree_.children.size();
  }

  void start_voice_child(std::size_t index) {
    watch(children_[index], tree_.voice[index - first_voice()].start(self_->system(), parts_, who_,
                                                                     session_, *voice_));
  }

  void end_voice() {
    for (auto i = first_voice(); i < children_.size(); ++i)
      end(children_[i]);
    voice_.reset();
  }

  void watch(child_entry& child, caf::actor fresh) {
    child.actor = std::move(fresh);
    self_->link_to(child.actor);
    self_->monitor(child.actor);
  }

  void end(child_entry& child) {
    if (!child.actor)
      return;
    self_->demonitor(child.actor);
    self_->unlink_from(child.actor);
    self_->send_exit(child.actor, caf::exit_reason::user_shutdown);
    child.actor = nullptr;
  }

  void on_down(const caf::down_msg& down) {
    if (down.source == parent_)
      return stop(caf::exit_reason::user_shutdown);
    for (std::size_t i = 0; i < children_.size(); ++i)
      if (children_[i].actor && children_[i].actor.address() == down.source)
        return on_child_down(i, down.reason);
  }

  void on_child_down(std::size_t index, const caf::error& reason) {
    auto& child = children_[index];
    child.actor = nullptr;
    child.last_reason = self_->system().render(reason);
    if (index == 0 && is_final(reason))
      return stop(reason);
    const auto pause = child.policy.on_crash(parts_.where->now(), parts_.ids->random());
    if (!pause && index >= first_voice())
      return lose_voice(child);
    if (!pause) {
      parts_.count->add(counter::sessions_failed);
      log(log_level::error, "session.failed",
          {{"session", who_.id}, {"child", child.name}, {"reason", child.last_reason}});
      return stop(to_caf(
        {errc::unavailable, "the session's " + child.name + " crashed too often", {}, "failed"}));
    }
    parts_.count->add(counter::actor_restarts);
    log(log_level::warning, "session.restart",
        {{"session", who_.id}, {"child", child.name}, {"reason", child.last_reason}});
    if (index == 0) {
      ready_ = false;
      ++generation_;
      for (std::size_t i = 1; i < first_voice(); ++i)
        end(children_[i]);
      end_voice();
    }
    self_->delayed_send(self_, *pause,
                        restart_child{index, generation_, voice_ ? voice_->seat : 0});
  }

  /// The seat is lost and the session goes on as text.
  void lose_voice(child_entry& child) {
    log(log_level::error, "seat.failed",
        {{"session", who_.id}, {"child", child.name}, {"reason", child.last_reason}});
    child.policy = {};
    const auto seat = *voice_;
    end_voice();
    self_->send(session_, leave_seat{seat.seat});
    self_->send(seat.holder, seat_lost{seat.seat, "failed"});
  }

  supervisor_inner::pointer self_;
  node_parts parts_;
  session_tree tree_;
  find_session who_;
  caf::actor_addr parent_;
  session_actor session_;
  std::vector<child_entry> children_;
  std::vector<caf::typed_response_promise<session_actor>> waiting_;
  /// Who talks now.
  std::optional<start_voice> voice_;
  /// Counts starts of the session; restarts planned under an older one are obsolete.
  std::uint64_t generation_ = 0;
  bool ready_ = false;
  bool stopping_ = false;
};

supervisor_inner::behavior_type
supervisor_behavior(supervisor_inner::stateful_pointer<supervisor_state> self,
                    const node_parts& parts, const session_tree& tree, const find_session& who,
                    const caf::actor& parent) {
  auto& s = self->state;
  s.start(parts, tree, who, parent);
  return {
    [&s](const find_session&) { return s.on_find(); },
    [&s](tree_atom) { return s.report(); },
    [&s](const start_voice& seat) { s.on_start_voice(seat); },
    [&s](const stop_voice& seat) { s.on_stop_voice(seat); },
    [&s](stop_atom) { s.stop(caf::exit_reason::user_shutdown); },
    [&s](const restart_child& restart) { s.on_restart(restart); },
  };
}

} // namespace

session_supervisor_actor spawn_session_supervisor(caf::actor_system& sys, const node_parts& parts,
                                                  const session_tree& tree, const find_session& who,
                                                  const caf::actor& parent) {
  return sys.spawn(supervisor_behavior, parts, tree, who, parent);
}

} // namespace sidevoice
