#include "persistence/fold.hpp"
#include "persistence/json_parts.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

using nlohmann::json;
using namespace json_parts;

namespace {

/// A list under `key`, left out when it is empty.
template <class Entries, class Write>
void put_list(json& out, const char* key, const Entries& entries, Write write) {
  if (entries.empty())
    return;
  auto list = json::array();
  for (const auto& entry : entries)
    list.push_back(write(entry));
  out[key] = std::move(list);
}

json from_stored(const stored_item_ptr& stored) {
  return {{"item", from_item(stored->value)},
          {"rank", stored->rank},
          {"seq", stored->seq},
          {"at", stored->at}};
}

stored_item_ptr to_stored(const json& from) {
  return std::make_shared<stored_item>(stored_item{.value = to_item(object(from, "item")),
                                                   .rank = needed_text(from, "rank"),
                                                   .seq = number(from, "seq"),
                                                   .at = time_ms(from, "at")});
}

json from_response(const response_state_ptr& response) {
  json out{{"id", response->id}, {"phase", name_of(response->phase)}};
  put_list(out, "cause", response->cause, [](const auto& id) { return id; });
  put_number(out, "attempt", response->attempt);
  put_text(out, "item", response->item);
  put_text(out, "rank", response->rank);
  put_number(out, "clauses", response->clauses);
  put_text(out, "spoken", response->spoken);
  put_list(out, "calls", response->calls, [](const auto& id) { return id; });
  if (response->status != response_status::completed)
    out["status"] = to_string(response->status);
  put_text(out, "reason", response->reason);
  return out;
}

response_state_ptr to_response(const json& from) {
  auto out = std::make_shared<response_state>();
  out->id = needed_text(from, "id");
  out->phase = to_response_phase(needed_text(from, "phase"));
  out->cause = texts(from, "cause");
  out->attempt = small_number(from, "attempt");
  out->item = text(from, "item");
  out->rank = text(from, "rank");
  out->clauses = small_number(from, "clauses");
  out->spoken = text(from, "spoken");
  out->calls = texts(from, "calls");
  if (from.contains("status"))
    out->status = to_response_status(text(from, "status"));
  out->reason = text(from, "reason");
  return out;
}

json from_open_call(const call_state_ptr& call) {
  auto out = from_call(call->call);
  out["phase"] = name_of(call->phase);
  put_number(out, "attempt", call->attempt);
  put_number(out, "seq", call->seq);
  return out;
}

call_state_ptr to_open_call(const json& from) {
  return std::make_shared<call_state>(call_state{.call = to_call(from),
                                                 .phase = to_call_phase(needed_text(from, "phase")),
                                                 .attempt = small_number(from, "attempt"),
                                                 .seq = number(from, "seq")});
}

json from_speech(const speech_state& open) {
  return {
    {"item", open.item}, {"stream", open.stream}, {"from_ms", open.from_ms}, {"to_ms", open.to_ms}};
}

speech_state to_speech(const json& from) {
  return {.item = needed_text(from, "item"),
          .stream = text(from, "stream"),
          .from_ms = number(from, "from_ms"),
          .to_ms = number(from, "to_ms")};
}

json from_range(const sound_range& range) {
  return {{"from_ms", range.from_ms}, {"to_ms", range.to_ms}};
}

std::vector<sound_range> to_ranges(const json& from, const char* name) {
  std::vector<sound_range> ranges;
  for (const auto& entry : array(from, name))
    ranges.push_back({number(entry, "from_ms"), number(entry, "to_ms")});
  return ranges;
}

json from_stream(const stream_position& position) {
  json out{{"stream", position.stream}, {"to_ms", position.to_ms}};
  put_list(out, "heard", position.heard, from_range);
  put_list(out, "lost", position.lost, from_range);
  return out;
}

stream_position to_stream(const json& from) {
  return {text(from, "stream"), number(from, "to_ms"), to_ranges(from, "heard"),
          to_ranges(from, "lost")};
}

json from_closed_call(const closed_call& closed) {
  auto out = from_call(closed.call);
  out["outcome"] = closed.outcome;
  put_text(out, "output", closed.output);
  return out;
}

closed_call to_closed_call(const json& from) {
  return {.call = to_call(from),
          .outcome = needed_text(from, "outcome"),
          .output = text(from, "output")};
}

json from_topic(const topic_state& topic) {
  json out{{"status", to_string(topic.status)}, {"by", to_string(topic.by)}};
  put_text(out, "value", topic.value);
  if (auto evidence = from_evidence(topic.evidence); !evidence.empty())
    out["evidence"] = std::move(evidence);
  put_number(out, "revision", topic.revision);
  put_number(out, "seq", topic.seq);
  put_number(out, "person_seq", topic.person_seq);
  if (topic.resumes != topic_status::open)
    out["resumes"] = to_string(topic.resumes);
  return out;
}

topic_state to_topic(const json& from) {
  const auto resumes = text(from, "resumes");
  return {.status = to_topic_status(needed_text(from, "status")),
          .value = text(from, "value"),
          .evidence = to_evidence(object(from, "evidence")),
          .by = to_topic_author(needed_text(from, "by")),
          .revision = number(from, "revision"),
          .seq = number(from, "seq"),
          .person_seq = number(from, "person_seq"),
          .resumes = resumes.empty() ? topic_status::open : to_topic_status(resumes)};
}

json from_change(const topic_change& change) {
  return {{"topic", change.topic},
          {"before", from_topic(change.before)},
          {"revision", change.revision}};
}

topic_change to_change(const json& from) {
  return {.topic = needed_text(from, "topic"),
          .before = to_topic(object(from, "before")),
          .revision = number(from, "revision")};
}

json from_topics(const std::map<std::string, topic_state_ptr>& topics) {
  auto out = json::object();
  for (const auto& [id, topic] : topics)
    out[id] = from_topic(*topic);
  return out;
}

session_view read_view(const json& from) {
  session_view view;
  view.about = to_about(object(from, "about"));
  view.started_at = time_ms(from, "started_at");
  view.head = number(from, "head");
  for (const auto& entry : array(from, "items"))
    view.items.push_back(to_stored(entry));
  for (auto& id : texts(from, "removed"))
    view.removed.insert(std::move(id));
  for (const auto& entry : array(from, "open_responses"))
    view.open_responses.push_back(to_response(entry));
  for (const auto& entry : array(from, "closed_responses"))
    view.closed_responses.push_back(to_response(entry));
  view.answered_to = number(from, "answered_to");
  for (const auto& [id, topic] : object(from, "topics").items())
    view.topics[id] = std::make_shared<topic_state>(to_topic(topic));
  view.revision = number(from, "revision");
  for (const auto& entry : array(from, "changes"))
    view.changes.push_back(to_change(entry));
  for (auto& id : texts(from, "edits"))
    view.edits.push_back(std::move(id));
  view.analyzed_to = number(from, "analyzed_to");
  for (const auto& entry : array(from, "open_calls"))
    view.open_calls.push_back(to_open_call(entry));
  for (const auto& entry : array(from, "analyzer_calls"))
    view.analyzer_calls.push_back(to_closed_call(entry));
  for (const auto& entry : array(from, "open_speech"))
    view.open_speech.push_back(to_speech(entry));
  for (const auto& entry : array(from, "streams"))
    view.streams.push_back(to_stream(entry));
  view.spent = number(from, "spent");
  view.ending = flag(from, "ending");
  if (from.contains("completed"))
    view.completed = number(from, "completed");
  view.ended = text(from, "ended");
  return view;
}

} // namespace

