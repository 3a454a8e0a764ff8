#include "persistence/json_parts.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace sidevoice::json_parts {

using nlohmann::json;

namespace {

[[noreturn]] void wrong(const char* key, const char* expected) {
  throw damaged_json(std::string{"\""} + key + "\" is not " + expected);
}

const json* field(const json& object, const char* key) {
  if (!object.is_object())
    throw damaged_json("an object was expected");
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

template <class Enum>
Enum enum_from(const std::string& name, std::initializer_list<Enum> all) {
  for (const auto value : all)
    if (name == to_string(value))
      return value;
  throw damaged_json("a name of a list is unknown");
}

} // namespace

json_text dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::strict);
}

void put_text(json& object, const char* key, const std::string& text) {
  if (!text.empty())
    object[key] = text;
}

void put_number(json& object, const char* key, std::uint64_t number) {
  if (number != 0)
    object[key] = number;
}

std::string text(const json& object, const char* key) {
  const auto* found = field(object, key);
  if (!found)
    return {};
  if (!found->is_string())
    wrong(key, "a text");
  return found->get<std::string>();
}

std::string needed_text(const json& object, const char* key) {
  auto found = text(object, key);
  if (found.empty())
    wrong(key, "given");
  return found;
}

std::uint64_t number(const json& object, const char* key, std::uint64_t absent) {
  const auto* found = field(object, key);
  if (!found)
    return absent;
  if (!found->is_number_unsigned())
    wrong(key, "a whole number of at least 0");
  return found->get<std::uint64_t>();
}

std::uint32_t small_number(const json& object, const char* key, std::uint32_t absent) {
  const auto found = number(object, key, absent);
  if (found > std::numeric_limits<std::uint32_t>::max())
    wrong(key, "below 2^32");
  return static_cast<std::uint32_t>(found);
}

std::int64_t time_ms(const json& object, const char* key) {
  const auto* found = field(object, key);
  if (!found)
    return 0;
  if (!found->is_number_integer())
    wrong(key, "a time in milliseconds");
  return found->get<std::int64_t>();
}

bool flag(const json& object, const char* key) {
  const auto* found = field(object, key);
  if (!found)
    return false;
  if (!found->is_boolean())
    wrong(key, "true or false");
  return found->get<bool>();
}

std::vector<std::string> texts(const json& object, const char* key) {
  std::vector<std::string> all;
  for (const auto& entry : array(object, key)) {
    if (!entry.is_string())
      wrong(key, "a list of texts");
    all.push_back(entry.get<std::string>());
  }
  return all;
}

const json& array(const json& object, const char* key) {
  static const json none = json::array();
  const auto* found = field(object, key);
  if (!found)
    return none;
  if (!found->is_array())
    wrong(key, "a list");
  return *found;
}

const json& object(const json& object, const char* key) {
  static const json none = json::object();
  const auto* found = field(object, key);
  if (!found)
    return none;
  if (!found->is_object())
    wrong(key, "an object");
  return *found;
}

json from_item(const item& value) {
  json out{{"id", value.id}, {"kind", to_string(value.kind)}};
  if (value.kind == item_kind::message || value.role != item_role::user)
    out["role"] = to_string(value.role);
  if (value.status != item_status::completed)
    out["status"] = to_string(value.status);
  put_text(out, "text", value.text);
  put_text(out, "unheard", value.unheard);
  put_text(out, "call_id", value.call_id);
  put_text(out, "name", value.name);
  put_text(out, "arguments", value.arguments);
  put_text(out, "output", value.output);
  put_text(out, "response", value.response);
  if (value.spoken)
    out["spoken"] = true;
  put_number(out, "audio_ms", value.audio_ms);
  return out;
}

item to_item(const json& object) {
  item out;
  out.id = needed_text(object, "id");
  out.kind = enum_from(needed_text(object, "kind"), {item_kind::message, item_kind::function_call,
                                                     item_kind::function_call_output});
  if (object.contains("role"))
    out.role = enum_from(text(object, "role"),
                         {item_role::system, item_role::user, item_role::assistant});
  if (object.contains("status"))
    out.status = enum_from(text(object, "status"),
                           {item_status::completed, item_status::incomplete});
  out.text = text(object, "text");
  out.unheard = text(object, "unheard");
  out.call_id = text(object, "call_id");
  out.name = text(object, "name");
  out.arguments = text(object, "arguments");
  out.output = text(object, "output");
  out.response = text(object, "response");
  out.spoken = flag(object, "spoken");
  out.audio_ms = small_number(object, "audio_ms");
  return out;
}

