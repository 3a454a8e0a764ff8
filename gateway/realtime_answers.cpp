#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_extension.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

/// What the session answers to commands. Most of it is silence: the events of a command come as
/// published events, to all connections alike.
namespace sidevoice {

using nlohmann::json;

codec_actions realtime_codec::on_accepted(std::uint64_t token, const accepted& answer) {
  auto node = pending_.extract(token);
  if (node.empty())
    return {};
  const auto& about = node.mapped();
  switch (about.what) {
    case ask::retrieve:
      if (answer.found)
        out_.event(
          {{"type", "conversation.item.retrieved"}, {"item", item_json(answer.found->value)}});
      break;
    case ask::truncate:
      if (!about.shown)
        out_.event({{"type", "conversation.item.truncated"},
                    {"item_id", about.subject},
                    {"content_index", 0},
                    {"audio_end_ms", about.ms}});
      break;
    case ask::echo:
      if (answer.found && !about.shown) {
        out_.begin(answer.found->seq);
        item_events(answer.found->value, true);
        out_.end();
      }
      break;
    case ask::create:
      if (!answer.repeated && !about.response.empty())
        responses_.expect(about.response, session_.echo());
      if (answer.repeated)
        accepted_repeat(about, answer);
      break;
    default:
      if (answer.repeated)
        accepted_repeat(about, answer);
      break;
  }
  return out_.take();
}

/// The same id again gets the same answer: its events, once more, for this connection.
void realtime_codec::accepted_repeat(const pending& about, const accepted& answer) {
  // Shown already, or still to come as a published event: that is its answer.
  if (about.shown || answer.seq > last_seq_)
    return;
  switch (about.what) {
    case ask::create:
      event_id_ = about.event_id;
      if (auto wrong = command({.what = ask::echo, .subject = about.subject},
                               get_item{about.subject}))
        out_.fault(*wrong, about.event_id);
      return;
    case ask::remove:
      out_.event({{"type", "conversation.item.deleted"}, {"item_id", about.subject}});
      return;
    case ask::edit:
      return show_topic(about.subject, last_seq_, about.event_id);
    case ask::undo: {
      // What it had put back is not said again; the newest change is what the client may have
      // missed.
      const auto newest = std::max_element(topics_.begin(), topics_.end(),
                                           [](const auto& a, const auto& b) {
                                             return a.second->revision < b.second->revision;
                                           });
      if (newest != topics_.end())
        show_topic(newest->first, last_seq_, about.event_id);
      return;
    }
    default:
      return;
  }
}

codec_actions realtime_codec::on_refused(std::uint64_t token, const error& why) {
  auto node = pending_.extract(token);
  if (node.empty())
    return {};
  const auto& about = node.mapped();
  if (!about.response.empty())
    responses_.forget(about.response);
  // A command that went out twice around a crash: its first run did what was asked.
  if (about.shown && why.code == errc::not_found)
    return {};
  const bool is_edit = about.what == ask::edit || about.what == ask::undo;
  if (is_edit
      && (why.code == errc::invalid || why.code == errc::conflict || why.code == errc::not_found))
    reject_edit(about, why);
  else
    out_.fault(fault_of(about, why), about.event_id);
  return out_.take();
}

codec_actions realtime_codec::on_lost(std::uint64_t token) {
  auto node = pending_.extract(token);
  if (node.empty())
    return {};
  const auto& about = node.mapped();
  if (!about.response.empty())
    responses_.forget(about.response);
  out_.fault({"unknown_outcome",
              "The session gave no answer in time; it is not known whether this took effect. An "
              "item may be created again under the same id without a second effect.",
              {},
              "server_error"},
             about.event_id);
  return out_.take();
}

void realtime_codec::reject_edit(const pending& about, const error& why) {
  json body{{"type", "sidevoice.topic.rejected"},
            {"topic", about.subject.empty() ? json{} : json(about.subject)},
            {"reason", why.reason.empty() ? to_string(why.code) : why.reason},
            {"message", why.detail},
            {"param", why.param.empty() ? json{} : json(why.param)},
            {"edit", about.event_id.empty() ? json{} : json(about.event_id)},
            {"current", nullptr}};
  if (const auto* declared = options_.app->find_topic(about.subject); declared != nullptr) {
    const auto known = topics_.find(about.subject);
    body["current"] = topic_to_json(*declared,
                                    known == topics_.end() ? topic_state{} : *known->second);
  }
  out_.event(std::move(body));
}

realtime_fault realtime_codec::fault_of(const pending& about, const error& why) const {
  if (about.what == ask::truncate && why.code == errc::not_found)
    return {"item_truncate_invalid_item_id", "There is no such item in this conversation.",
            "item_id"};
  if (about.what == ask::truncate && why.code == errc::invalid)
    return {"invalid_value", why.detail, "audio_end_ms"};
  if (why.reason == "response_active")
    return {"conversation_already_has_active_response",
            "The conversation has a response already; send response.create again after its "
            "response.done."};
  if (why.reason == "response_not_active")
    return {"response_cancel_not_active", "There is no running response to cancel."};
  if (why.reason == "previous_item_unknown")
    return {"invalid_value", "There is no item with the previous_item_id of this event.",
            "previous_item_id"};
  if (about.what == ask::tool_output || about.what == ask::approval)
    if (why.code == errc::not_found || why.code == errc::invalid)
      return {"invalid_value", why.detail + ".", "call_id"};
  if (why.reason == "call_unknown" || why.reason == "call_answered"
      || why.reason == "call_not_yours")
    return {"item_create_invalid_call_id",
            "The conversation has no function call of this call_id that waits for its output.",
            "item.call_id"};
  if (why.reason == "item_removed" || about.what == ask::echo)
    return {"invalid_value",
            "An item of this id was created before and deleted since; use another id.", "item.id"};
  switch (why.code) {
    case errc::not_found:
      if (about.what == ask::remove || about.what == ask::retrieve)
        return {"item_not_found", "There is no such item in this conversation.", "item_id"};
      return {"session_expired", "The session has ended or does not exist; open a new one."};
    case errc::invalid:
      return {"invalid_value", why.detail, why.param};
    case errc::conflict:
      return {"conflict", why.detail, why.param, "server_error"};
    case errc::unauthorized:
      return {"invalid_api_key", why.detail, why.param};
    case errc::overloaded:
      return {"overloaded", why.detail, {}, "server_error"};
    case errc::unavailable:
      return {"storage_unavailable", why.detail, {}, "server_error"};
    case errc::full:
      return {"storage_full", why.detail, {}, "server_error"};
    case errc::unknown_outcome:
      return {"unknown_outcome", why.detail, {}, "server_error"};
    case errc::damaged:
      return {"storage_damaged",
              "The stored session is damaged"
                + (why.param.empty() ? std::string{} : " at event " + why.param)
                + "; asking again does not help, its operator has to act.",
              {},
              "server_error"};
  }
  return {"unknown", why.detail, {}, "server_error"};
}

} // namespace sidevoice
