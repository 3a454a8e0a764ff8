#include "actors/session_state.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"

/// Calls of tools: who runs them, how long they are waited for, and what their ends lead to.
namespace sidevoice {

namespace {

/// A call that is answered sooner needs no word meanwhile.
constexpr std::chrono::milliseconds moment{1'000};

} // namespace

// -- deciding

void session_state::decide_tools() {
  calls_.wall_ms = wall_ms(*parts_.where);
  calls_.simulate = is_tried_out();
  for (auto events = decide_calls(*who_.app, ahead(), calls_, *parts_.ids); !events.empty();
       events = decide_calls(*who_.app, ahead(), calls_, *parts_.ids)) {
    for (const auto& body : events) {
      if (const auto* ended = std::get_if<call_ended>(&body); ended && ended->outcome == "ok")
        if (const auto* call = ahead().find_call(ended->call);
            call != nullptr && call->call.name == "transfer_to_person")
          tell_all(notice{"transfer_requested", "info", "A person has been asked to take over."});
      if (const auto* started = std::get_if<call_started>(&body)) {
        calls_.ours.insert(started->call);
        calls_.send_again.erase(started->call);
      }
    }
    log_->push(std::move(events), calls_.wall_ms);
  }
  if (auto request = continue_after_calls(ahead(), *parts_.ids))
    log_->push({std::move(*request)}, calls_.wall_ms);
  else if (ahead().ending && ahead().ended.empty() && ahead().open_responses.empty()
           && ahead().open_calls.empty())
    log_->push({session_ended{"ended"}}, calls_.wall_ms);
}

bool session_state::is_tried_out() const {
  if (parts_.apps == nullptr || parts_.live_of(who_.app->id)->not_stable_effects != "simulate")
    return false;
  const auto preview = parts_.apps->find(who_.app->id, "preview");
  const auto stable = parts_.apps->find(who_.app->id, "stable");
  return preview && preview->release == who_.app->release
         && (!stable || stable->release != who_.app->release);
}

void session_state::drop_calls(std::vector<event_body>& events) {
  // Behind what the interruption has put.
  if (!events.empty())
    log_->push(std::exchange(events, {}), wall_ms(*parts_.where));
  std::vector<std::string> cancelled;
  events = cancel_calls(*who_.app, ahead(), *parts_.ids, cancelled);
  if (runner_)
    for (const auto& call : cancelled)
      self_->send(runner_, cancel_call{call});
}

// -- what the journal says about a call, once durable

void session_state::follow_call(const event_body& body) {
  if (const auto* ended = std::get_if<call_ended>(&body)) {
    call_due_.erase(ended->call);
    calls_.ours.erase(ended->call);
    calls_.send_again.erase(ended->call);
    const auto page = page_of_.extract(ended->call);
    if (!page.empty() && ended->outcome != "ok" && ended->outcome != "failed")
      self_->send(page.mapped(), tool_cancelled{ended->call});
    fault_point("call.output_journaled");
    parts_.count->add(ended->outcome == "ok" ? counter::calls_ok : counter::calls_not_ok);
    log(log_level::info, "call.ended",
        {{"session", who_.id}, {"call", ended->call}, {"outcome", ended->outcome}});
    return;
  }
  std::string id;
  if (const auto* opened = std::get_if<call_opened>(&body)) {
    id = opened->call;
    fault_point("call.opened");
  } else if (const auto* approved = std::get_if<call_approved>(&body))
    id = approved->call;
  else if (const auto* started = std::get_if<call_started>(&body)) {
    id = started->call;
    fault_point("call.start_journaled");
    calls_due_out_.push_back(id);
  }
  if (id.empty())
    return;
  if (const auto* call = log_->durable()->find_call(id))
    wait_for_call(*call);
}

void session_state::wait_for_call(const call_state& call) {
  call_due_[call.call.call] = parts_.where->now()
                              + patience_of(*who_.app, call, parts_.timing.calls);
  if (!std::exchange(calls_watched_, true))
    self_->delayed_send(self_, patience_of(*who_.app, call, parts_.timing.calls), call_deadline{});
}

void session_state::hand_out(const call_state& call) {
  const auto* tool = who_.app->find_tool(call.call.name);
  parts_.count->add(counter::calls_started);
  if (call.call.runner == call_runner::server) {
    // A runner that is gone is found out by the session as a loss, and the effect decides.
    if (runner_)
      self_->send(runner_,
                  run_call{call.call, call.attempt, who_.app, who_.id, log_->durable()->about,
                           spans_ ? spans_->of_call(*log_->durable(), call) : std::string{}});
  } else if (auto page = page_for(call.call.name)) {
    page_of_[call.call.call] = page;
    self_->send(page, tool_call{call.call.call, call.call.name, call.call.arguments,
                                patience_of(*who_.app, call, parts_.timing.calls), call.call.by});
    fault_point("call.handed_to_page");
  } else {
    // Sent when a page offers it again, unless its deadline comes first.
    calls_.ours.erase(call.call.call);
  }
  if (tool != nullptr && !tool->meanwhile.empty() && call.call.by == call_author::conversation)
    self_->delayed_send(self_, moment, call_is_slow{call.call.call});
}

void session_state::on_call_slow(const call_is_slow& slow) {
  if (!log_)
    return;
  const auto* call = ahead().find_call(slow.call);
  const auto* tool = call == nullptr ? nullptr : who_.app->find_tool(call->call.name);
  if (tool == nullptr)
    return;
  tell_all(notice{"meanwhile", "info", tool->meanwhile});
}

void session_state::on_call_deadline() {
  // One timer watches all calls: it looks when the next one is due, and sleeps for the rest.
  calls_watched_ = false;
  if (!log_ || paused_) {
    calls_watched_ = true;
    self_->delayed_send(self_, parts_.timing.store_retry, call_deadline{});
    return;
  }
  const auto now = parts_.where->now();
  auto next = loop::clock::time_point::max();
  std::vector<std::string> over;
  for (const auto& [id, due] : call_due_)
    if (due <= now)
      over.push_back(id);
    else
      next = std::min(next, due);
  // In the order of the journal, whatever the map's.
  std::sort(over.begin(), over.end());
  for (const auto& id : over) {
    call_due_.erase(id);
    const auto* call = ahead().find_call(id);
    if (call == nullptr)
      continue;
    parts_.count->add(counter::deadlines_passed);
    if (runner_ && call->call.runner == call_runner::server)
      self_->send(runner_, cancel_call{id});
    log_->push(expire_call(*who_.app, ahead(), *call, *parts_.ids), wall_ms(*parts_.where));
  }
  if (next != loop::clock::time_point::max() && !std::exchange(calls_watched_, true))
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(next - now),
                        call_deadline{});
  pump();
}

void session_state::lose_runner() {
  // An answer whose text is whole needs nobody but its speaker.
  if (speaking_)
    runner_status_.available = static_cast<bool>(runner_);
  else
    lose_run();
  calls_.runner = static_cast<bool>(runner_);
  if (!log_)
    return;
  for (const auto& call : ahead().open_calls)
    if (call->call.runner == call_runner::server)
      calls_.ours.erase(call->call.call);
}

// -- those who run calls

void session_state::on_call_done(call_done done) {
  const auto* call = log_ ? ahead().find_call(done.call) : nullptr;
  if (call == nullptr || call->phase != call_phase::started || call->attempt != done.attempt
      || call->call.runner != call_runner::server) {
    parts_.count->add(counter::ephemeral_dropped);
    return;
  }
  write(end_call(ahead(), *call, done.outcome, std::move(done.output), *parts_.ids), nullptr);
}

void session_state::on_offer(const offer_tools& offer) {
  for (auto& l : listeners_)
    if (l.who == offer.who) {
      l.offers = offer.names;
      l.offered = ++next_number_;
    }
  find_offers();
  // What was sent to a page that is gone is sent again: the call id says that it is the same.
  if (log_)
    for (const auto& call : ahead().open_calls)
      if (call->call.runner == call_runner::page && call->phase == call_phase::started
          && std::find(offer.names.begin(), offer.names.end(), call->call.name)
               != offer.names.end()) {
        const auto held = page_of_.find(call->call.call);
        if (held == page_of_.end() || held->second != offer.who)
          calls_.send_again.insert(call->call.call);
      }
  pump();
}

void session_state::lose_page(const caf::actor_addr& page) {
  for (auto at = page_of_.begin(); at != page_of_.end();) {
    if (at->second.address() != page) {
      ++at;
      continue;
    }
    calls_.ours.erase(at->first);
    at = page_of_.erase(at);
  }
  find_offers();
}

void session_state::find_offers() {
  calls_.offered.clear();
  for (const auto& l : listeners_)
    calls_.offered.insert(l.offers.begin(), l.offers.end());
}

listener_actor session_state::page_for(const std::string& tool) const {
  const listener* newest = nullptr;
  for (const auto& l : listeners_)
    if (std::find(l.offers.begin(), l.offers.end(), tool) != l.offers.end()
        && (newest == nullptr || l.offered > newest->offered))
      newest = &l;
  return newest == nullptr ? listener_actor{} : newest->who;
}

// -- commands of pages

session_state::promise session_state::on_answer_call(const answer_call& command) {
  const auto* call = ahead().find_call(command.call);
  if (call != nullptr && call->call.runner == call_runner::page
      && call->phase == call_phase::started)
    return accept(
      end_call(ahead(), *call, command.failed ? "failed" : "ok", command.output, *parts_.ids));
  // Sent again because its answer was lost: the same output is no second one.
  const stored_item* output = nullptr;
  for (const auto& stored : ahead().items)
    if (stored->value.kind == item_kind::function_call_output
        && stored->value.call_id == command.call)
      output = stored.get();
  const auto closed = std::find_if(ahead().analyzer_calls.begin(), ahead().analyzer_calls.end(),
                                   [&](const auto& c) { return c.call.call == command.call; });
  const auto is_closed = closed != ahead().analyzer_calls.end();
  if (call == nullptr
      && ((output != nullptr && output->value.output == command.output)
          || (is_closed && closed->output == command.output)))
    return repeat(ahead().head);
  if (call == nullptr && (output != nullptr || is_closed))
    return refuse({errc::invalid, "the call " + command.call + " has its output already", "call_id",
                   "call_answered"});
  return refuse({errc::not_found, "no call " + command.call + " waits for this page", "call_id",
                 "call_unknown"});
}

session_state::promise session_state::on_approval(const answer_approval& command) {
  if (const auto* call = ahead().find_call(command.call);
      call != nullptr && call->phase != call_phase::waiting && command.approve)
    return repeat(ahead().head);
  auto events = judge_approval(ahead(), command, *parts_.ids);
  return events ? accept(std::move(*events)) : refuse(events.error());
}

} // namespace sidevoice
