#include "persistence/json_parts.hpp"
#include "persistence/upcast.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

using nlohmann::json;
using namespace json_parts;

namespace {

/// What `encode` writes for every type. A type that changes its shape gets its own.
constexpr int current_version = 1;

// -- bodies to JSON -------------------------------------------------------------------------------

json to_object(const session_started& body) {
  return from_about(body);
}

json to_object(const item_put& body) {
  return {{"rank", body.rank}, {"item", from_item(body.value)}};
}

json to_object(const item_removed& body) {
  return {{"id", body.id}};
}

json to_object(const input_speech& body) {
  return {{"rank", body.rank},
          {"item", body.item},
          {"stream", body.stream},
          {"from_ms", body.from_ms},
          {"to_ms", body.to_ms}};
}

json to_object(const input_transcribed& body) {
  json out{{"item", body.item}};
  put_text(out, "text", body.text);
  put_text(out, "reason", body.reason);
  return out;
}

json to_object(const item_heard& body) {
  json out{{"id", body.id}, {"ms", body.ms}};
  put_text(out, "text", body.text);
  return out;
}

json to_object(const response_requested& body) {
  return {{"response", body.response}, {"cause", body.cause}};
}

json to_object(const response_started& body) {
  return {{"response", body.response}, {"attempt", body.attempt}, {"item", body.item}};
}

json to_object(const response_spoken& body) {
  return {{"response", body.response},
          {"attempt", body.attempt},
          {"clause", body.clause},
          {"text", body.text}};
}

json to_object(const response_done& body) {
  json out{{"response", body.response}, {"status", to_string(body.status)}};
  put_text(out, "reason", body.reason);
  put_usage(out, body.usage);
  return out;
}

json to_object(const call_opened& body) {
  return from_call(body);
}

json to_object(const call_approved& body) {
  return {{"call", body.call}, {"approved", body.approved}};
}

json to_object(const call_started& body) {
  return {{"call", body.call}, {"attempt", body.attempt}};
}

json to_object(const call_ended& body) {
  json out{{"call", body.call}, {"outcome", body.outcome}};
  put_text(out, "output", body.output);
  return out;
}

json to_object(const topic_updated& body) {
  json out{{"topic", body.topic},
           {"status", to_string(body.status)},
           {"by", to_string(body.by)},
           {"revision", body.revision},
           {"head_read", body.head_read}};
  // As a text, so that its bytes stay as the check of its schema left them.
  put_text(out, "value", body.value);
  if (auto evidence = from_evidence(body.evidence); !evidence.empty())
    out["evidence"] = std::move(evidence);
  put_text(out, "edit", body.edit);
  if (body.undo)
    out["undo"] = true;
  if (body.resumes != topic_status::open)
    out["resumes"] = to_string(body.resumes);
  return out;
}

json to_object(const analysis_done& body) {
  json out{{"head_read", body.head_read}};
  put_usage(out, body.usage);
  return out;
}

json to_object(const turn_measured& body) {
  return {{"response", body.response},           {"item", body.item},
          {"end_of_speech", body.end_of_speech}, {"transcript", body.transcript},
          {"first_token", body.first_token},     {"first_clause", body.first_clause},
          {"first_audio", body.first_audio},     {"played", body.played}};
}

json to_object(const session_completed& body) {
  json out{{"revision", body.revision}};
  put_text(out, "result", body.result);
  return out;
}

json to_object(const session_reopened& body) {
  return {{"revision", body.revision}};
}

json to_object(const session_ended& body) {
  return {{"reason", body.reason}};
}

json to_object(const erased&) {
  return nullptr;
}

// -- JSON to bodies -------------------------------------------------------------------------------

void read(const json& from, session_started& to) {
  to = to_about(from);
}

void read(const json& from, item_put& to) {
  to.rank = needed_text(from, "rank");
  to.value = to_item(object(from, "item"));
}

void read(const json& from, item_removed& to) {
  to.id = needed_text(from, "id");
}

void read(const json& from, input_speech& to) {
  to.rank = needed_text(from, "rank");
  to.item = needed_text(from, "item");
  to.stream = text(from, "stream");
  to.from_ms = number(from, "from_ms");
  to.to_ms = number(from, "to_ms");
}

void read(const json& from, input_transcribed& to) {
  to.item = needed_text(from, "item");
  to.text = text(from, "text");
  to.reason = text(from, "reason");
}

void read(const json& from, item_heard& to) {
  to.id = needed_text(from, "id");
  to.ms = small_number(from, "ms");
  to.text = text(from, "text");
}

void read(const json& from, response_requested& to) {
  to.response = needed_text(from, "response");
  to.cause = texts(from, "cause");
}

void read(const json& from, response_started& to) {
  to.response = needed_text(from, "response");
  to.attempt = small_number(from, "attempt", 1);
  to.item = text(from, "item");
}

void read(const json& from, response_spoken& to) {
  to.response = needed_text(from, "response");
  to.attempt = small_number(from, "attempt", 1);
  to.clause = small_number(from, "clause", 1);
  to.text = text(from, "text");
}

void read(const json& from, response_done& to) {
  to.response = needed_text(from, "response");
  to.status = to_response_status(needed_text(from, "status"));
  to.reason = text(from, "reason");
  to.usage = to_usage(object(from, "usage"));
}

void read(const json& from, call_opened& to) {
  to = to_call(from);
}

void read(const json& from, call_approved& to) {
  to.call = needed_text(from, "call");
  to.approved = flag(from, "approved");
}

void read(const json& from, call_started& to) {
  to.call = needed_text(from, "call");
  to.attempt = small_number(from, "attempt", 1);
}

void read(const json& from, call_ended& to) {
  to.call = needed_text(from, "call");
  to.outcome = needed_text(from, "outcome");
  to.output = text(from, "output");
}

void read(const json& from, topic_updated& to) {
  to.topic = needed_text(from, "topic");
  to.status = to_topic_status(needed_text(from, "status"));
  to.value = text(from, "value");
  to.evidence = to_evidence(object(from, "evidence"));
  to.by = to_topic_author(needed_text(from, "by"));
  to.revision = number(from, "revision");
  to.head_read = number(from, "head_read");
  to.edit = text(from, "edit");
  to.undo = flag(from, "undo");
  if (const auto resumes = text(from, "resumes"); !resumes.empty())
    to.resumes = to_topic_status(resumes);
}

void read(const json& from, analysis_done& to) {
  to.head_read = number(from, "head_read");
  to.usage = to_usage(object(from, "usage"));
}

void read(const json& from, turn_measured& to) {
  to.response = needed_text(from, "response");
  to.item = text(from, "item");
  to.end_of_speech = small_number(from, "end_of_speech");
  to.transcript = small_number(from, "transcript");
  to.first_token = small_number(from, "first_token");
  to.first_clause = small_number(from, "first_clause");
  to.first_audio = small_number(from, "first_audio");
  to.played = small_number(from, "played");
}

void read(const json& from, session_completed& to) {
  to.revision = number(from, "revision");
  to.result = text(from, "result");
}

void read(const json& from, session_reopened& to) {
  to.revision = number(from, "revision");
}

void read(const json& from, session_ended& to) {
  to.reason = needed_text(from, "reason");
}

void read(const json&, erased&) {}

/// An empty body of the type; nothing for unknown types.
template <std::size_t Index = 0>
std::optional<event_body> body_of_type(std::string_view type) {
  if constexpr (Index == std::variant_size_v<event_body>) {
    return std::nullopt;
  } else {
    using candidate = std::variant_alternative_t<Index, event_body>;
    if (!std::is_same_v<candidate, erased> && type == candidate::type)
      return event_body{candidate{}};
    return body_of_type<Index + 1>(type);
  }
}

error damage(std::string_view type, const std::string& why) {
  return {.code = errc::damaged, .detail = "event " + std::string{type} + ": " + why};
}

/// Takes the body from its version to the current one, step by step.
result<json_text> upcast(std::string_view type, int version, json_text body,
                         const upcaster_table& upcasters) {
  for (; version < current_version; ++version) {
    const auto step = upcasters.find(std::pair{std::string{type}, version});
    if (step == upcasters.end())
      return damage(type, "version " + std::to_string(version) + " is unknown");
    auto next = step->second(body);
    if (!next)
      return next.error();
    body = std::move(*next);
  }
  return body;
}

} // namespace

