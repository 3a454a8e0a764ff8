#include "gateway/client_secrets.hpp"

#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::json;
using fault = std::optional<realtime_fault>;

constexpr std::int64_t seconds_min = 10;
constexpr std::int64_t seconds_max = 7200;
constexpr std::size_t name_bytes_max = 200;

fault read_expiry(const json& value, secret_request& out) {
  const std::string path = "expires_after";
  if (value.is_null())
    return std::nullopt;
  if (!value.is_object())
    return wrong_type(path, "an object");
  if (auto wrong = only_known(value, {"anchor", "seconds"}, path))
    return wrong;
  if (value.contains("anchor"))
    if (auto wrong = one_of(value["anchor"], {"created_at"}, "expires_after.anchor"))
      return wrong;
  if (!value.contains("seconds"))
    return std::nullopt;
  if (auto wrong = integer_within(value["seconds"], seconds_min, seconds_max,
                                  "expires_after.seconds"))
    return wrong;
  out.seconds = value["seconds"].get<std::int64_t>();
  return std::nullopt;
}

/// A name that goes into rows and logs: short, without control characters.
fault read_name(const json& value, const std::string& param, std::string& out) {
  if (value.is_null())
    return std::nullopt;
  if (!value.is_string())
    return wrong_type(param, "a string");
  out = value.get<std::string>();
  const auto plain = std::none_of(out.begin(), out.end(),
                                  [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (out.empty() || out.size() > name_bytes_max || !plain)
    return realtime_fault{"invalid_value",
                          "'" + param + "' must have 1 to " + std::to_string(name_bytes_max)
                            + " bytes, none of them a control character; or leave it out.",
                          param};
  return std::nullopt;
}

fault read_binding(const json& value, secret_request& out) {
  if (value.is_null())
    return std::nullopt;
  if (!value.is_object())
    return wrong_type("sidevoice", "an object");
  for (const auto& [key, field] : value.items()) {
    const auto param = at_field("sidevoice", std::string_view{key}.substr(0, 128));
    fault wrong;
    if (key == "app")
      wrong = read_name(field, param, out.model);
    else if (key == "release")
      wrong = read_name(field, param, out.release);
    else if (key == "session")
      wrong = read_name(field, param, out.session);
    else if (key == "user")
      wrong = read_name(field, param, out.user);
    else if (key == "context" || key == "variables" || key == "topics")
      wrong = realtime_fault{
        "not_available",
        "A client key cannot carry '" + param + "' on this server yet; leave it out.", param};
    else
      wrong = realtime_fault{"unknown_parameter", "Unknown parameter: '" + param + "'.", param};
    if (wrong)
      return wrong;
  }
  return std::nullopt;
}

/// The fields themselves are checked by whoever makes a session of them.
fault read_session(const json& value, secret_request& out) {
  if (value.is_null())
    return std::nullopt;
  if (!value.is_object())
    return wrong_type("session", "an object");
  auto preset = value;
  if (const auto model = preset.find("model"); model != preset.end()) {
    std::string name;
    if (auto wrong = read_name(*model, "session.model", name))
      return wrong;
    if (out.model.empty())
      out.model = std::move(name);
    preset.erase(model);
  }
  if (preset.value("type", json{}) == "transcription")
    return realtime_fault{"invalid_value",
                          "Transcription sessions are not available on this server; use type "
                          "\"realtime\".",
                          "session.type"};
  preset["type"] = preset.value("type", json("realtime"));
  if (preset.size() > 1)
    out.preset = preset.dump();
  return one_of(preset["type"], {"realtime"}, "session.type");
}

} // namespace

std::variant<secret_request, realtime_fault> read_secret_request(const std::string& body) {
  secret_request request;
  if (body.empty())
    return request;
  json parsed;
  if (auto wrong = read_frame(body, parsed))
    return *wrong;
  if (auto wrong = only_known(parsed, {"expires_after", "session", "sidevoice"}, ""))
    return *wrong;
  const auto part = [&parsed](const char* name) {
    return parsed.contains(name) ? parsed[name] : json{};
  };
  if (auto wrong = read_expiry(part("expires_after"), request))
    return *wrong;
  if (auto wrong = read_binding(part("sidevoice"), request))
    return *wrong;
  if (auto wrong = read_session(part("session"), request))
    return *wrong;
  return request;
}

json_text to_json(const secret_answer& answer) {
  return json{{"value", answer.value},
              {"expires_at", answer.expires_s},
              {"session", json::parse(answer.session)},
              {"sidevoice",
               {{"key", answer.id}, {"app", answer.app}, {"session", answer.session_id}}}}
    .dump();
}

} // namespace sidevoice
