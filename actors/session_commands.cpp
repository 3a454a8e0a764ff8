#include "actors/session_state.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"
#include "persistence/rank.hpp"

/// What clients and the analyzer ask of the session: check, decide, journal.
namespace sidevoice {

namespace {

error ended_error() {
  return {errc::not_found, "this session has ended; open a new one", {}, "session_ended"};
}

/// Where a new item goes. Error: the item it should follow is unknown.
result<std::string> rank_for(const session_view& view, const std::optional<std::string>& previous) {
  if (!previous)
    return next_rank(view);
  const auto rank_at = [&](std::size_t i) {
    return i < view.items.size() ? std::string_view{view.items[i]->rank} : std::string_view{};
  };
  if (*previous == "root")
    return view.items.empty() ? next_rank(view) : rank_between({}, rank_at(0));
  for (std::size_t i = 0; i < view.items.size(); ++i)
    if (view.items[i]->value.id == *previous)
      return i + 1 == view.items.size() ? next_rank(view)
                                        : rank_between(rank_at(i), rank_at(i + 1));
  return error{errc::invalid, "there is no item " + *previous + " in this conversation",
               "previous_item_id", "previous_item_unknown"};
}

/// A function call output needs its call, and a call takes one output.
std::optional<error> check_output(const session_view& view, const item& value) {
  if (value.kind != item_kind::function_call_output)
    return std::nullopt;
  const auto is = [&](item_kind kind) {
    return std::any_of(view.items.begin(), view.items.end(), [&](const stored_item_ptr& entry) {
      return entry->value.kind == kind && entry->value.call_id == value.call_id;
    });
  };
  if (!is(item_kind::function_call))
    return error{errc::invalid,
                 "there is no function call " + value.call_id + " in this conversation",
                 "item.call_id", "call_unknown"};
  if (const auto* call = view.find_call(value.call_id);
      call != nullptr && call->call.runner == call_runner::server)
    return error{errc::invalid, "the function call " + value.call_id + " is run by the server",
                 "item.call_id", "call_not_yours"};
  if (is(item_kind::function_call_output))
    return error{errc::invalid, "the function call " + value.call_id + " has its output already",
                 "item.call_id", "call_answered"};
  return std::nullopt;
}

} // namespace

session_state::promise session_state::refuse(const error& why) {
  auto answer = self_->make_response_promise<accepted>();
  answer.deliver(to_caf(why));
  return answer;
}

void session_state::deliver(promise answer, std::uint64_t seq, bool repeated) {
  await(seq, [answer, seq, repeated](const error* why) mutable {
    if (why != nullptr)
      answer.deliver(to_caf(*why));
    else {
      fault_point("input.durable");
      answer.deliver(accepted{seq, repeated, nullptr});
    }
  });
}

session_state::promise session_state::accept(std::vector<event_body> events) {
  auto answer = self_->make_response_promise<accepted>();
  const auto seq = log_->push(std::move(events), wall_ms(*parts_.where));
  deliver(answer, seq, false);
  pump();
  fault_point("input.handed_to_store");
  return answer;
}

session_state::promise session_state::repeat(std::uint64_t seq) {
  auto answer = self_->make_response_promise<accepted>();
  parts_.count->add(counter::inputs_repeated);
  deliver(answer, seq, true);
  return answer;
}

void session_state::interrupt(const std::string& reason, std::vector<event_body>& events) {
  const auto* running = ahead().running();
  if (running == nullptr)
    return;
  const auto ours = gate_.is_open() && gate_.response() == running->id;
  auto held = ours ? gate_.held() : std::string{};
  const auto heard = ours ? heard_of_answer(held) : running->spoken;
  auto closing = interrupt_response(ahead(), *running, heard, held, reason,
                                    ours ? spoken_so_far() : std::nullopt);
  events.insert(events.end(), std::make_move_iterator(closing.begin()),
                std::make_move_iterator(closing.end()));
  if (!ours)
    return;
  if (runner_)
    self_->send(runner_, cancel_run{gate_.item()});
  options_.erase(gate_.response());
  gate_.close();
  speaking_.reset();
  spoken_item_.clear();
  runner_status_.response.clear();
}

std::optional<error> session_state::over_limit() {
  const auto live = parts_.live_of(who_.app->id);
  const auto& limits = live->limits;
  if (limits.minutes_per_session
      && wall_ms(*parts_.where) - ahead().started_at
           > std::int64_t{*limits.minutes_per_session} * 60'000) {
    log_->push({session_ended{"expired"}}, wall_ms(*parts_.where));
    pump();
    return ended_error();
  }
  if (!limits.turns_per_minute)
    return std::nullopt;
  const auto wait = turns_.take(limit_per(*limits.turns_per_minute, std::chrono::minutes{1}),
                                parts_.where->now());
  if (wait.count() == 0)
    return std::nullopt;
  parts_.count->add(counter::inputs_refused);
  log(log_level::info, "session.limit", {{"session", who_.id}, {"limit", "turns_per_minute"}});
  return error{errc::overloaded,
               "this conversation takes " + std::to_string(*limits.turns_per_minute)
                 + " turns a minute; send it again in "
                 + std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()) + " s",
               {},
               "turns_per_minute"};
}

