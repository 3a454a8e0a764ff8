#include "gateway/protocol_realtime.hpp"

#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_extension.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

/// What the session tells, as frames of one client.
namespace sidevoice {

namespace {

using nlohmann::json;

/// "sess_1" to "conv_1": a session has one conversation.
std::string conversation_of(const std::string& session) {
  const auto cut = session.find('_');
  return "conv_" + (cut == std::string::npos ? session : session.substr(cut + 1));
}

} // namespace

std::unique_ptr<client_codec> make_protocol_realtime(realtime_options options) {
  return std::make_unique<realtime_codec>(std::move(options));
}

realtime_codec::realtime_codec(realtime_options options)
    : options_(std::move(options)),
      out_(*options_.ids, options_.session, options_.extensions),
      session_(*options_.app, options_.session, options_.rights,
               {.speaks = options_.speaks, .extensions = options_.extensions}),
      responses_(out_, order_, session_, conversation_of(options_.session),
                 [this](const item& value) { return is_hidden(value); }) {
  remember_tools(*session_.options());
}

codec_actions realtime_codec::on_open() {
  out_.event({{"type", "session.created"}, {"session", json::parse(session_.text())}});
  // With extensions, the client's first event says where it goes on.
  if (!options_.extensions)
    attach_fresh();
  return out_.take();
}

void realtime_codec::attach_fresh() {
  asked_to_attach_ = true;
  out_.act(attach_session{.after = 0, .snapshot = true});
}

// -- durable events

codec_actions realtime_codec::on_published(const published& batch) {
  if (!attached_)
    return {};
  for (const auto& e : batch.events) {
    if (e->seq > last_seq_ + 1) {
      // A hole; the session fills it.
      attached_ = false;
      out_.act(attach_session{.after = last_seq_, .snapshot = false});
      break;
    }
    take_event(*e);
  }
  return out_.take();
}

void realtime_codec::take_event(const event& e) {
  if (e.seq <= last_seq_)
    return;
  last_seq_ = e.seq;
  const auto numbered = out_.numbered();
  out_.begin(e.seq);
  std::visit([&](const auto& body) { on(e, body); }, e.body);
  // Every number is seen by every client with extensions: a gap is a fault, and never a matter of
  // taste.
  if (options_.extensions && out_.numbered() == numbered) {
    out_.begin(e.seq);
    out_.event({{"type", "sidevoice.session.event"}, {"kind", type_of(e.body)}});
  }
  out_.end();
}

json realtime_codec::item_json(const item& value) const {
  return item_to_json(value, session_.speaks());
}

void realtime_codec::item_events(const item& value, bool is_new) {
  const auto shown = item_json(value);
  const auto before = order_.previous_of(value.id);
  const auto previous = before.empty() ? json{} : json(before);
  for (const auto* type : {"conversation.item.added", "conversation.item.done"})
    if (is_new || std::string_view{type} == "conversation.item.done")
      out_.event({{"type", type}, {"item", shown}, {"previous_item_id", previous}});
}

void realtime_codec::on(const event&, const item_put& body) {
  if (is_hidden(body.value))
    return;
  const bool is_new = !order_.has(body.value.id);
  order_.put(body.rank, body.value.id);
  if (body.value.spoken && body.value.role == item_role::assistant)
    remember_spoken(body.value.id, body.value.text);
  for (auto& [token, about] : pending_)
    if (about.subject == body.value.id && (about.what == ask::create || about.what == ask::echo))
      about.shown = true;
  if (!is_new || body.value.response.empty() || !responses_.put(body.value))
    item_events(body.value, is_new);
}

void realtime_codec::on(const event&, const item_removed& body) {
  if (replay_)
    removed_before_replay_.insert(body.id);
  // A client that resumes may hold an item that was removed while it was away.
  if (!order_.remove(body.id) && !options_.extensions)
    return;
  for (auto& [token, about] : pending_)
    if (about.subject == body.id && about.what == ask::remove)
      about.shown = true;
  out_.event({{"type", "conversation.item.deleted"}, {"item_id", body.id}});
}

void realtime_codec::on(const event&, const response_requested& body) {
  responses_.requested(body.response);
  thinking_.insert(body.response);
  show_state();
}

void realtime_codec::on(const event&, const response_started& body) {
  responses_.started(body, is_seated(), {});
}

void realtime_codec::on(const event&, const response_done& body) {
  responses_.done(body);
  thinking_.erase(body.response);
  if (speaking_response_ == body.response)
    speaking_item_.clear();
  show_state();
}

void realtime_codec::on(const event& e, const topic_updated& body) {
  if (!options_.extensions)
    return;
  auto state = std::make_shared<topic_state>();
  state->status = body.status;
  state->value = body.value;
  state->evidence = body.evidence;
  state->by = body.by;
  state->revision = body.revision;
  state->seq = e.seq;
  topics_[body.topic] = std::move(state);
  show_topic(body.topic, e.seq, body.edit);
}

void realtime_codec::show_topic(const std::string& topic, std::uint64_t seq,
                                const std::string& edit) {
  const auto* declared = options_.app->find_topic(topic);
  const auto state = topics_.find(topic);
  // A release may have lost a topic that the journal knows.
  if (declared == nullptr || state == topics_.end())
    return;
  out_.begin(seq);
  json body{{"type", "sidevoice.topic.updated"},
            {"revision", state->second->revision},
            {"topic", topic_to_json(*declared, *state->second)},
            {"by", to_string(state->second->by)}};
  if (!edit.empty())
    body["edit"] = edit;
  out_.event(std::move(body));
  out_.end();
}

void realtime_codec::on(const event&, const session_completed& body) {
  if (options_.extensions)
    out_.event({{"type", "sidevoice.checklist.completed"},
                {"revision", body.revision},
                {"result", json::parse(body.result, nullptr, false)}});
}

void realtime_codec::on(const event&, const session_reopened& body) {
  if (options_.extensions)
    out_.event({{"type", "sidevoice.checklist.reopened"}, {"revision", body.revision}});
}

void realtime_codec::on(const event&, const session_ended& body) {
  if (!options_.extensions) {
    out_.act(close_socket{1000, "the session has ended: " + body.reason});
    return;
  }
  ended_ = true;
  show_state();
  out_.event({{"type", "sidevoice.session.ended"}, {"reason", body.reason}});
}

void realtime_codec::show_state() {
  // Empty while the past is told.
  if (!options_.extensions || state_.empty())
    return;
  const std::string now = ended_                       ? "ended"
                          : !speaking_visitor_.empty() ? "listening"
                          : !speaking_item_.empty()    ? "speaking"
                          : !thinking_.empty()         ? "thinking"
                                                       : "ready";
  if (now == state_)
    return;
  state_ = now;
  out_.event({{"type", "sidevoice.session.state"}, {"state", state_}});
}

// -- what is not journaled

codec_actions realtime_codec::on_delta(const answer_delta& delta) {
  if (attached_)
    responses_.delta(delta);
  return out_.take();
}

codec_actions realtime_codec::on_notice(const notice& what) {
  if (options_.extensions)
    out_.ephemeral({{"type", "sidevoice.notice"},
                    {"code", what.code},
                    {"level", what.level},
                    {"text", what.text}});
  return out_.take();
}

codec_actions realtime_codec::on_move(const move_away& where) {
  if (options_.extensions)
    out_.ephemeral(
      {{"type", "sidevoice.session.move"}, {"reconnect_in_ms", where.reconnect_in.count()}});
  return out_.take();
}

} // namespace sidevoice