json from_evidence(const topic_evidence& evidence) {
  json out = json::object();
  put_text(out, "item", evidence.item);
  put_text(out, "quote", evidence.quote);
  // JSON has no spelling for NaN and infinity; such a confidence is none.
  if (evidence.confidence != 1.0)
    out["confidence"] = std::isfinite(evidence.confidence) ? evidence.confidence : 0.0;
  return out;
}

topic_evidence to_evidence(const json& object) {
  topic_evidence out{.item = text(object, "item"), .quote = text(object, "quote")};
  if (const auto* confidence = field(object, "confidence")) {
    if (!confidence->is_number())
      wrong("confidence", "a number");
    out.confidence = confidence->get<double>();
  }
  return out;
}

json from_about(const session_started& about) {
  json out{{"app", about.app}};
  put_text(out, "user", about.user);
  put_text(out, "release", about.release);
  put_text(out, "locale", about.locale);
  put_text(out, "zone", about.zone);
  return out;
}

session_started to_about(const json& object) {
  return {.app = text(object, "app"),
          .user = text(object, "user"),
          .release = text(object, "release"),
          .locale = text(object, "locale"),
          .zone = text(object, "zone")};
}

void put_usage(json& object, const token_usage& usage) {
  if (usage == token_usage{})
    return;
  json out{{"input", usage.input}, {"output", usage.output}};
  put_number(out, "cached", usage.cached);
  put_number(out, "cost", usage.cost);
  object["usage"] = std::move(out);
}

token_usage to_usage(const json& object) {
  return {.input = number(object, "input"),
          .output = number(object, "output"),
          .cached = number(object, "cached"),
          .cost = number(object, "cost")};
}

json from_call(const call_opened& call) {
  json out{{"call", call.call},
           {"name", call.name},
           {"arguments", call.arguments},
           {"by", to_string(call.by)},
           {"runner", to_string(call.runner)}};
  put_text(out, "response", call.response);
  if (call.needs_approval)
    out["needs_approval"] = true;
  return out;
}

call_opened to_call(const json& object) {
  return {.call = needed_text(object, "call"),
          .name = needed_text(object, "name"),
          .arguments = text(object, "arguments"),
          .by = enum_from(needed_text(object, "by"),
                          {call_author::conversation, call_author::analyzer}),
          .runner = enum_from(needed_text(object, "runner"),
                              {call_runner::server, call_runner::page, call_runner::client}),
          .response = text(object, "response"),
          .needs_approval = flag(object, "needs_approval")};
}

topic_status to_topic_status(const std::string& name) {
  if (const auto status = topic_status_from(name))
    return *status;
  throw damaged_json("a topic's status is unknown");
}

topic_author to_topic_author(const std::string& name) {
  return enum_from(name, {topic_author::analyzer, topic_author::person, topic_author::rule});
}

response_status to_response_status(const std::string& name) {
  return enum_from(name, {response_status::completed, response_status::cancelled,
                          response_status::incomplete, response_status::failed});
}

const char* name_of(response_phase phase) {
  switch (phase) {
    case response_phase::requested:
      return "requested";
    case response_phase::started:
      return "started";
    case response_phase::done:
      return "done";
  }
  return "unknown";
}

const char* name_of(call_phase phase) {
  switch (phase) {
    case call_phase::waiting:
      return "waiting";
    case call_phase::ready:
      return "ready";
    case call_phase::started:
      return "started";
  }
  return "unknown";
}

call_phase to_call_phase(const std::string& name) {
  for (const auto phase : {call_phase::waiting, call_phase::ready, call_phase::started})
    if (name == name_of(phase))
      return phase;
  throw damaged_json("a call's phase is unknown");
}

response_phase to_response_phase(const std::string& name) {
  for (const auto phase :
       {response_phase::requested, response_phase::started, response_phase::done})
    if (name == name_of(phase))
      return phase;
  throw damaged_json("a response's phase is unknown");
}

} // namespace sidevoice::json_parts