session_state::promise session_state::on_put(put_item command) {
  const auto& view = ahead();
  if (const auto* known = view.find_item(command.value.id))
    return repeat(known->seq);
  if (view.removed.contains(command.value.id) && !command.revive)
    return refuse({errc::not_found,
                   "the item " + command.value.id + " was deleted; send it under a new id",
                   "item.id", "item_removed"});
  if (!view.ended.empty())
    return refuse(ended_error());
  if (auto fault = check_output(view, command.value)) {
    parts_.count->add(counter::inputs_refused);
    return refuse(*fault);
  }
  if (auto place = rank_for(view, command.previous); !place) {
    parts_.count->add(counter::inputs_refused);
    return refuse(place.error());
  }
  if (command.answer)
    if (auto why = over_limit())
      return refuse(*why);
  std::vector<event_body> events;
  if (command.answer) {
    interrupt("client_cancelled", events);
    drop_calls(events);
  }
  // The interruption puts what was heard at the end: the new item's place is found behind it.
  if (!events.empty())
    log_->push(std::exchange(events, {}), wall_ms(*parts_.where));
  auto rank = rank_for(ahead(), command.previous);
  const auto id = command.value.id;
  std::optional<event_body> end;
  if (const auto* call = command.value.kind == item_kind::function_call_output
                           ? view.find_call(command.value.call_id)
                           : nullptr) {
    if (call->call.runner == call_runner::page)
      command.value.response = call->call.response;
    end = call_ended{call->call.call, "ok", {}};
  }
  events.emplace_back(item_put{std::move(*rank), std::move(command.value)});
  if (end)
    events.push_back(std::move(*end));
  if (command.answer) {
    auto cause = ahead().unanswered();
    cause.push_back(id);
    options_[command.response] = command.options;
    events.emplace_back(response_requested{command.response, std::move(cause)});
  }
  parts_.count->add(counter::inputs_accepted);
  return accept(std::move(events));
}

session_state::promise session_state::on_remove(const remove_item& command) {
  if (ahead().removed.contains(command.id))
    return repeat(ahead().head);
  if (ahead().find_item(command.id) == nullptr)
    return refuse({errc::not_found, "there is no item " + command.id + " in this conversation",
                   "item_id", "item_unknown"});
  return accept({item_removed{command.id}});
}

caf::result<accepted> session_state::on_get(const get_item& command) const {
  for (const auto& entry : log_->durable()->items)
    if (entry->value.id == command.id)
      return accepted{entry->seq, false, entry};
  return to_caf({errc::not_found, "there is no item " + command.id + " in this conversation",
                 "item_id", "item_unknown"});
}

