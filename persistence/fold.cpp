#include "persistence/fold.hpp"

#include "persistence/rank.hpp"

#include <algorithm>
#include <type_traits>

namespace sidevoice {

namespace {

constexpr std::size_t closed_responses_max = 64;
constexpr std::size_t changes_max = 32;
constexpr std::size_t edits_max = 64;
constexpr std::size_t streams_max = 8;
constexpr std::size_t analyzer_calls_max = 8;

template <class Entries, class Entry>
void push_bounded(Entries& entries, Entry entry, std::size_t max) {
  entries.push_back(std::move(entry));
  if (entries.size() > max)
    entries.pop_front();
}

/// Changes an open response on a copy, since other views share the entry. Unknown ids: no effect.
template <class Change>
void change_open(session_view& view, const std::string& id, Change change) {
  for (auto& entry : view.open_responses) {
    if (entry->id != id)
      continue;
    auto next = std::make_shared<response_state>(*entry);
    change(*next);
    entry = std::move(next);
    return;
  }
}

/// The same for an item.
template <class Change>
void change_item(session_view& view, const std::string& id, Change change) {
  const auto known = std::find_if(view.items.rbegin(), view.items.rend(),
                                  [&id](const auto& stored) { return stored->value.id == id; });
  if (known == view.items.rend())
    return;
  auto next = std::make_shared<stored_item>(**known);
  change(*next);
  *known = std::move(next);
}

// -- one function per event -----------------------------------------------------------------------

void on(session_view& view, const event& e, const session_started& body) {
  view.about = body;
  view.started_at = e.at;
}

void on(session_view& view, const event& e, const item_put& body) {
  // A late put of a running answer does not bring back what was deleted; a client that creates an
  // item under a deleted id means it (the session has checked that).
  if (view.removed.contains(body.value.id)) {
    if (!body.value.response.empty())
      return;
    view.removed.erase(body.value.id);
  }
  auto entry = std::make_shared<stored_item>(
    stored_item{.value = body.value, .rank = body.rank, .seq = e.seq, .at = e.at});
  // From the back: nearly every put is of one of the newest items.
  const auto known =
    std::find_if(view.items.rbegin(), view.items.rend(),
                 [&body](const auto& stored) { return stored->value.id == body.value.id; });
  const bool replaces = known != view.items.rend();
  if (replaces) {
    entry->seq = (*known)->seq;
    entry->at = (*known)->at;
  }
  if (replaces && (*known)->rank == body.rank) {
    *known = std::move(entry);
  } else {
    if (replaces)
      view.items.erase(std::next(known).base());
    const auto place = std::upper_bound(view.items.begin(), view.items.end(), body.rank,
                                        [](const std::string& rank, const auto& stored) {
                                          return rank < stored->rank;
                                        });
    view.items.insert(place, std::move(entry));
  }
  if (body.value.kind != item_kind::function_call || body.value.response.empty())
    return;
  change_open(view, body.value.response, [&body](response_state& response) {
    if (std::find(response.calls.begin(), response.calls.end(), body.value.call_id)
        == response.calls.end())
      response.calls.push_back(body.value.call_id);
  });
}

/// Where the first speech of a stream begins whose words are still to come.
std::optional<std::uint64_t> first_open(const session_view& view, const std::string& stream) {
  std::optional<std::uint64_t> first;
  for (const auto& open : view.open_speech)
    if (open.stream == stream)
      first = std::min(first.value_or(open.from_ms), open.from_ms);
  return first;
}

/// Speech has been dealt with: its words are known, or nobody wants them any more.
void close_speech(session_view& view, const std::string& item, bool is_lost = false) {
  const auto* open = view.find_speech(item);
  if (!open)
    return;
  const auto closed = *open;
  std::erase_if(view.open_speech, [&item](const auto& one) { return one.item == item; });
  const auto of_stream = [&closed](const auto& one) { return one.stream == closed.stream; };
  auto known = std::find_if(view.streams.begin(), view.streams.end(), of_stream);
  if (known == view.streams.end()) {
    push_bounded(view.streams, stream_position{closed.stream}, streams_max);
    known = std::prev(view.streams.end());
  }
  if (is_lost)
    known->lose({closed.from_ms, closed.to_ms});
  else
    known->hear({closed.from_ms, closed.to_ms}, first_open(view, closed.stream));
}

void on(session_view& view, const event&, const item_removed& body) {
  std::erase_if(view.items, [&body](const auto& stored) { return stored->value.id == body.id; });
  close_speech(view, body.id);
  view.removed.insert(body.id);
}

void on(session_view& view, const event& e, const input_speech& body) {
  on(view, e,
     item_put{.rank = body.rank,
              .value = {.id = body.item,
                        .spoken = true,
                        .audio_ms = static_cast<std::uint32_t>(body.to_ms - body.from_ms)}});
  view.open_speech.push_back({body.item, body.stream, body.from_ms, body.to_ms});
}

void on(session_view& view, const event& e, const input_transcribed& body) {
  if (!view.find_speech(body.item))
    return;
  close_speech(view, body.item, body.reason == "lost");
  change_item(view, body.item, [&](stored_item& stored) {
    stored.value.text = body.text;
    stored.value.status = body.reason.empty() ? item_status::completed : item_status::incomplete;
    stored.seq = e.seq;
  });
  // Whoever asked for an answer before the words were there has asked for this one.
  const auto is_asked = [&body](const response_state_ptr& open) {
    return std::find(open->cause.begin(), open->cause.end(), body.item) != open->cause.end();
  };
  if (std::any_of(view.open_responses.begin(), view.open_responses.end(), is_asked))
    view.answered_to = e.seq;
}

void on(session_view& view, const event&, const item_heard& body) {
  change_item(view, body.id, [&body](stored_item& stored) {
    auto& value = stored.value;
    if (value.text.compare(0, body.text.size(), body.text) == 0)
      value.unheard = value.text.substr(body.text.size()) + value.unheard;
    value.text = body.text;
    value.audio_ms = body.ms;
    value.status = item_status::incomplete;
  });
}

void on(session_view&, const event&, const turn_measured&) {}

void on(session_view& view, const event& e, const response_requested& body) {
  // A request that is known already answers nothing new.
  if (view.find_response(body.response))
    return;
  view.answered_to = e.seq;
  auto response = std::make_shared<response_state>();
  response->id = body.response;
  response->cause = body.cause;
  view.open_responses.push_back(std::move(response));
}

void on(session_view& view, const event&, const response_started& body) {
  change_open(view, body.response, [&](response_state& response) {
    response.phase = response_phase::started;
    response.attempt = body.attempt;
    response.item = body.item;
    response.rank = rank_after(view.items.empty() ? std::string_view{}
                                                  : std::string_view{view.items.back()->rank});
    response.clauses = 0;
    response.spoken.clear();
  });
}

void on(session_view& view, const event&, const response_spoken& body) {
  const auto* response = view.find_response(body.response);
  if (!response || response->attempt != body.attempt || body.clause != response->clauses + 1)
    return;
  change_open(view, body.response, [&body](response_state& open) {
    open.clauses = body.clause;
    open.spoken += body.text;
  });
}

void on(session_view& view, const event&, const response_done& body) {
  const auto open =
    std::find_if(view.open_responses.begin(), view.open_responses.end(),
                 [&body](const auto& response) { return response->id == body.response; });
  if (open == view.open_responses.end())
    return;
  auto closed = std::make_shared<response_state>(**open);
  closed->phase = response_phase::done;
  closed->status = body.status;
  closed->reason = body.reason;
  view.spent += body.usage.cost;
  view.open_responses.erase(open);
  push_bounded(view.closed_responses, response_state_ptr{std::move(closed)}, closed_responses_max);
}

void on(session_view& view, const event& e, const topic_updated& body) {
  const auto before = view.topic(body.topic);
  if (body.undo) {
    if (!view.changes.empty())
      view.changes.pop_back();
  } else if (body.by != topic_author::rule) {
    push_bounded(view.changes,
                 topic_change{.topic = body.topic, .before = before, .revision = body.revision},
                 changes_max);
  }
  view.topics[body.topic] = std::make_shared<topic_state>(
    topic_state{.status = body.status,
                .value = body.value,
                .evidence = body.evidence,
                .by = body.by,
                .revision = body.revision,
                .seq = e.seq,
                .person_seq = body.by == topic_author::person ? e.seq : before.person_seq,
                .resumes = body.resumes});
  view.revision = body.revision;
  if (!body.edit.empty())
    push_bounded(view.edits, body.edit, edits_max);
}

/// As change_open, for calls.
template <class Change>
void change_call(session_view& view, const std::string& id, Change change) {
  for (auto& entry : view.open_calls) {
    if (entry->call.call != id)
      continue;
    auto next = std::make_shared<call_state>(*entry);
    change(*next);
    entry = std::move(next);
    return;
  }
}

void on(session_view& view, const event& e, const call_opened& body) {
  if (view.find_call(body.call) != nullptr)
    return;
  view.open_calls.push_back(std::make_shared<call_state>(
    call_state{.call = body,
               .phase = body.needs_approval ? call_phase::waiting : call_phase::ready,
               .seq = e.seq}));
}

void on(session_view& view, const event&, const call_approved& body) {
  change_call(view, body.call, [&body](call_state& call) {
    if (body.approved && call.phase == call_phase::waiting)
      call.phase = call_phase::ready;
  });
}

void on(session_view& view, const event&, const call_started& body) {
  change_call(view, body.call, [&body](call_state& call) {
    call.phase = call_phase::started;
    call.attempt = body.attempt;
  });
}

void on(session_view& view, const event&, const call_ended& body) {
  const auto open =
    std::find_if(view.open_calls.begin(), view.open_calls.end(),
                 [&body](const auto& entry) { return entry->call.call == body.call; });
  if (open == view.open_calls.end())
    return;
  const auto& call = (*open)->call;
  if (call.by == call_author::analyzer)
    push_bounded(view.analyzer_calls, closed_call{call, body.outcome, body.output},
                 analyzer_calls_max);
  if (call.name == "end_session" && call.runner == call_runner::server && body.outcome == "ok")
    view.ending = true;
  view.open_calls.erase(open);
}

void on(session_view& view, const event&, const analysis_done& body) {
  view.spent += body.usage.cost;
  // A stale analysis that ends late takes nothing back.
  view.analyzed_to = std::max(view.analyzed_to, body.head_read);
}

void on(session_view& view, const event&, const session_completed& body) {
  view.completed = body.revision;
}

void on(session_view& view, const event&, const session_reopened&) {
  view.completed.reset();
}

void on(session_view& view, const event&, const session_ended& body) {
  view.ended = body.reason;
}

void on(session_view&, const event&, const erased&) {}

} // namespace

result<void> apply(session_view& view, const event& e) {
  if (e.seq != view.head + 1)
    return error{.code = errc::damaged,
                 .detail = "event " + std::to_string(e.seq) + " follows event "
                           + std::to_string(view.head)
                           + "; `sidevoice store verify` says what can be done",
                 .param = std::to_string(view.head + 1)};
  std::visit([&](const auto& body) { on(view, e, body); }, e.body);
  view.head = e.seq;
  return {};
}

result<view_ptr> apply(const view_ptr& view, std::span<const event_ptr> events) {
  auto next = view ? std::make_shared<session_view>(*view) : std::make_shared<session_view>();
  for (const auto& e : events)
    if (auto applied = apply(*next, *e); !applied)
      return applied.error();
  return view_ptr{std::move(next)};
}

} // namespace sidevoice
