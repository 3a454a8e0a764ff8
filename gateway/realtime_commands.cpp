#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

/// What clients send, as commands to the session.
namespace sidevoice {

namespace {

using nlohmann::json;

/// The event's event_id where it is usable; its fault is reported without one.
std::optional<realtime_fault> read_event_id(const json& event, std::string& out) {
  const auto found = event.find("event_id");
  if (found == event.end() || found->is_null())
    return std::nullopt;
  if (!found->is_string())
    return wrong_type("event_id", "a string");
  if (found->get_ref<const std::string&>().size() > realtime_limits::event_id_bytes)
    return realtime_fault{"invalid_value",
                          "An event_id has at most "
                            + std::to_string(realtime_limits::event_id_bytes) + " bytes.",
                          "event_id"};
  out = found->get<std::string>();
  return std::nullopt;
}

/// An optional string; null is absent.
std::optional<realtime_fault> read_optional(const json& event, const char* field,
                                            std::string& out) {
  const auto found = event.find(field);
  if (found == event.end() || found->is_null())
    return std::nullopt;
  if (!found->is_string())
    return wrong_type(field, "a string");
  out = found->get<std::string>();
  return std::nullopt;
}

std::optional<realtime_fault> read_number(const json& event, const char* field,
                                          std::uint64_t& out) {
  const auto found = event.find(field);
  if (found == event.end())
    return missing(field);
  if (!found->is_number_unsigned())
    return wrong_type(field, "an integer of 0 or more");
  out = found->get<std::uint64_t>();
  return std::nullopt;
}

realtime_fault unknown_event(const std::string& type, bool extensions) {
  if (type.rfind("output_audio_buffer.", 0) == 0)
    return {"invalid_value",
            "Events of output_audio_buffer are for WebRTC and SIP; over a WebSocket, cut an answer "
            "with conversation.item.truncate.",
            "type"};
  if (type.rfind("sidevoice.", 0) == 0 && !extensions)
    return {"invalid_value",
            "sidevoice.* events are for connections that offer the subprotocol sidevoice.v1 or "
            "connect with ?extensions=sidevoice.",
            "type"};
  if (type.rfind("sidevoice.", 0) == 0)
    return {"invalid_value",
            "This server knows sidevoice.session.resume, sidevoice.session.end, "
            "sidevoice.topic.update, sidevoice.topic.undo, sidevoice.tools.offer, "
            "sidevoice.tool.output, sidevoice.approval.answer, sidevoice.audio.replay, "
            "sidevoice.playback.report and sidevoice.voice.watch.",
            "type"};
  return {"invalid_value",
          "This server knows session.update, input_audio_buffer.append, .commit and .clear, "
          "conversation.item.create, .retrieve, .delete and .truncate, response.create and "
          "response.cancel.",
          "type"};
}

} // namespace

codec_actions realtime_codec::on_frame(std::string_view text) {
  json event;
  auto wrong = read_frame(text, event);
  event_id_.clear();
  if (event.is_object())
    if (auto bad_id = read_event_id(event, event_id_); bad_id && !wrong)
      wrong = std::move(bad_id);
  const bool is_resume = !wrong && event.value("type", json{}) == "sidevoice.session.resume";
  if (!asked_to_attach_ && !is_resume)
    attach_fresh();
  if (!wrong)
    wrong = take(event, text);
  if (wrong)
    out_.fault(*wrong, event_id_);
  return out_.take();
}

codec_actions realtime_codec::on_binary() {
  out_.fault(
    {"invalid_json", "A binary frame came; every event is one JSON object in one text frame."}, {});
  return out_.take();
}

realtime_codec::fault realtime_codec::take(const json& event, std::string_view frame) {
  using self = realtime_codec;
  std::string type;
  if (auto wrong = read_text(event, "type", "", type))
    return wrong;
  if (auto wrong = check_size(frame, type))
    return wrong;
  if (type == "session.update")
    return run(event, &self::on_session_update, {"session"});
  if (type == "conversation.item.create" && options_.extensions)
    return run(event, &self::on_create, {"item", "previous_item_id", "answer", "response_id"});
  if (type == "conversation.item.create")
    return run(event, &self::on_create, {"item", "previous_item_id"});
  if (type == "conversation.item.delete")
    return run(event, &self::on_delete, {"item_id"});
  if (type == "conversation.item.retrieve")
    return run(event, &self::on_retrieve, {"item_id"});
  if (type == "response.create")
    return run(event, &self::on_respond, {"response"});
  if (type == "response.cancel")
    return run(event, &self::on_cancel, {"response_id"});
  if (options_.extensions && type == "sidevoice.session.resume")
    return run(event, &self::on_resume, {"after_seq", "store"});
  if (options_.extensions && type == "sidevoice.session.end")
    return run(event, &self::on_end, {"reason"});
  if (options_.extensions && type == "sidevoice.tools.offer")
    return run(event, &self::on_tools_offer, {"names"});
  if (options_.extensions && type == "sidevoice.tool.output")
    return run(event, &self::on_tool_output, {"call_id", "output", "error"});
  if (options_.extensions && type == "sidevoice.approval.answer")
    return run(event, &self::on_approval, {"call_id", "approve"});
  if (options_.extensions && type == "sidevoice.topic.update")
    return run(event, &self::on_topic_update, {"topic", "value", "status", "base_revision"});
  if (options_.extensions && type == "sidevoice.topic.undo")
    return run(event, &self::on_topic_undo, {});
  if (fault wrong; take_sound(type, event, wrong))
    return wrong;
  return unknown_event(type, options_.extensions);
}

realtime_codec::fault realtime_codec::run(const json& event,
                                          fault (realtime_codec::*handler)(const json&),
                                          std::initializer_list<std::string_view> fields) {
  for (const auto& [key, value] : event.items())
    if (key != "type" && key != "event_id"
        && std::find(fields.begin(), fields.end(), key) == fields.end()) {
      const auto param = key.substr(0, 128);
      return realtime_fault{"unknown_parameter", "Unknown parameter: '" + param + "'.", param};
    }
  return (this->*handler)(event);
}

realtime_codec::fault realtime_codec::expect(pending about, std::uint64_t& token) {
  if (pending_.size() >= realtime_limits::unanswered)
    return realtime_fault{"rate_limit_exceeded",
                          "More than " + std::to_string(realtime_limits::unanswered)
                            + " events of this connection wait for their answer; send this one "
                              "again when some have been answered.",
                          {},
                          "rate_limit_error"};
  about.event_id = event_id_;
  token = next_token_++;
  pending_.emplace(token, std::move(about));
  return std::nullopt;
}

realtime_codec::fault realtime_codec::command(pending about, session_command what) {
  std::uint64_t token = 0;
  if (auto wrong = expect(std::move(about), token))
    return wrong;
  out_.act(send_command{token, std::move(what)});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_session_update(const json& event) {
  const auto session = event.find("session");
  if (session == event.end())
    return missing("session");
  if (auto wrong = check_own_names(*session, "session"))
    return wrong;
  if (auto wrong = session_.update(*session))
    return wrong;
  remember_tools(*session_.options());
  out_.event({{"type", "session.updated"}, {"session", json::parse(session_.text())}});
  on_modalities(*session);
  updated_ = true;
  replay();
  return std::nullopt;
}

// -- items

realtime_codec::fault realtime_codec::on_create(const json& event) {
  const auto body = event.find("item");
  if (body == event.end())
    return missing("item");
  put_item put;
  if (auto wrong = item_from_json(*body, put.value))
    return wrong;
  if (put.value.id.empty())
    put.value.id = options_.ids->make("item_");
  std::string previous;
  if (auto wrong = read_optional(event, "previous_item_id", previous))
    return wrong;
  if (!previous.empty())
    put.previous = previous;
  // Official clients change an item by deleting it and creating it again under its id; our own
  // sends an item again only because it has heard no answer.
  put.revive = !options_.extensions;
  if (const auto answer = event.find("answer"); answer != event.end()) {
    if (!answer->is_boolean())
      return wrong_type("answer", "true or false");
    put.answer = answer->get<bool>();
  }
  if (auto wrong = read_optional(event, "response_id", put.response))
    return wrong;
  if (!put.response.empty() && !is_item_id(put.response))
    return realtime_fault{"invalid_value",
                          "A response id has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.",
                          "response_id"};
  if (put.value.role == item_role::user && session_.speaks())
    seat_plain();
  pending about{.what = ask::create, .subject = put.value.id};
  if (put.answer) {
    if (put.response.empty())
      put.response = options_.ids->make("resp_");
    put.options = session_.options();
    about.response = put.response;
  } else {
    put.response.clear();
  }
  return command(std::move(about), std::move(put));
}

realtime_codec::fault realtime_codec::on_delete(const json& event) {
  std::string id;
  if (auto wrong = read_text(event, "item_id", "", id))
    return wrong;
  return command({.what = ask::remove, .subject = id}, remove_item{id});
}

realtime_codec::fault realtime_codec::on_retrieve(const json& event) {
  std::string id;
  if (auto wrong = read_text(event, "item_id", "", id))
    return wrong;
  if (auto open = responses_.open_item(id); !open.is_null()) {
    out_.event({{"type", "conversation.item.retrieved"}, {"item", std::move(open)}});
    return std::nullopt;
  }
  return command({.what = ask::retrieve, .subject = id}, get_item{id});
}

// -- responses

realtime_codec::fault realtime_codec::on_respond(const json& event) {
  auto options = session_.options();
  auto echo = session_.echo();
  if (const auto once = event.find("response"); once != event.end() && !once->is_null()) {
    if (auto wrong = check_own_names(*once, "response"))
      return wrong;
    if (auto wrong = session_.override_once(*once, options, echo))
      return wrong;
  }
  remember_tools(*options);
  if (session_.speaks())
    seat_plain();
  const auto response = options_.ids->make("resp_");
  if (auto wrong = command({.what = ask::respond, .response = response},
                           request_response{response, std::move(options)}))
    return wrong;
  responses_.expect(response, std::move(echo));
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_cancel(const json& event) {
  std::string response;
  if (auto wrong = read_optional(event, "response_id", response))
    return wrong;
  return command({.what = ask::cancel, .subject = response}, cancel_response{response});
}

// -- sidevoice.*

realtime_codec::fault realtime_codec::on_resume(const json& event) {
  resume wanted;
  if (auto wrong = read_number(event, "after_seq", wanted.after))
    return wrong;
  if (auto wrong = read_optional(event, "store", wanted.store))
    return wrong;
  if (asked_to_attach_)
    return realtime_fault{"invalid_value",
                          "sidevoice.session.resume is the first event of a connection; this one "
                          "has its state already. Connect again to resume.",
                          "type"};
  wanted.event_id = event_id_;
  asked_to_attach_ = true;
  if (wanted.after > 0)
    out_.act(attach_session{.after = wanted.after, .snapshot = false});
  else
    attach_fresh();
  resume_ = std::move(wanted);
  return std::nullopt;
}

/// Our clients make event ids that are unique, so an edit sent again after a break is known by it.
std::string realtime_codec::edit_id() const {
  return is_item_id(event_id_) ? event_id_ : options_.ids->make("edit_");
}

realtime_codec::fault realtime_codec::on_topic_update(const json& event) {
  edit_topic edit{.edit = edit_id()};
  if (auto wrong = read_text(event, "topic", "", edit.topic))
    return wrong;
  if (auto wrong = read_number(event, "base_revision", edit.base_revision))
    return wrong;
  const auto value = event.find("value");
  const auto status = event.find("status");
  if (value == event.end() && status == event.end())
    return missing("value");
  if (value != event.end()) {
    edit.value = value->dump();
    if (edit.value->size() > realtime_limits::text_bytes)
      return realtime_fault{"invalid_value", "The value has more than 128 KiB.", "value"};
  }
  if (status != event.end()) {
    if (auto wrong = one_of(*status, {"open", "answered", "confirmed", "contradicted", "skipped"},
                            "status"))
      return wrong;
    edit.status = topic_status_from(status->get_ref<const std::string&>());
  }
  pending about{.what = ask::edit, .subject = edit.topic};
  return command(std::move(about), std::move(edit));
}

realtime_codec::fault realtime_codec::on_topic_undo(const json&) {
  return command({.what = ask::undo}, undo_topic{edit_id()});
}

realtime_codec::fault realtime_codec::on_end(const json& event) {
  end_session end;
  if (const auto reason = event.find("reason"); reason != event.end()) {
    if (auto wrong = one_of(*reason, {"ended", "left"}, "reason"))
      return wrong;
    end.reason = reason->get<std::string>();
  }
  return command({.what = ask::end}, std::move(end));
}

} // namespace sidevoice