json_text encode(const session_view& view) {
  const auto same = [](const std::string& id) { return id; };
  json out{{"about", from_about(view.about)}, {"head", view.head}};
  if (view.started_at != 0)
    out["started_at"] = view.started_at;
  put_list(out, "items", view.items, from_stored);
  put_list(out, "removed", view.removed, same);
  put_list(out, "open_responses", view.open_responses, from_response);
  put_list(out, "closed_responses", view.closed_responses, from_response);
  put_number(out, "answered_to", view.answered_to);
  if (!view.topics.empty())
    out["topics"] = from_topics(view.topics);
  put_number(out, "revision", view.revision);
  put_list(out, "changes", view.changes, from_change);
  put_list(out, "edits", view.edits, same);
  put_number(out, "analyzed_to", view.analyzed_to);
  put_list(out, "open_calls", view.open_calls, from_open_call);
  put_list(out, "analyzer_calls", view.analyzer_calls, from_closed_call);
  put_list(out, "open_speech", view.open_speech, from_speech);
  put_list(out, "streams", view.streams, from_stream);
  put_number(out, "spent", view.spent);
  if (view.ending)
    out["ending"] = true;
  if (view.completed)
    out["completed"] = *view.completed;
  put_text(out, "ended", view.ended);
  return dump(out);
}

result<session_view> decode_view(std::string_view body) {
  try {
    return read_view(json::parse(body));
  } catch (const std::exception& e) {
    // nlohmann's messages quote the text around a fault, which may be what a user said.
    const auto* known = dynamic_cast<const damaged_json*>(&e);
    return error{.code = errc::damaged,
                 .detail = std::string{"snapshot: "}
                           + (known ? known->what() : "it is not valid JSON")
                           + "; the journal is read instead"};
  }
}

} // namespace sidevoice
