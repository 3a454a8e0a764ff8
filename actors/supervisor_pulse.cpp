#include "actors/supervisor_state.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <utility>

/// Who of the session's tree is alive: what its children say of themselves, and what becomes of
/// one that says nothing.
namespace sidevoice {

namespace {

/// For people who look: who has not answered by then is shown without a figure.
constexpr std::chrono::milliseconds look_deadline{500};

/// An actor without a pulse for `pulse_misses` times this is ended. Two questions, so that a
/// process that was stopped and goes on does not take its own pause for theirs.
constexpr std::chrono::seconds pulse_deadline{5};
constexpr std::uint32_t pulse_misses = 2;

/// Of what is told visitors about restarts, at most one in this time.
constexpr std::chrono::minutes notice_pause{1};

std::string restart_text(const std::string& child) {
  if (child == "conversation")
    return "One moment: the agent begins again where it was. Nothing of what you said is lost.";
  if (child == "analyzer")
    return "One moment: the checklist is being brought up to date. Nothing of it is lost.";
  return "One moment: the voice begins again. Nothing of what you said is lost.";
}

} // namespace

std::chrono::microseconds supervisor_state::since(loop::clock::time_point asked) const {
  return std::chrono::duration_cast<std::chrono::microseconds>(parts_.where->now() - asked);
}

caf::result<tree_report> supervisor_state::on_tree() {
  struct gathering {
    tree_report report;
    std::size_t open = 0;
  };
  auto all = std::make_shared<gathering>();
  auto answer = self_->make_response_promise<tree_report>();
  const auto now = parts_.where->now();
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& child = children_[i];
    if (i >= first_voice() && !voice_)
      continue;
    all->report.entries.push_back({.name = child.name,
                                   .session = who_.id,
                                   .restarts = child.policy.restarts(),
                                   .last_reason = child.last_reason,
                                   .crashes = child.policy.crashes(now),
                                   .crashes_max = child.policy.intensity()});
    if (!child.actor)
      continue;
    ++all->open;
    auto one_less = [all, answer]() mutable {
      if (--all->open == 0)
        answer.deliver(std::move(all->report));
    };
    const auto place = all->report.entries.size() - 1;
    self_->request(child.actor, look_deadline, pulse_atom::value)
      .then(
        [this, all, one_less, place, i, now,
         who = child.actor.address()](const pulse_report& pulse) mutable {
          auto& entry = all->report.entries[place];
          entry.waiting = pulse.waiting;
          entry.queue_age = since(now);
          if (children_[i].actor && children_[i].actor.address() == who)
            on_pulse(children_[i], pulse, *entry.queue_age);
          one_less();
        },
        [this, one_less, i, who = child.actor.address()](const caf::error& why) mutable {
          auto& asked = children_[i];
          if (why == caf::sec::request_timeout && asked.actor && asked.actor.address() == who)
            count_silence(asked);
          one_less();
        });
  }
  if (all->open == 0)
    answer.deliver(std::move(all->report));
  return answer;
}

void supervisor_state::on_watch() {
  for (std::size_t i = 0; i < children_.size() && !stopping_; ++i)
    if (children_[i].actor && !children_[i].asked)
      ask(i);
}

void supervisor_state::ask(std::size_t index) {
  auto& child = children_[index];
  child.asked = true;
  const auto is_there = [this, index, who = child.actor.address()] {
    return !stopping_ && children_[index].actor && children_[index].actor.address() == who;
  };
  self_->request(child.actor, pulse_deadline, pulse_atom::value)
    .then(
      [this, index, is_there, now = parts_.where->now()](const pulse_report& pulse) {
        if (!is_there())
          return;
        children_[index].asked = false;
        on_pulse(children_[index], pulse, since(now));
      },
      [this, index, is_there](const caf::error& why) {
        if (!is_there())
          return;
        children_[index].asked = false;
        // Any other error is an answer, or its end, which comes as a down message.
        if (why == caf::sec::request_timeout)
          on_silence(index);
      });
}

void supervisor_state::on_pulse(child_entry& child, const pulse_report& pulse,
                                std::chrono::microseconds age) {
  child.missed = 0;
  child.silent = false;
  if (parts_.figures != nullptr)
    parts_.figures->answered(parts_.where->now(), age, pulse.waiting);
}

void supervisor_state::count_silence(child_entry& child) {
  if (!std::exchange(child.silent, true))
    parts_.count->add(counter::actors_hung);
}

void supervisor_state::on_silence(std::size_t index) {
  auto& child = children_[index];
  count_silence(child);
  ++child.missed;
  if (parts_.figures != nullptr)
    parts_.figures->silent(parts_.where->now(), child.missed * pulse_deadline);
  if (child.missed >= pulse_misses)
    end_hung(index);
  else
    ask(index);
}

/// It may never return from its handler, so nobody waits for its end: it is taken for dead, and
/// what it says after all is known by its age (actors), its epoch (journal) or its ids (runs).
void supervisor_state::end_hung(std::size_t index) {
  const auto old = let_go(children_[index]);
  // Before all that waits in its mailbox, should it come back.
  old->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
               caf::make_message(caf::exit_msg{self_->address(), caf::exit_reason::kill}),
               self_->context());
  const auto reason = to_caf(
    {errc::unavailable,
     "it gave no pulse for " + std::to_string((pulse_misses * pulse_deadline).count()) + " s",
     {},
     "hung"});
  // Those who watch it have to look for the new one; its own end would tell them too late.
  if (index == 0)
    for (const auto& client : std::exchange(clients_, {})) {
      self_->demonitor(client);
      if (const auto there = caf::actor_cast<caf::actor>(client))
        caf::anon_send(there, caf::down_msg{old.address(), reason});
    }
  on_child_down(index, reason);
}

void supervisor_state::remember_client() {
  const auto who = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  if (!who || std::find(clients_.begin(), clients_.end(), who) != clients_.end())
    return;
  self_->monitor(who);
  clients_.push_back(who);
}

void supervisor_state::tell_restart(std::size_t index) {
  const auto now = parts_.where->now();
  if (!ready_ || (told_at_ && now - *told_at_ < notice_pause))
    return;
  told_at_ = now;
  self_->send(session_, notice{"agent_restarted", "info", restart_text(children_[index].name)});
}

} // namespace sidevoice
