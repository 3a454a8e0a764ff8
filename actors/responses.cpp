#include "actors/responses.hpp"

#include "persistence/rank.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

/// How many responses before this one were lost and continued, one after the other.
std::uint32_t continuations(const session_view& view, const response_state& response) {
  std::uint32_t count = 0;
  const auto* current = &response;
  while (count <= max_continuations && current->cause.size() == 1) {
    const auto* before = view.find_response(current->cause.front());
    // A request of its own names itself as its cause.
    if (before == nullptr || before == current || before->reason != "owner_lost")
      break;
    ++count;
    current = before;
  }
  return count;
}

/// The place that is kept for the answer's item.
std::string rank_of(const session_view& view, const response_state& response) {
  return response.rank.empty() ? next_rank(view) : response.rank;
}

item message_of(const response_state& response, std::string text, std::string unheard,
                item_status status, spoken_ms spoken = {}) {
  return {.id = response.item,
          .kind = item_kind::message,
          .role = item_role::assistant,
          .status = status,
          .text = std::move(text),
          .unheard = std::move(unheard),
          .response = response.id,
          .spoken = spoken.has_value(),
          .audio_ms = spoken.value_or(0)};
}

/// A client asks for the answer to what it ran itself, while this server still runs another call of
/// the same answer: the model gets both. A word of the visitor waits for nothing, and nobody waits
/// for an approval.
bool waits_for_calls(const session_view& view, const response_state& response) {
  const auto made_by = [&view](const std::string& call) {
    for (const auto& stored : view.items)
      if (stored->value.kind == item_kind::function_call && stored->value.call_id == call)
        return stored->value.response;
    return std::string{};
  };
  bool waits = false;
  for (const auto& id : response.cause) {
    const auto* cause = view.find_item(id);
    if (cause == nullptr || cause->value.kind != item_kind::function_call_output)
      return false;
    const auto maker = made_by(cause->value.call_id);
    waits = waits
            || std::any_of(view.open_calls.begin(), view.open_calls.end(),
                           [&maker](const call_state_ptr& call) {
                             return !maker.empty() && call->call.response == maker
                                    && call->call.runner != call_runner::client
                                    && call->phase != call_phase::waiting;
                           });
  }
  return waits;
}

/// What it answers to has been said, and is not known yet.
bool waits_for_words(const session_view& view, const response_state& response) {
  return std::any_of(response.cause.begin(), response.cause.end(),
                     [&view](const auto& id) { return view.find_speech(id) != nullptr; });
}

next_step recover(const session_view& view, const response_state& lost, const std::string& heard,
                  id_source& ids) {
  next_step step{.recovered = true};
  if (heard.empty() && lost.calls.empty()) {
    if (lost.attempt >= max_attempts) {
      step.events.emplace_back(response_done{lost.id, response_status::failed, "poison", {}});
      return step;
    }
    response_started again{lost.id, lost.attempt + 1, ids.make("item_")};
    step.run = run_response{.response = again.response,
                            .attempt = again.attempt,
                            .item = again.item,
                            .view = nullptr,
                            .options = nullptr,
                            .app = nullptr};
    step.events.emplace_back(std::move(again));
    return step;
  }
  if (!heard.empty())
    step.events.emplace_back(
      item_put{rank_of(view, lost), message_of(lost, heard, {}, item_status::incomplete)});
  step.events.emplace_back(response_done{lost.id, response_status::incomplete, "owner_lost", {}});
  if (continuations(view, lost) < max_continuations)
    step.events.emplace_back(response_requested{ids.make("resp_"), {lost.id}});
  return step;
}

} // namespace

std::string next_rank(const session_view& view) {
  const auto last = view.items.empty() ? std::string_view{}
                                       : std::string_view{view.items.back()->rank};
  const auto* running = view.running();
  return rank_after(running == nullptr ? last : std::max(last, std::string_view{running->rank}));
}

namespace {

/// The rank of another item of an answer, behind the one of rank `before` and before what came
/// while it was given.
std::string rank_behind(const session_view& view, const std::string& before) {
  for (const auto& stored : view.items)
    if (stored->rank > before)
      return rank_between(before, stored->rank);
  return rank_after(before);
}

} // namespace

std::vector<std::string> cause_of(const session_view& view, const std::string& response) {
  auto cause = view.unanswered();
  // Who asks for an answer right behind their words means those words: it waits for them.
  for (const auto& open : view.open_speech)
    cause.push_back(open.item);
  if (cause.empty())
    cause.push_back(response);
  return cause;
}

next_step decide_next(const session_view& view, const runner_status& runner, id_source& ids) {
  if (!runner.available || !view.ended.empty())
    return {};
  if (const auto* running = view.running()) {
    if (running->id == runner.response)
      return {};
    const auto& heard = running->id == runner.lost_response
                            && runner.lost_text.size() > running->spoken.size()
                          ? runner.lost_text
                          : running->spoken;
    return recover(view, *running, heard, ids);
  }
  if (!runner.may_begin)
    return {};
  for (const auto& waiting : view.open_responses) {
    if (waiting->phase != response_phase::requested || waits_for_calls(view, *waiting)
        || waits_for_words(view, *waiting))
      continue;
    response_started begin{waiting->id, waiting->attempt + 1, ids.make("item_")};
    next_step step;
    step.run = run_response{.response = begin.response,
                            .attempt = begin.attempt,
                            .item = begin.item,
                            .view = nullptr,
                            .options = nullptr,
                            .app = nullptr};
    step.events.emplace_back(std::move(begin));
    return step;
  }
  return {};
}

std::vector<event_body> interrupt_response(const session_view& view, const response_state& response,
                                           const std::string& heard, const std::string& held,
                                           const std::string& reason, spoken_ms spoken) {
  std::vector<event_body> events;
  if (!heard.empty())
    events.emplace_back(item_put{
      rank_of(view, response), message_of(response, heard, held, item_status::incomplete, spoken)});
  events.emplace_back(response_done{response.id, response_status::cancelled, reason, {}});
  return events;
}

std::vector<event_body> finish_response(const session_view& view, const response_state& response,
                                        const answer_done& done, const std::string& text,
                                        spoken_ms spoken) {
  std::vector<event_body> events;
  auto rank = rank_of(view, response);
  if (!text.empty()) {
    const auto status = done.status == response_status::completed ? item_status::completed
                                                                  : item_status::incomplete;
    events.emplace_back(item_put{rank, message_of(response, text, {}, status, spoken)});
    rank = rank_behind(view, rank);
  }
  for (const auto& call : done.calls) {
    events.emplace_back(item_put{rank, call});
    rank = rank_behind(view, rank);
  }
  events.emplace_back(response_done{response.id, done.status, done.reason, done.usage});
  return events;
}

} // namespace sidevoice