int version_of(const event_body&) {
  return current_version;
}

const upcaster_table& known_upcasters() {
  static const upcaster_table none;
  return none;
}

json_text encode(const event_body& body) {
  return dump(std::visit([](const auto& known) { return to_object(known); }, body));
}

result<event_body> decode(std::string_view type, int version, std::string_view body,
                          const upcaster_table& upcasters) {
  auto out = body_of_type(type);
  if (!out)
    return damage(type, "its type is unknown; a newer sidevoice may have written it");
  if (version > current_version)
    return damage(type, "version " + std::to_string(version)
                          + " is from a newer sidevoice; run that one or a later one");
  try {
    const auto text = upcast(type, version, json_text{body}, upcasters);
    if (!text)
      return text.error();
    const auto parsed = json::parse(*text);
    if (parsed.is_null())
      return event_body{erased{std::string{type}}};
    std::visit([&parsed](auto& known) { read(parsed, known); }, *out);
    return std::move(*out);
  } catch (const std::exception& e) {
    // nlohmann's messages quote the text around a fault, which may be what a user said.
    const auto* known = dynamic_cast<const damaged_json*>(&e);
    return damage(type, known ? known->what() : "its body is not valid JSON");
  }
}

result<event_body> decode(std::string_view type, int version, std::string_view body) {
  return decode(type, version, body, known_upcasters());
}

} // namespace sidevoice
