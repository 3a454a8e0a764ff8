#include "actors/session_state.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"

#include <algorithm>

/// A session leaves its node: the turn that is under way ends, no other begins, and clients are
/// sent to the next owner, who goes on by the journal.
namespace sidevoice {

namespace {

/// Clients of a node that stops come back spread over this time.
constexpr std::uint64_t reconnect_spread_ms = 1000;

} // namespace

void session_state::tell_all(const notice& what) {
  for (const auto& one : listeners_)
    self_->send(one.who, what);
}

void session_state::on_drain(const drain_session& how) {
  if (std::exchange(draining_, true))
    return;
  runner_status_.may_begin = false;
  self_->delayed_send(self_, how.patience, drain_look{true});
  leave_if_over();
}

/// Everything that was said and asked is in the journal, an answer and its calls have their ends,
/// and the visitor has heard them. What waits for a person's approval, or for a client's own call,
/// waits at the next owner as well as here.
bool session_state::turn_is_over() const {
  if (!log_ || !log_->idle() || !attaching_.empty())
    return false;
  const auto& view = ahead();
  const auto runs = [](const call_state_ptr& call) {
    return call->phase != call_phase::waiting && call->call.runner != call_runner::client;
  };
  // Words that are on their way would have to be said again.
  return view.running() == nullptr && view.open_speech.empty()
         && std::none_of(view.open_calls.begin(), view.open_calls.end(), runs);
}

void session_state::leave_if_over() {
  if (!draining_ || left_ || !turn_is_over())
    return;
  const auto unheard = seat_ ? played_at_ - parts_.where->now() : loop::clock::duration::zero();
  if (unheard > loop::clock::duration::zero()) {
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(unheard), drain_look{});
    return;
  }
  parts_.count->add(counter::sessions_drained);
  log(log_level::info, "session.drained", {{"session", who_.id}});
  leave();
}

void session_state::on_drain_look(const drain_look& look) {
  if (!look.over)
    return leave_if_over();
  if (left_)
    return;
  // The journal has what was said of the answer; the next owner continues it.
  parts_.count->add(counter::drains_overdue);
  log(log_level::warning, "session.drain_overdue", {{"session", who_.id}});
  leave();
}

void session_state::leave() {
  left_ = true;
  fault_point("session.leaves");
  for (const auto& one : listeners_)
    send_away(one.who);
}

void session_state::send_away(const listener_actor& who) {
  self_->send(who, move_away{std::chrono::milliseconds{
                     static_cast<std::int64_t>(parts_.ids->random() % reconnect_spread_ms)}});
}

} // namespace sidevoice
