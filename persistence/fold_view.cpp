#include "persistence/fold.hpp"
#include "persistence/json_parts.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

template <class Entries>
bool same_entries(const Entries& a, const Entries& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x == y || (x && y && *x == *y); });
}

bool same_topics(const std::map<std::string, topic_state_ptr>& a,
                 const std::map<std::string, topic_state_ptr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && (x.second == y.second || *x.second == *y.second);
  });
}

} // namespace

const stored_item* session_view::find_item(const std::string& id) const {
  const auto found = std::find_if(items.rbegin(), items.rend(),
                                  [&id](const auto& stored) { return stored->value.id == id; });
  return found == items.rend() ? nullptr : found->get();
}

const response_state* session_view::find_response(const std::string& id) const {
  const auto is_it = [&id](const auto& response) { return response->id == id; };
  if (const auto open = std::find_if(open_responses.begin(), open_responses.end(), is_it);
      open != open_responses.end())
    return open->get();
  const auto closed = std::find_if(closed_responses.rbegin(), closed_responses.rend(), is_it);
  return closed == closed_responses.rend() ? nullptr : closed->get();
}

const response_state* session_view::running() const {
  for (const auto& response : open_responses)
    if (response->phase == response_phase::started)
      return response.get();
  return nullptr;
}

topic_state session_view::topic(const std::string& id) const {
  const auto found = topics.find(id);
  return found == topics.end() ? topic_state{} : *found->second;
}

const call_state* session_view::find_call(const std::string& id) const {
  for (const auto& entry : open_calls)
    if (entry->call.call == id)
      return entry.get();
  return nullptr;
}

const speech_state* session_view::find_speech(const std::string& item) const {
  for (const auto& open : open_speech)
    if (open.item == item)
      return &open;
  return nullptr;
}

const stream_position* session_view::find_stream(const std::string& stream) const {
  for (const auto& position : streams)
    if (position.stream == stream)
      return &position;
  return nullptr;
}

std::vector<std::string> session_view::unanswered() const {
  // A request may have been made before the words were known.
  const auto is_cause = [](const auto& responses, const std::string& id) {
    return std::any_of(responses.begin(), responses.end(), [&id](const auto& response) {
      return std::find(response->cause.begin(), response->cause.end(), id) != response->cause.end();
    });
  };
  std::vector<std::string> ids;
  for (const auto& stored : items) {
    const auto& value = stored->value;
    const bool asks = value.kind == item_kind::function_call_output
                      || (value.kind == item_kind::message && value.role == item_role::user);
    if (asks && stored->seq > answered_to && find_speech(value.id) == nullptr
        && !(value.spoken
             && (is_cause(open_responses, value.id) || is_cause(closed_responses, value.id))))
      ids.push_back(value.id);
  }
  return ids;
}

std::string session_view::previous_of(const std::string& id) const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&id](const auto& stored) { return stored->value.id == id; });
  if (found == items.end() || found == items.begin())
    return {};
  return (*std::prev(found))->value.id;
}

json_text session_view::result() const {
  // Values are JSON texts already and keep their bytes; only the names need quoting.
  json_text out = "{";
  for (const auto& [name, state] : topics) {
    // A topic that is skipped keeps its value for its return; meanwhile it says nothing.
    if (state->value.empty() || state->status == topic_status::skipped)
      continue;
    if (out.size() > 1)
      out += ',';
    out += json_parts::dump(name) + ':' + state->value;
  }
  return out + '}';
}

bool operator==(const session_view& a, const session_view& b) {
  return a.about == b.about && a.started_at == b.started_at && a.head == b.head
         && same_entries(a.items, b.items) && a.removed == b.removed
         && same_entries(a.open_responses, b.open_responses)
         && same_entries(a.closed_responses, b.closed_responses) && a.answered_to == b.answered_to
         && same_topics(a.topics, b.topics) && same_entries(a.open_calls, b.open_calls)
         && a.analyzer_calls == b.analyzer_calls && a.open_speech == b.open_speech
         && a.streams == b.streams && a.spent == b.spent && a.ending == b.ending
         && a.revision == b.revision && a.changes == b.changes && a.edits == b.edits
         && a.analyzed_to == b.analyzed_to && a.completed == b.completed && a.ended == b.ended;
}

} // namespace sidevoice
