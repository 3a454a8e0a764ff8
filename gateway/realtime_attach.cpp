#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_extension.hpp"

#include <nlohmann/json.hpp>

#include <utility>

/// Where a client begins or goes on: snapshot, resume, and after a restart of its session.
namespace sidevoice {

using nlohmann::json;

codec_actions realtime_codec::on_attached(const attached& state) {
  attached_ = true;
  store_ = state.store_incarnation;
  // An older session runs the release that it began with.
  if (state.app)
    options_.app = state.app;
  if (was_attached_)
    attached_again(state);
  else
    attached_first(state);
  learn(*state.view);
  was_attached_ = true;
  resume_.reset();
  return out_.take();
}

codec_actions realtime_codec::on_attach_refused(const error& why) {
  if (why.reason == "future") {
    // A store that was restored knows less than its clients: they start from what it has.
    attach_fresh();
    return out_.take();
  }
  const auto mapped = fault_of({}, why);
  out_.fault(mapped, resume_ ? resume_->event_id : std::string{});
  const bool again = mapped.type == "server_error" && why.code != errc::damaged;
  out_.act(close_socket{static_cast<std::uint16_t>(again ? 1013 : 1011),
                        again ? "try again later" : "the session cannot be had"});
  return out_.take();
}

void realtime_codec::attached_first(const attached& state) {
  const auto& view = *state.view;
  if (!options_.extensions) {
    for (const auto& stored : view.items)
      if (!is_hidden(stored->value))
        order_.put(stored->rank, stored->value.id);
    last_seq_ = view.head;
    replay_ = state.view;
    if (updated_)
      replay();
    show_open(state);
    if (!view.ended.empty())
      out_.act(close_socket{1000, "the session has ended: " + view.ended});
    return;
  }
  const bool other_store = resume_ && !resume_->store.empty()
                           && resume_->store != state.store_incarnation;
  if (state.snapshot || !resume_ || other_store)
    show_snapshot(view);
  else
    show_events(state, resume_->after);
  show_open(state);
}

void realtime_codec::attached_again(const attached& state) {
  if (!state.snapshot) {
    for (const auto& e : state.events)
      take_event(*e);
  } else {
    out_.begin(state.view->head);
    sync_items(*state.view);
    show_missed_words(*state.view);
    out_.end();
    if (options_.extensions)
      show_snapshot(*state.view);
    last_seq_ = state.view->head;
  }
  show_open(state);
}

void realtime_codec::show_snapshot(const session_view& view) {
  order_.clear();
  topics_ = view.topics;
  thinking_.clear();
  for (const auto& response : view.open_responses)
    thinking_.insert(response->id);
  state_ = state_of(view);
  ended_ = !view.ended.empty();
  last_seq_ = view.head;
  out_.begin(view.head);
  out_.event(snapshot_to_json(*options_.app, view, store_, options_.client_key));
  for (const auto& stored : view.items) {
    order_.put(stored->rank, stored->value.id);
    out_.number(stored->seq);
    item_events(stored->value, true);
  }
  out_.number(view.head);
  show_approvals(view);
  out_.end();
}

/// The durable rest of a client that had everything up to `after`.
void realtime_codec::show_events(const attached& state, std::uint64_t after) {
  const auto& view = *state.view;
  // Speech counts as new when its words are known; its item came before.
  const auto is_told = [&state](const std::string& id) {
    return std::any_of(state.events.begin(), state.events.end(), [&id](const event_ptr& e) {
      const auto* speech = std::get_if<input_speech>(&e->body);
      return speech != nullptr && speech->item == id;
    });
  };
  for (const auto& stored : view.items)
    if (stored->seq <= after
        || (stored->value.spoken && stored->value.role == item_role::user
            && !is_told(stored->value.id)))
      order_.put(stored->rank, stored->value.id);
  topics_ = view.topics;
  last_seq_ = after;
  // The state goes out once, at the end: it is of now, not of then.
  state_.clear();
  for (const auto& e : state.events)
    take_event(*e);
  last_seq_ = view.head;
  topics_ = view.topics;
  thinking_.clear();
  for (const auto& response : view.open_responses)
    thinking_.insert(response->id);
  state_ = state_of(view);
  ended_ = !view.ended.empty();
  out_.begin(view.head);
  out_.event({{"type", "sidevoice.session.resumed"},
              {"from_seq", after},
              {"to_seq", view.head},
              {"store", store_},
              {"state", state_}});
  show_approvals(view);
  out_.end();
}

/// Responses that are open now: the running one so far, and those that have not begun.
void realtime_codec::show_open(const attached& state) {
  for (const auto& response : state.view->open_responses) {
    if (response->phase == response_phase::requested) {
      responses_.requested(response->id);
      continue;
    }
    // A plain client that came in the middle gets the item at its end.
    if (options_.extensions || responses_.knows(response->id))
      responses_.started({response->id, response->attempt, response->item}, is_seated(),
                         response->rank);
  }
  if (state.open)
    responses_.catch_up(*state.open);
}

/// After a break that was too long for the session to tell event by event: the difference.
void realtime_codec::sync_items(const session_view& view) {
  for (const auto& id : order_.ids())
    if (view.find_item(id) == nullptr) {
      order_.remove(id);
      out_.event({{"type", "conversation.item.deleted"}, {"item_id", id}});
    }
  std::vector<const item*> fresh;
  for (const auto& stored : view.items) {
    const auto& value = stored->value;
    if (is_hidden(value))
      continue;
    // Items of a response that this client sees come in the order of that response.
    if (!order_.has(value.id) && (value.response.empty() || !responses_.knows(value.response)))
      fresh.push_back(&value);
    order_.put(stored->rank, value.id);
  }
  responses_.reconcile(view);
  for (const auto* value : fresh)
    item_events(*value, true);
}

void realtime_codec::replay() {
  const auto view = std::exchange(replay_, nullptr);
  if (!view)
    return;
  // Which calls it sees depends on the tools that it has just brought along.
  hidden_calls_.clear();
  for (const auto& stored : view->items) {
    if (is_hidden(stored->value) || removed_before_replay_.contains(stored->value.id))
      continue;
    order_.put(stored->rank, stored->value.id);
    item_events(stored->value, true);
  }
  removed_before_replay_.clear();
}

} // namespace sidevoice
