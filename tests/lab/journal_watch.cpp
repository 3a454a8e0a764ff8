#include "tests/lab/journal_watch.hpp"

#include "actors/responses.hpp"

#include <algorithm>

namespace sidevoice::lab {

void journal_watch::start_over() {
  journal_watch fresh{session_, report_};
  fresh.judges_questions = judges_questions;
  *this = std::move(fresh);
}

void journal_watch::see(const std::vector<event_ptr>& all, std::uint64_t told) {
  const auto same =
    std::mismatch(events_.begin(), events_.end(), all.begin(), all.end(),
                  [](const event_ptr& a, const event_ptr& b) { return a == b || *a == *b; });
  const auto kept = static_cast<std::uint64_t>(same.first - events_.begin());
  if (kept < told)
    violated("number " + std::to_string(kept + 1) + " is gone or another one, and "
             + std::to_string(told) + " were told of");
  if (kept < events_.size())
    start_over();
  add({all.begin() + static_cast<std::ptrdiff_t>(events_.size()), all.end()});
}

void journal_watch::add(const std::vector<event_ptr>& more) {
  for (const auto& e : more)
    take(e);
}

void journal_watch::take(const event_ptr& e) {
  if (e->seq != events_.size() + 1)
    violated("number " + std::to_string(e->seq) + " stands in place "
             + std::to_string(events_.size() + 1));
  seq_ = e->seq;
  const std::vector<event_ptr> one{e};
  auto next = sidevoice::apply(views_.back(), one);
  if (!next)
    violated("does not fold: " + next.error().detail);
  views_.push_back(next ? std::move(*next) : views_.back());
  events_.push_back(e);
  std::visit([this](const auto& body) { on(body); }, e->body);
}

// -- inputs
// --------------------------------------------------------------------------------------------

void journal_watch::on(const item_put& put) {
  const auto& value = put.value;
  texts_[value.id] = value.text;
  if (value.response.empty() && !inputs_.insert(value.id).second)
    violated("took input " + value.id + " twice");
  if (value.kind == item_kind::function_call_output && ++calls_[value.call_id].outputs > 1)
    violated("the call " + value.call_id + " has a second output");
  if (value.kind != item_kind::message)
    return;
  if (value.role == item_role::user) {
    newest_ = value.text;
    newest_item_ = value.id;
  }
  if (value.role != item_role::user && judges_questions && value.text.starts_with("ask:")
      && heard_[value.id].starts_with(value.text.substr(4) + "="))
    violated("asked \"" + value.text + "\" after \"" + heard_[value.id] + "\"");
}

void journal_watch::on(const item_removed& gone) {
  // What was taken back is not known to anybody any more.
  if (gone.id == newest_item_)
    newest_.clear();
}

void journal_watch::on(const input_speech& speech) {
  if (!spoken_.insert(speech.item).second)
    violated("the speech " + speech.item + " was taken twice");
}

void journal_watch::on(const input_transcribed& words) {
  texts_[words.item] = words.text;
  if (!transcribed_.insert(words.item).second)
    violated("the speech " + words.item + " was transcribed twice");
}

// -- responses
// ------------------------------------------------------------------------------------------

void journal_watch::on(const response_requested& asked) {
  if (!responses_.emplace(asked.response, response_story{}).second)
    violated(asked.response + " was requested twice");
  greetings_ += static_cast<int>(std::count(asked.cause.begin(), asked.cause.end(), "greeting"));
  if (greetings_ > 1)
    violated("greeted a second time");
  for (const auto& cause : asked.cause) {
    // Its own request; another one of this cause continues it.
    if (cause == asked.response)
      continue;
    auto& others = responses_of_[cause];
    others.push_back(asked.response);
    // Words that are not known yet are not used up by a request that is taken back meanwhile: then
    // only what began counts.
    if (others.size() > 1 && cause != "idle" && !spoken_.contains(cause))
      violated(cause + " caused " + std::to_string(others.size()) + " responses");
  }
}

void journal_watch::on(const response_started& started) {
  const auto known = responses_.find(started.response);
  if (known == responses_.end())
    return violated(started.response + " began without a request");
  auto& story = known->second;
  if (started.attempt != ++story.attempts || started.attempt > max_attempts)
    violated(started.response + " began attempt " + std::to_string(started.attempt)
             + " out of turn");
  if (story.is_done)
    violated(started.response + " began again after its end");
  if (story.clauses > 0)
    violated(started.response + " began again behind a clause that was out");
  story.item = started.item;
  heard_[started.item] = newest_;
  for (const auto& [cause, responses] : responses_of_) {
    if (cause == "idle" || responses.back() != started.response)
      continue;
    const auto first = begun_for_.emplace(cause, started.response).first;
    if (first->second != started.response)
      violated(cause + " was answered by " + first->second + " and by " + started.response);
  }
}

void journal_watch::on(const response_spoken& spoken) {
  auto& story = responses_[spoken.response];
  if (story.is_done || spoken.attempt != story.attempts)
    violated("a clause of " + spoken.response + " came from another run");
  if (spoken.clause != ++story.clauses)
    violated("clause " + std::to_string(spoken.clause) + " of " + spoken.response
             + " is out of turn");
}

void journal_watch::on(const response_done& done) {
  const auto known = responses_.find(done.response);
  if (known == responses_.end())
    return violated(done.response + " ended without a request");
  if (std::exchange(known->second.is_done, true))
    violated(done.response + " has a second end");
}

// -- calls
// ------------------------------------------------------------------------------------------------

void journal_watch::on(const call_opened& opened) {
  if (calls_.contains(opened.call))
    violated("the call " + opened.call + " was opened twice");
  calls_[opened.call] = {opened.name, opened.runner, opened.needs_approval, 0, {}, 0};
}

void journal_watch::on(const call_approved& approved) {
  calls_[approved.call].waits = !approved.approved;
}

void journal_watch::on(const call_started& started) {
  auto& call = calls_[started.call];
  if (started.attempt != ++call.starts || !call.outcome.empty())
    violated("the call " + started.call + " began out of turn");
  if (call.waits)
    violated("the call " + started.call + " began before the visitor agreed");
}

void journal_watch::on(const call_ended& ended) {
  auto& call = calls_[ended.call];
  if (!std::exchange(call.outcome, ended.outcome).empty())
    violated("the call " + ended.call + " has a second end");
}

// -- the checklist
// ----------------------------------------------------------------------------------------------

void journal_watch::on(const topic_updated& change) {
  if (change.revision != ++revision_)
    violated("went to revision " + std::to_string(change.revision) + " from "
             + std::to_string(revision_ - 1));
  if (change.by == topic_author::person)
    by_person_[change.topic] = seq_;
  if (change.by != topic_author::analyzer)
    return;
  if (change.head_read < by_person_[change.topic])
    violated("an analysis overwrote what a person had set for " + change.topic);
  if (texts_[change.evidence.item].find(change.evidence.quote) == std::string::npos)
    violated(change.topic + " has a quote that was never said");
}

} // namespace sidevoice::lab
