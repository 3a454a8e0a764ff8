#include "actors/supervisor.hpp"

#include "actors/supervisor_state.hpp"
#include "config/log.hpp"

#include <utility>

namespace sidevoice {

namespace {

/// How long a session may take to fold its journal before those who wait are told.
constexpr std::chrono::seconds load_deadline{15};

/// Ends that a restart would only repeat, or that ask for none.
bool is_final(const caf::error& reason) {
  if (!reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown)
    return true;
  const auto why = from_caf(reason);
  return why.code == errc::not_found || why.code == errc::conflict || why.code == errc::damaged;
}

} // namespace

void supervisor_state::start(const node_parts& parts, const session_tree& tree,
                             const find_session& who, const caf::actor& parent) {
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

caf::result<session_actor> supervisor_state::on_find() {
  if (stopping_)
    return caf::skip();
  remember_client();
  if (ready_)
    return session_;
  auto answer = self_->make_response_promise<session_actor>();
  waiting_.push_back(answer);
  return answer;
}

void supervisor_state::on_restart(const restart_child& restart) {
  if (stopping_ || restart.generation != generation_)
    return;
  if (restart.index == 0)
    start_session();
  else if (restart.index < first_voice())
    start_child(restart.index);
  else if (voice_ && voice_->seat == restart.seat)
    start_voice_child(restart.index);
}

bool supervisor_state::is_from_session() const {
  const auto& sender = self_->current_sender();
  // Not `session_`: that is the old one's handle until the new one has begun.
  const auto& session = children_.front().actor;
  return !sender || (session && caf::actor_cast<caf::actor_addr>(sender) == session.address());
}

void supervisor_state::on_start_voice(const start_voice& seat) {
  if (stopping_ || !is_from_session())
    return;
  end_voice();
  voice_ = seat;
  for (auto i = first_voice(); i < children_.size(); ++i)
    start_voice_child(i);
}

void supervisor_state::on_stop_voice(const stop_voice& seat) {
  if (voice_ && voice_->seat == seat.seat && is_from_session())
    end_voice();
}

void supervisor_state::on_drain(const drain_session& how) {
  drain_ = how;
  if (!stopping_ && session_)
    self_->send(session_, how);
}

void supervisor_state::on_fault(const fault_order& fault) {
  for (auto& child : children_)
    if (child.actor && child.name == fault.actor)
      caf::anon_send(child.actor, fault);
}

void supervisor_state::stop(caf::error why) {
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

void supervisor_state::start_session() {
  ++generation_;
  ready_ = false;
  session_ = tree_.session(self_->system(), parts_, who_);
  self_->send(session_, voice_keeper{supervisor_inner{self_}});
  if (drain_)
    self_->send(session_, *drain_);
  watch(children_[0], caf::actor_cast<caf::actor>(session_));
  for (std::size_t i = 1; i < first_voice(); ++i)
    start_child(i);
  self_->request(session_, load_deadline, view_atom::value)
    .then(
      [this, generation = generation_](const attached&) {
        if (generation == generation_)
          on_ready();
      },
      [this, generation = generation_](const caf::error&) {
        // Its end comes as a down message with the reason; a silent one is ended here.
        if (generation == generation_ && !ready_ && !stopping_ && children_[0].actor)
          self_->send_exit(children_[0].actor,
                           to_caf(
                             {errc::unavailable, "the journal took too long", {}, "deadline"}));
      });
}

void supervisor_state::on_ready() {
  ready_ = true;
  // From now on the session exists: a restart must find it, not make it.
  who_.create = false;
  for (auto& answer : std::exchange(waiting_, {}))
    answer.deliver(session_);
}

void supervisor_state::start_child(std::size_t index) {
  watch(children_[index], tree_.children[index - 1].start(self_->system(), parts_, who_, session_));
}

void supervisor_state::start_voice_child(std::size_t index) {
  watch(children_[index],
        tree_.voice[index - first_voice()].start(self_->system(), parts_, who_, session_, *voice_));
}

void supervisor_state::end_voice() {
  for (auto i = first_voice(); i < children_.size(); ++i)
    end(children_[i]);
  voice_.reset();
}

void supervisor_state::watch(child_entry& child, caf::actor fresh) {
  child.actor = std::move(fresh);
  child.asked = child.silent = false;
  child.missed = 0;
  self_->link_to(child.actor);
  self_->monitor(child.actor);
}

caf::actor supervisor_state::let_go(child_entry& child) {
  self_->demonitor(child.actor);
  self_->unlink_from(child.actor);
  return std::exchange(child.actor, nullptr);
}

void supervisor_state::end(child_entry& child) {
  if (child.actor)
    self_->send_exit(let_go(child), caf::exit_reason::user_shutdown);
}

void supervisor_state::on_down(const caf::down_msg& down) {
  if (down.source == parent_)
    return stop(caf::exit_reason::user_shutdown);
  std::erase(clients_, down.source);
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (children_[i].actor && children_[i].actor.address() == down.source)
      return on_child_down(i, down.reason);
}

void supervisor_state::on_child_down(std::size_t index, const caf::error& reason) {
  auto& child = children_[index];
  child.actor = nullptr;
  child.last_reason = describe(self_->system(), reason);
  if (index == 0 && is_final(reason))
    return stop(reason);
  const auto now = parts_.where->now();
  const auto pause = child.policy.on_crash(now, parts_.ids->random());
  if (!pause && index >= first_voice())
    return lose_voice(child);
  if (!pause)
    return give_up(child);
  const auto why = classify(reason);
  parts_.count->add(counter::actor_restarts);
  if (parts_.figures != nullptr)
    parts_.figures->restarted(child.name, why);
  log(log_level::warning, "session.restart",
      {{"session", who_.id},
       {"child", child.name},
       {"class", to_string(why)},
       {"reason", child.last_reason},
       {"restarts", std::to_string(child.policy.restarts())},
       {"crashes", std::to_string(child.policy.crashes(now))},
       {"crashes_max", std::to_string(child.policy.intensity())}});
  if (index == 0) {
    ready_ = false;
    ++generation_;
    for (std::size_t i = 1; i < first_voice(); ++i)
      end(children_[i]);
    end_voice();
  } else {
    tell_restart(index);
  }
  self_->delayed_send(self_, *pause, restart_child{index, generation_, voice_ ? voice_->seat : 0});
}

/// The next contact starts anew, from the journal.
void supervisor_state::give_up(const child_entry& child) {
  parts_.count->add(counter::sessions_failed);
  if (parts_.figures != nullptr)
    parts_.figures->session_given_up();
  log(log_level::error, "session.failed",
      {{"session", who_.id}, {"child", child.name}, {"reason", child.last_reason}});
  stop(to_caf(
    {errc::unavailable, "the session's " + child.name + " crashed too often", {}, "failed"}));
}

/// The seat is lost and the session goes on as text.
void supervisor_state::lose_voice(child_entry& child) {
  if (parts_.figures != nullptr)
    parts_.figures->seat_given_up();
  log(log_level::error, "seat.failed",
      {{"session", who_.id}, {"child", child.name}, {"reason", child.last_reason}});
  child.policy = {};
  const auto seat = *voice_;
  end_voice();
  self_->send(session_, leave_seat{seat.seat});
  self_->send(seat.holder, seat_lost{seat.seat, "failed"});
}

namespace {

supervisor_inner::behavior_type
supervisor_behavior(supervisor_inner::stateful_pointer<supervisor_state> self,
                    const node_parts& parts, const session_tree& tree, const find_session& who,
                    const caf::actor& parent) {
  auto& s = self->state;
  s.start(parts, tree, who, parent);
  return {
    [&s](const find_session&) { return s.on_find(); },
    [&s](tree_atom) { return s.on_tree(); },
    [&s](const start_voice& seat) { s.on_start_voice(seat); },
    [&s](const stop_voice& seat) { s.on_stop_voice(seat); },
    [&s](const drain_session& how) { s.on_drain(how); },
    [&s](const fault_order& fault) { s.on_fault(fault); },
    [&s](stop_atom) { s.stop(caf::exit_reason::user_shutdown); },
    [&s](const restart_child& restart) { s.on_restart(restart); },
    [&s](pulse_atom) { s.on_watch(); },
  };
}

} // namespace

session_supervisor_actor spawn_session_supervisor(caf::actor_system& sys, const node_parts& parts,
                                                  const session_tree& tree, const find_session& who,
                                                  const caf::actor& parent) {
  return sys.spawn(supervisor_behavior, parts, tree, who, parent);
}

} // namespace sidevoice