session_state::promise session_state::on_request(const request_response& command) {
  const auto& view = ahead();
  if (view.find_response(command.response) != nullptr)
    return repeat(view.head);
  if (!view.ended.empty())
    return refuse(ended_error());
  if (!view.open_responses.empty())
    return refuse({errc::conflict,
                   "the conversation has an active response, " + view.open_responses.front()->id
                     + "; wait for its response.done, or cancel it",
                   {},
                   "response_active"});
  if (auto why = over_limit())
    return refuse(*why);
  options_[command.response] = command.options;
  return accept({response_requested{command.response, cause_of(view, command.response)}});
}

session_state::promise session_state::on_cancel(const cancel_response& command) {
  const auto& view = ahead();
  const response_state* open = nullptr;
  for (const auto& entry : view.open_responses)
    if (command.response.empty() || entry->id == command.response) {
      open = entry.get();
      break;
    }
  if (open == nullptr)
    return refuse({errc::not_found, "no response is active", "response_id", "response_not_active"});
  if (open->phase == response_phase::requested)
    return accept({response_done{open->id, response_status::cancelled, "client_cancelled", {}}});
  std::vector<event_body> events;
  interrupt("client_cancelled", events);
  return accept(std::move(events));
}

session_state::promise session_state::on_edit(const edit_topic& command) {
  const auto& view = ahead();
  if (std::find(view.edits.begin(), view.edits.end(), command.edit) != view.edits.end())
    return repeat(view.head);
  if (!view.ended.empty())
    return refuse(ended_error());
  auto changes = judge_edit(*who_.app, view, command, today());
  if (!changes) {
    parts_.count->add(counter::topics_refused);
    return refuse(changes.error());
  }
  return changes->events.empty() ? repeat(view.head) : accept(std::move(changes->events));
}

session_state::promise session_state::on_undo(const undo_topic& command) {
  const auto& view = ahead();
  if (std::find(view.edits.begin(), view.edits.end(), command.edit) != view.edits.end())
    return repeat(view.head);
  auto changes = judge_undo(*who_.app, view, command);
  if (!changes)
    return refuse(changes.error());
  return accept(std::move(changes->events));
}

session_state::promise session_state::on_end(const end_session& command) {
  if (!ahead().ended.empty())
    return repeat(ahead().head);
  std::vector<event_body> events;
  interrupt("client_cancelled", events);
  if (!events.empty())
    log_->push(std::exchange(events, {}), wall_ms(*parts_.where));
  for (const auto& open : ahead().open_responses)
    if (open->phase == response_phase::requested)
      events.emplace_back(
        response_done{open->id, response_status::cancelled, "client_cancelled", {}});
  events.emplace_back(session_ended{command.reason});
  return accept(std::move(events));
}

caf::typed_response_promise<analysis_taken>
session_state::on_proposals(const propose_topics& proposals) {
  auto answer = self_->make_response_promise<analysis_taken>();
  if (!ahead().ended.empty()) {
    answer.deliver(to_caf(ended_error()));
    return answer;
  }
  auto changes = judge_proposals(*who_.app, ahead(), proposals, today());
  parts_.count->add(counter::topics_refused, changes.refused.size());
  analysis_taken taken{static_cast<std::uint32_t>(changes.events.size()),
                       std::move(changes.refused)};
  auto calls = take_analyzer_calls(*who_.app, ahead(), proposals.calls, taken.refused);
  std::move(calls.begin(), calls.end(), std::back_inserter(changes.events));
  changes.events.emplace_back(analysis_done{proposals.head_read, proposals.usage});
  write(std::move(changes.events), [answer, taken](const error* why) mutable {
    if (why != nullptr)
      answer.deliver(to_caf(*why));
    else
      answer.deliver(taken);
  });
  return answer;
}

} // namespace sidevoice
