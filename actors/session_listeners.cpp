#include "actors/session_state.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"

/// Who follows the session, and what leaves it: durable events in order, and the running answer as
/// far as the journal allows.
namespace sidevoice {

namespace {

/// A longer rest comes as a snapshot.
constexpr std::size_t rest_max = 1000;

/// True for the events with which a finished answer enters the history.
bool ends_answer(const event& e, const std::string& response) {
  if (const auto* put = std::get_if<item_put>(&e.body))
    return put->value.response == response;
  const auto* done = std::get_if<response_done>(&e.body);
  return done != nullptr && done->response == response;
}

/// What a client names that comes back; under another name than this it gets a snapshot. The run of
/// the node is part of it: a store that was put back to an older copy keeps its incarnation, and
/// may since have given numbers that the client knows to other events. Nothing in a copy tells
/// that.
std::string resume_name(const node_parts& parts) {
  auto store = parts.journal->incarnation();
  return parts.node.empty() ? store : store + "." + parts.node;
}

} // namespace

attached session_state::state_for(bool snapshot, std::vector<event_ptr> events) const {
  return {.view = log_->durable(),
          .events = std::move(events),
          .app = who_.app,
          .snapshot = snapshot,
          .open = gate_.so_far(),
          .store_incarnation = resume_name(parts_)};
}

void session_state::add_listener(const attach& request) {
  std::erase_if(listeners_, [&](const listener& l) { return l.who == request.who; });
  self_->monitor(request.who);
  listeners_.push_back({request.who, request.is_client});
  if (left_)
    send_away(request.who);
  check_idle();
}

caf::typed_response_promise<attached> session_state::on_attach(attach request) {
  auto answer = self_->make_response_promise<attached>();
  const auto head = log_->durable()->head;
  if (!request.snapshot && request.after > head) {
    answer.deliver(to_caf({errc::invalid,
                           "this session's newest event is number " + std::to_string(head)
                             + "; ask with after_seq 0 for a snapshot",
                           "after_seq", "future"}));
  } else if (request.snapshot || head - request.after > rest_max) {
    add_listener(request);
    answer.deliver(state_for(true, {}));
  } else if (request.after == head) {
    add_listener(request);
    answer.deliver(state_for(false, {}));
  } else {
    const auto number = ++next_number_;
    parts_.journal->ask(read_events{{who_.app->id, who_.id}, request.after, rest_max},
                        [me = session_inner{self_}, number](result<events_page> page) {
                          caf::anon_send(me, rest_read{number, std::move(page)});
                        });
    attaching_.emplace(number, pending_attach{std::move(request), answer});
  }
  return answer;
}

void session_state::on_rest(rest_read rest) {
  auto node = attaching_.extract(rest.attach);
  if (node.empty())
    return;
  auto& [request, answer] = node.mapped();
  if (!rest.answer && rest.answer.error().code == errc::damaged) {
    // The state is whole all the same: a snapshot was taken behind the damage.
    log(log_level::error, "session.damaged",
        {{"session", who_.id},
         {"app", who_.app->id},
         {"event", rest.answer.error().param},
         {"detail", rest.answer.error().detail}});
    add_listener(request);
    answer.deliver(state_for(true, {}));
    return;
  }
  if (!rest.answer) {
    answer.deliver(to_caf(rest.answer.error()));
    return;
  }
  // What the store has beyond our durable head is about to be published; it must not come twice.
  auto events = std::move(rest.answer->events);
  std::erase_if(events, [&](const event_ptr& e) { return e->seq > log_->durable()->head; });
  add_listener(request);
  answer.deliver(state_for(false, std::move(events)));
}

void session_state::on_join(const join_runner& offer) {
  // Actors are numbered as they begin: an older one was given up, and comes back late.
  if (offer.who.id() < newest_runner_)
    return;
  newest_runner_ = offer.who.id();
  if (runner_)
    lose_runner();
  self_->monitor(offer.who);
  runner_ = offer.who;
  runner_status_.available = true;
  calls_.runner = true;
  pump();
}

void session_state::lose_run() {
  if (gate_.is_open()) {
    runner_status_.lost_response = gate_.response();
    runner_status_.lost_text = gate_.heard();
    if (runner_)
      self_->send(runner_, cancel_run{gate_.item()});
    gate_.close();
    speaking_.reset();
    spoken_item_.clear();
  }
  runner_status_.response.clear();
  runner_status_.available = static_cast<bool>(runner_);
}

void session_state::tell(const answer_delta& piece) {
  for (const auto& l : listeners_)
    self_->send(l.who, piece);
}

void session_state::let_out(answer_gate::release out) {
  for (const auto& piece : out.pieces)
    tell(piece);
  if (!out.pieces.empty())
    fault_point("answer.piece_out");
  tell_text();
  // Where the end is on its way to the journal already, the whole text is in it.
  const auto* running = ahead().running();
  if (!out.clauses.empty() && running != nullptr && running->id == gate_.response())
    write(std::move(out.clauses), nullptr);
}

void session_state::on_delta(answer_delta piece) {
  if (!gate_.is_run(piece.item)) {
    parts_.count->add(counter::ephemeral_dropped);
    return;
  }
  let_out(gate_.on_delta(std::move(piece)));
}

void session_state::on_answer(answer_done done) {
  if (!gate_.is_run(done.run))
    return;
  const auto* response = ahead().find_response(done.response);
  if (response == nullptr || response->phase != response_phase::started)
    return;
  const auto said = !gate_.heard().empty() || !gate_.held().empty();
  // What is spoken ends when its sound has gone out.
  if (said && seat_ && spoken_item_ == done.run)
    return speak_rest(std::move(done));
  end_answer(std::move(done), std::nullopt);
}

void session_state::complete_answer(spoken_ms spoken) {
  auto done = std::move(*speaking_);
  speaking_.reset();
  // Clients are ahead of the loudspeaker: the last of what was sent is still to be heard.
  if (spoken && *spoken > playing_.played_ms)
    played_at_ = parts_.where->now() + std::chrono::milliseconds{*spoken - playing_.played_ms};
  end_answer(std::move(done), spoken);
}

void session_state::end_answer(answer_done done, spoken_ms spoken) {
  spoken_item_.clear();
  const auto* response = ahead().find_response(done.response);
  if (response == nullptr || response->phase != response_phase::started)
    return;
  runner_status_.response.clear();
  const auto known = options_.extract(done.response);
  const auto options = known.empty() ? nullptr : known.mapped();
  auto text = gate_.heard() + gate_.held();
  const auto& calls = done.calls;
  log_->push(finish_response(ahead(), *response, done, text, spoken), wall_ms(*parts_.where));
  fault_point("answer.whole");
  if (done.reason == "budget_session" || done.reason == "budget_day") {
    tell_all(notice{"budget", "warning", "The budget for this conversation is used up."});
    if (done.reason == "budget_session")
      log_->push({session_ended{"budget"}}, wall_ms(*parts_.where));
  }
  write(take_calls(*who_.app, ahead(), calls, options.get(), *parts_.ids), nullptr);
}

void session_state::publish(std::vector<event_ptr> events) {
  published batch;
  const auto send_batch = [&] {
    if (batch.events.empty())
      return;
    for (const auto& l : listeners_)
      self_->send(l.who, batch);
    batch.events.clear();
  };
  for (auto& e : events) {
    count_event(*e);
    watch_budget(*e);
    if (gate_.is_open() && ends_answer(*e, gate_.response())) {
      // All of it is durable: what is still held leaves before its end does.
      fault_point("answer.journaled");
      send_batch();
      for (const auto& piece : gate_.finish())
        tell(piece);
    }
    batch.events.push_back(std::move(e));
    const auto& body = batch.events.back()->body;
    follow_call(body);
    if (const auto* started = std::get_if<response_started>(&body);
        started != nullptr && gate_.is_run(started->item)) {
      send_batch();
      fault_point("answer.started");
      let_out(gate_.on_started());
    } else if (const auto* spoken = std::get_if<response_spoken>(&body);
               spoken != nullptr && spoken->response == gate_.response()
               && spoken->attempt == gate_.attempt()) {
      send_batch();
      fault_point("answer.clause_journaled");
      let_out(gate_.on_spoken(spoken->clause));
    }
  }
  send_batch();
  // Whoever is to run a call knows of its event first.
  for (const auto& call : std::exchange(calls_due_out_, {}))
    if (const auto* open = log_->durable()->find_call(call))
      hand_out(*open);
}

void session_state::watch_budget(const event& e) {
  const auto cost = cost_of(e.body);
  if (cost == 0)
    return;
  const auto before = std::exchange(spent_, spent_ + cost);
  const auto limit = budget_of(parts_.live_of(who_.app->id)->limits).session;
  if (!reaches_warning(before, spent_, limit))
    return;
  log(log_level::warning, "budget.warning", {{"session", who_.id}, {"budget", "session"}});
  tell_all(
    notice{"budget_warning", "warning", "Most of the budget for this conversation is used up."});
}

void session_state::count_event(const event& e) {
  if (spans_)
    spans_->on(e, *log_->durable());
  if (const auto* done = std::get_if<response_done>(&e.body))
    parts_.count->add(done->status == response_status::completed   ? counter::responses_completed
                      : done->status == response_status::cancelled ? counter::responses_cancelled
                                                                   : counter::responses_failed);
  else if (std::holds_alternative<topic_updated>(e.body)) {
    fault_point("topic.journaled");
    parts_.count->add(counter::topics_updated);
  } else if (const auto* ended = std::get_if<session_ended>(&e.body))
    log(log_level::info, "session.ended", {{"session", who_.id}, {"reason", ended->reason}});
}

} // namespace sidevoice
