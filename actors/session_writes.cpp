#include "actors/session_state.hpp"
#include "config/log.hpp"

/// The session's writing side: one append under way, what its answer means, and what begins next.
namespace sidevoice {

namespace {

constexpr std::uint64_t events_per_snapshot = 200;

} // namespace

void session_state::write(std::vector<event_body> events, when_durable done) {
  const auto seq = log_->push(std::move(events), wall_ms(*parts_.where));
  if (done)
    await(seq, std::move(done));
  pump();
}

void session_state::await(std::uint64_t seq, when_durable done) {
  if (seq <= log_->durable()->head)
    return done(nullptr);
  waiting_.push_back({seq, std::move(done)});
}

void session_state::pump() {
  if (!log_)
    return;
  if (!paused_)
    decide_tools();
  if (!paused_ && !finishing()) {
    // Each step may make room for the next: a lost response is closed, then its continuation
    // begins.
    for (auto step = decide_next(ahead(), runner_status_, *parts_.ids); !step.events.empty();
         step = decide_next(ahead(), runner_status_, *parts_.ids)) {
      if (step.recovered)
        parts_.count->add(counter::responses_recovered);
      log_->push(std::move(step.events), wall_ms(*parts_.where));
      if (!step.run)
        continue;
      parts_.count->add(counter::responses_started);
      runner_status_.response = step.run->response;
      runner_status_.lost_response.clear();
      runner_status_.lost_text.clear();
      gate_.open(step.run->response, step.run->attempt, step.run->item);
      open_speech(*step.run);
      step.run->view = log_->ahead();
      if (auto known = options_.find(step.run->response); known != options_.end())
        step.run->options = known->second;
      step.run->app = who_.app;
      if (const auto* response = ahead().find_response(step.run->response)) {
        step.run->say = fixed_words(*response);
        if (spans_)
          step.run->traceparent = spans_->of_turn(ahead(), *response);
      }
      step.run->may_call = tool_rounds(ahead(), step.run->response) < who_.app->max_tool_rounds;
      self_->send(runner_, std::move(*step.run));
    }
  }
  if (auto append = log_->begin(parts_.ids->make("append_")))
    submit(*append);
}

bool session_state::finishing() const {
  // The answer is complete, and what is held of it leaves with its last append; the next waits for
  // that.
  return gate_.is_open() && ahead().running() == nullptr;
}

void session_state::submit(const append_events& append) {
  arm_deadline();
  parts_.journal->ask(append,
                      [me = session_inner{self_}, id = append.append_id](result<appended> answer) {
                        caf::anon_send(me, append_answered{id, std::move(answer)});
                      });
}

void session_state::arm_deadline() {
  const auto now = parts_.where->now();
  if (std::exchange(store_watched_, true))
    return store_patience_.extend(now, parts_.timing.store_deadline);
  store_patience_.begin(now, parts_.timing.store_deadline);
  self_->delayed_send(self_, parts_.timing.store_deadline, store_deadline{});
}

void session_state::on_store_deadline() {
  // One timer watches all appends: it looks when the awaited one is due, and sleeps for the rest.
  store_watched_ = false;
  if (!store_patience_.is_waiting())
    return;
  if (const auto left = store_patience_.look(parts_.where->now())) {
    store_watched_ = true;
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(*left),
                        store_deadline{});
    return;
  }
  parts_.count->add(counter::deadlines_passed);
  fail({errc::unavailable, "the store gave no answer in time", {}, "store_deadline"});
}

void session_state::on_appended(append_answered answered) {
  if (answered.append_id != log_->under_way().append_id)
    return;
  store_patience_.end();
  if (answered.answer)
    return publish_committed();
  const auto& why = answered.answer.error();
  if (why.code != errc::conflict && why.code != errc::unknown_outcome)
    return on_refused(why);
  // It may be in the journal all the same: read it back before judging oneself fenced.
  read_back_ = why.code == errc::conflict;
  arm_deadline();
  parts_.journal->ask(find_append{{who_.app->id, who_.id}, answered.append_id},
                      [me = session_inner{self_},
                       id = answered.append_id](result<append_found> answer) {
                        caf::anon_send(me, append_read_back{id, std::move(answer)});
                      });
}

void session_state::on_read_back(append_read_back answered) {
  if (answered.append_id != log_->under_way().append_id)
    return;
  store_patience_.end();
  if (!answered.answer)
    return fail(answered.answer.error());
  if (answered.answer->stored)
    return publish_committed();
  if (!read_back_)
    return on_refused(
      {errc::unavailable, "the store could not confirm the write; try again", {}, "unconfirmed"});
  parts_.count->add(counter::sessions_fenced);
  fail({errc::conflict, "another owner writes this session", {}, "fenced"});
}

void session_state::publish_committed() {
  const auto events = log_->committed();
  paused_ = false;
  publish(events);
  while (!waiting_.empty() && waiting_.front().seq <= log_->durable()->head) {
    auto done = std::move(waiting_.front().done);
    waiting_.pop_front();
    done(nullptr);
  }
  if (log_->durable()->head >= snapshot_at_ + events_per_snapshot) {
    snapshot_at_ = log_->durable()->head;
    parts_.journal->ask(put_snapshot{{who_.app->id, who_.id}, log_->durable()},
                        [](const result<snapshot_kept>&) {
                          // A snapshot that was not kept costs time at the next claim, nothing
                          // else.
                        });
  }
  pump();
  check_idle();
}

void session_state::on_refused(const error& why) {
  log(log_level::warning, "session.store_refused",
      {{"session", who_.id}, {"error", to_string(why.code)}, {"detail", why.detail}});
  // A session whose beginning could not be written does not exist; whoever asked for it is told so.
  if (log_->durable()->head == 0)
    return fail(why);
  log_->refused();
  // An end that was not stored is none: the call is waited for again.
  for (const auto& call : ahead().open_calls)
    if (!call_due_.contains(call->call.call))
      wait_for_call(*call);
  for (const auto& open : ahead().open_speech)
    wait_for_words(open.item);
  if (gate_.is_open())
    lose_run();
  auto refused = std::exchange(waiting_, {});
  for (auto& entry : refused)
    entry.done(&why);
  tell_all(
    notice{"storage_delayed", "warning", "This cannot be saved at the moment; please try again."});
  paused_ = true;
  self_->delayed_send(self_, parts_.timing.store_retry, retry_atom::value);
}

void session_state::on_retry() {
  if (!std::exchange(paused_, false))
    return;
  pump();
}

} // namespace sidevoice
