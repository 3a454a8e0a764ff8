#include "actors/session.hpp"

#include "actors/greeting.hpp"
#include "actors/pulse.hpp"
#include "actors/session_state.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"

namespace sidevoice {

session_state::session_state(session_inner::pointer self) : self_{self} {}

void session_state::start(const node_parts& parts, const find_session& who) {
  parts_ = parts;
  who_ = who;
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  trace_claim();
  arm_deadline();
  parts_.journal->ask(claim_session{.key = {who.app->id, who.id},
                                    .node = parts.node,
                                    .at = wall_ms(*parts.where),
                                    .create = who.create,
                                    .user = who.user,
                                    .release = who.app->release},
                      [me = session_inner{self_}](result<claimed> answer) {
                        caf::anon_send(me, journal_claimed{std::move(answer)});
                      });
}

void session_state::fail(const error& why) {
  if (why.code == errc::damaged) {
    parts_.count->add(counter::sessions_damaged);
    log(log_level::error, "session.damaged",
        {{"session", who_.id},
         {"app", who_.app->id},
         {"event", why.param.empty() ? "unknown" : why.param},
         {"detail", why.detail}});
  }
  log(log_level::warning, "session.gives_up",
      {{"session", who_.id}, {"error", to_string(why.code)}, {"detail", why.detail}});
  claim_span_.end(why.reason.empty() ? to_string(why.code) : why.reason);
  self_->quit(to_caf(why));
}

void session_state::on_claimed(result<claimed> answer) {
  store_patience_.end();
  if (!answer)
    return fail(answer.error());
  const auto& release = answer->view->about.release;
  if (answer->view->head == 0 || release == who_.app->release)
    return take_over(*answer);
  // It goes on with the release that it began with.
  if (parts_.apps != nullptr)
    if (auto known = parts_.apps->find(who_.app->id, release)) {
      who_.app = std::move(known);
      return take_over(*answer);
    }
  arm_deadline();
  parts_.journal->ask(get_release{who_.app->id, release},
                      [me = session_inner{self_}, session = *answer](result<release_found> found) {
                        caf::anon_send(me, release_read{session, std::move(found)});
                      });
}

void session_state::on_release(release_read read) {
  store_patience_.end();
  if (!read.answer)
    return fail(read.answer.error());
  const auto& about = read.session.view->about;
  result<app_ptr> app = error{errc::not_found, "the store does not have it"};
  if (read.answer->body)
    app = read_release(*read.answer->body);
  if (app)
    who_.app = std::move(*app);
  else
    // Better the newest release than a conversation that cannot go on.
    log(log_level::error, "session.release_missing",
        {{"session", who_.id},
         {"app", who_.app->id},
         {"release", about.release},
         {"detail", app.error().detail}});
  take_over(read.session);
}

void session_state::take_over(const claimed& session) {
  const auto& row = session.row;
  log_.emplace(row.key, row.epoch, session.view);
  snapshot_at_ = session.view->head;
  spent_ = session.view->spent;
  const auto fresh = session.view->head == 0;
  parts_.count->add(fresh ? counter::sessions_created : counter::sessions_restored);
  log(log_level::info, fresh ? "session.created" : "session.restored",
      {{"session", who_.id},
       {"app", who_.app->id},
       {"epoch", std::to_string(row.epoch)},
       {"head", std::to_string(row.head)}});
  fault_point("session.claimed");
  trace_take_over(session);
  if (fresh)
    begin_life();
  for (const auto& call : ahead().open_calls)
    wait_for_call(*call);
  for (const auto& open : ahead().open_speech)
    wait_for_words(open.item);
  pump();
  check_idle();
}

void session_state::begin_life() {
  const auto& app = *who_.app;
  std::vector<event_body> events;
  events.emplace_back(session_started{app.id, who_.user, app.release,
                                      who_.locale.empty() ? app.language : who_.locale, who_.zone});
  auto rules = begin_checklist(app, ahead()).events;
  events.insert(events.end(), std::make_move_iterator(rules.begin()),
                std::make_move_iterator(rules.end()));
  // The greeting is a fixed text: it is said in the same append that begins the session, so that no
  // crash can leave half of it or lead to a second one.
  if (auto text = greeting_of(app, who_.user); !text.empty()) {
    const auto response = parts_.ids->make("resp_");
    const auto id = parts_.ids->make("item_");
    events.emplace_back(response_requested{response, {"greeting"}});
    events.emplace_back(response_started{response, 1, id});
    events.emplace_back(
      item_put{next_rank(ahead()),
               {.id = id, .role = item_role::assistant, .text = text, .response = response}});
    events.emplace_back(response_done{response, response_status::completed, {}, {}});
  }
  log_->push(std::move(events), wall_ms(*parts_.where));
}

void session_state::on_down(const caf::down_msg& down) {
  if (seat_ && down.source == seat_->holder.address())
    lose_seat();
  if (runner_ && down.source == runner_.address()) {
    runner_ = nullptr;
    lose_runner();
    return pump();
  }
  std::erase_if(listeners_, [&](const listener& l) { return l.who.address() == down.source; });
  lose_page(down.source);
  if (log_)
    pump();
  check_idle();
}

calendar_day session_state::today() const {
  const auto& view = ahead();
  auto at = view.started_at;
  for (const auto& entry : view.items)
    at = std::max(at, entry->at);
  return day_in_zone(at, view.about.zone);
}

void session_state::check_idle() {
  leave_if_over();
  const auto busy = !log_ || !log_->idle() || !attaching_.empty() || ahead().running() != nullptr
                    || !ahead().open_calls.empty() || !ahead().open_speech.empty()
                    || std::any_of(listeners_.begin(), listeners_.end(),
                                   [](const listener& l) { return l.is_client; });
  const auto number = ++idle_;
  if (!busy)
    self_->delayed_send(self_, parts_.timing.idle, idle_over{number});
}

void session_state::on_idle(const idle_over& over) {
  // One that drains is counted with the others until the node goes.
  if (over.idle != idle_ || draining_)
    return;
  parts_.count->add(counter::sessions_passivated);
  fault_point("session.passivates");
  log(log_level::info, "session.passivated", {{"session", who_.id}});
  self_->quit(caf::exit_reason::normal);
}

namespace {

/// Answers a command, or keeps the message until the journal is loaded.
template <class Answer, class Command>
auto once_loaded(session_state& state, Answer (session_state::*handle)(Command)) {
  return [&state, handle](std::decay_t<Command> command) -> caf::result<accepted> {
    if (!state.loaded())
      return caf::skip();
    return (state.*handle)(std::move(command));
  };
}

session_inner::behavior_type session_behavior(session_state::pointer self, const node_parts& parts,
                                              const find_session& who) {
  take_pulse(self, parts, "session", who.id);
  auto& s = self->state;
  s.start(parts, who);
  return {
    [&s](attach& request) -> caf::result<attached> {
      if (!s.loaded())
        return caf::skip();
      return s.on_attach(std::move(request));
    },
    once_loaded(s, &session_state::on_put),
    once_loaded(s, &session_state::on_remove),
    [&s](const get_item& command) -> caf::result<accepted> {
      if (!s.loaded())
        return caf::skip();
      return s.on_get(command);
    },
    once_loaded(s, &session_state::on_request),
    once_loaded(s, &session_state::on_cancel),
    once_loaded(s, &session_state::on_edit),
    once_loaded(s, &session_state::on_undo),
    once_loaded(s, &session_state::on_answer_call),
    once_loaded(s, &session_state::on_approval),
    once_loaded(s, &session_state::on_end),
    [&s](const offer_tools& offer) { s.on_offer(offer); },
    [&s](const take_seat& request) -> caf::result<seat_taken> {
      if (!s.loaded())
        return caf::skip();
      return s.on_take_seat(request);
    },
    [&s](const change_seat& change) { s.on_change_seat(change); },
    [&s](const leave_seat& leave) { s.on_leave_seat(leave); },
    [&s](const playout_report& report) { s.on_playout(report); },
    once_loaded(s, &session_state::on_hear),
    once_loaded(s, &session_state::on_interrupt),
    [&s](const voice_keeper& keeper) { s.on_keeper(keeper); },
    [&s](const join_voice& join) { s.on_join_voice(join); },
    [&s](const commit_speech& speech) -> caf::result<speech_committed> {
      if (!s.loaded())
        return caf::skip();
      return s.on_commit_speech(speech);
    },
    once_loaded(s, &session_state::on_transcript),
    once_loaded(s, &session_state::on_prompt),
    [&s](turn_measured& measured) { s.on_measured(std::move(measured)); },
    [&s](const transcript_overdue& overdue) { s.on_overdue(overdue); },
    [&s](const say_filler& filler) { s.on_filler(filler); },
    [&s](const join_runner& offer) { s.on_join(offer); },
    [&s](answer_delta& piece) { s.on_delta(std::move(piece)); },
    [&s](answer_done& done) { s.on_answer(std::move(done)); },
    [&s](call_done& done) { s.on_call_done(std::move(done)); },
    [&s](const propose_topics& proposals) -> caf::result<analysis_taken> {
      if (!s.loaded())
        return caf::skip();
      return s.on_proposals(proposals);
    },
    [&s](view_atom) -> caf::result<attached> {
      if (!s.loaded())
        return caf::skip();
      return s.state_for(true, {});
    },
    [&s](const notice& what) { s.tell_all(what); },
    [&s](const drain_session& how) { s.on_drain(how); },
    [&s](const drain_look& look) { s.on_drain_look(look); },
    [&s](journal_claimed& answered) { s.on_claimed(std::move(answered.answer)); },
    [&s](release_read& read) { s.on_release(std::move(read)); },
    [&s](append_answered& answered) { s.on_appended(std::move(answered)); },
    [&s](append_read_back& answered) { s.on_read_back(std::move(answered)); },
    [&s](rest_read& rest) { s.on_rest(std::move(rest)); },
    [&s](const store_deadline&) { s.on_store_deadline(); },
    [&s](const call_deadline&) { s.on_call_deadline(); },
    [&s](const call_is_slow& slow) { s.on_call_slow(slow); },
    [&s](const speech_deadline&) { s.on_speech_deadline(); },
    [&s](const playout_deadline& deadline) { s.on_playout_deadline(deadline); },
    [&s](const idle_over& over) { s.on_idle(over); },
    [&s](retry_atom) { s.on_retry(); },
  };
}

} // namespace

session_actor spawn_session(caf::actor_system& sys, const node_parts& parts,
                            const find_session& who) {
  return sys.spawn(session_behavior, parts, who);
}

} // namespace sidevoice
