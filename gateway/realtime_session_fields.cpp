#include "gateway/realtime_session_fields.hpp"

#include "gateway/realtime_fields.hpp"
#include "gateway/realtime_items.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <set>

namespace sidevoice {

namespace {

using nlohmann::json;
using fault = std::optional<realtime_fault>;

constexpr std::int64_t pcm_rate_hz = 24'000;
constexpr std::int64_t pcm_rates_hz[] = {8'000, 16'000, 24'000, 48'000};
constexpr std::int64_t output_tokens_max = 4096;
constexpr std::int64_t day_ms = 86'400'000;

json pcm_format(std::int64_t rate = pcm_rate_hz) {
  return {{"type", "audio/pcm"}, {"rate", rate}};
}

json default_server_vad(const turn_settings& turns) {
  return {{"type", "server_vad"},
          {"threshold", turns.threshold},
          {"prefix_padding_ms", turns.prefix_padding.count()},
          {"silence_duration_ms", turns.silence_duration.count()},
          {"idle_timeout_ms", turns.idle_timeout ? json(turns.idle_timeout->count()) : json{}},
          {"create_response", turns.create_response},
          {"interrupt_response", turns.interrupt_response}};
}

json default_semantic_vad(const turn_settings& turns) {
  return {{"type", "semantic_vad"},
          {"eagerness", turns.eagerness},
          {"create_response", turns.create_response},
          {"interrupt_response", turns.interrupt_response}};
}

json default_detection(const turn_settings& turns) {
  switch (turns.mode) {
    case turn_mode::manual:
      return nullptr;
    case turn_mode::silence:
      return default_server_vad(turns);
    case turn_mode::semantic:
      break;
  }
  return default_semantic_vad(turns);
}

fault want_bool(const json& value, const std::string& param) {
  return value.is_boolean() ? std::nullopt : wrong_type(param, "true or false");
}

fault set_format(const json& value, const std::string& path, json& out) {
  if (value.is_null()) {
    out = pcm_format();
    return std::nullopt;
  }
  if (!value.is_object())
    return wrong_type(path, R"(an object such as {"type": "audio/pcm", "rate": 24000})");
  if (auto wrong = only_known(value, {"type", "rate"}, path))
    return wrong;
  std::string type;
  if (auto wrong = read_text(value, "type", path, type))
    return wrong;
  if (auto wrong = one_of(value["type"], {"audio/pcm", "audio/pcmu", "audio/pcma"},
                          at_field(path, "type")))
    return wrong;
  if (type != "audio/pcm") {
    out = json{{"type", type}};
    return std::nullopt;
  }
  const auto given = value.find("rate");
  const auto rate = given == value.end() || given->is_null() ? json(pcm_rate_hz) : *given;
  if (!rate.is_number_integer())
    return wrong_type(at_field(path, "rate"), "an integer");
  if (std::find(std::begin(pcm_rates_hz), std::end(pcm_rates_hz), rate) == std::end(pcm_rates_hz))
    return realtime_fault{"invalid_value",
                          "'" + at_field(path, "rate")
                            + "' must be 24000, or one of 8000, 16000 and 48000.",
                          at_field(path, "rate")};
  out = pcm_format(rate.get<std::int64_t>());
  return std::nullopt;
}

fault check_detection_field(const std::string& key, const json& value, const std::string& param) {
  if (key == "threshold")
    return number_within(value, 0, 1, param);
  if (key == "create_response" || key == "interrupt_response")
    return want_bool(value, param);
  if (key == "eagerness")
    return one_of(value, {"low", "medium", "high", "auto"}, param);
  if (key == "idle_timeout_ms" && value.is_null())
    return std::nullopt;
  if (key == "type")
    return std::nullopt;
  return integer_within(value, 0, day_ms, param);
}

fault set_turn_detection(const json& value, const std::string& path, const turn_settings& turns,
                         json& out) {
  if (value.is_null()) {
    out = nullptr;
    return std::nullopt;
  }
  if (!value.is_object())
    return wrong_type(path, "null or an object such as {\"type\": \"server_vad\"}");
  const auto type = value.contains("type") ? value["type"] : json("server_vad");
  if (auto wrong = one_of(type, {"server_vad", "semantic_vad"}, at_field(path, "type")))
    return wrong;
  auto filled = type == "server_vad" ? default_server_vad(turns) : default_semantic_vad(turns);
  for (const auto& [key, field] : value.items()) {
    const auto param = at_field(path, std::string_view{key}.substr(0, 128));
    if (!filled.contains(key))
      return realtime_fault{"unknown_parameter", "Unknown parameter: '" + param + "'.", param};
    if (auto wrong = check_detection_field(key, field, param))
      return wrong;
    filled[key] = field;
  }
  out = std::move(filled);
  return std::nullopt;
}

fault set_object_or_null(const json& value, const std::string& path,
                         std::initializer_list<std::string_view> known, json& out) {
  if (!value.is_null() && !value.is_object())
    return wrong_type(path, "null or an object");
  if (value.is_object())
    if (auto wrong = only_known(value, known, path))
      return wrong;
  out = value;
  return std::nullopt;
}

fault set_noise_reduction(const json& value, const std::string& path, json& out) {
  if (auto wrong = set_object_or_null(value, path, {"type"}, out); wrong || value.is_null())
    return wrong;
  std::string type;
  if (auto wrong = read_text(value, "type", path, type))
    return wrong;
  return one_of(value["type"], {"near_field", "far_field"}, at_field(path, "type"));
}

fault set_voice(const json& value, const std::string& path, json& out) {
  // Typed clients of the protocol take only a string back.
  const auto& voice = value.is_object() && value.contains("id") ? value["id"] : value;
  if (!voice.is_string())
    return wrong_type(path, "a string or {\"id\": ...}");
  out = voice;
  return std::nullopt;
}

fault set_input(const json& value, const std::string& path, const turn_settings& turns, json& out) {
  if (!value.is_object())
    return wrong_type(path, "an object");
  if (auto wrong =
        only_known(value, {"format", "transcription", "noise_reduction", "turn_detection"}, path))
    return wrong;
  for (const auto& [key, field] : value.items()) {
    const auto param = at_field(path, key);
    fault wrong;
    if (key == "format")
      wrong = set_format(field, param, out[key]);
    else if (key == "transcription")
      wrong = set_object_or_null(field, param,
                                 {"model", "language", "prompt", "languages", "keywords", "delay"},
                                 out[key]);
    else if (key == "noise_reduction")
      wrong = set_noise_reduction(field, param, out[key]);
    else
      wrong = set_turn_detection(field, param, turns, out[key]);
    if (wrong)
      return wrong;
  }
  return std::nullopt;
}

fault set_output(const json& value, const std::string& path, json& out) {
  if (!value.is_object())
    return wrong_type(path, "an object");
  if (auto wrong = only_known(value, {"format", "voice", "speed"}, path))
    return wrong;
  for (const auto& [key, field] : value.items()) {
    const auto param = at_field(path, key);
    fault wrong;
    if (key == "format")
      wrong = set_format(field, param, out[key]);
    else if (key == "voice")
      wrong = set_voice(field, param, out[key]);
    else if (wrong = number_within(field, 0.25, 1.5, param); !wrong)
      out[key] = field;
    if (wrong)
      return wrong;
  }
  return std::nullopt;
}

fault check_tool(const json& tool, const std::string& path, std::set<std::string>& names) {
  if (!tool.is_object())
    return wrong_type(path, "an object");
  std::string type;
  if (auto wrong = read_text(tool, "type", path, type))
    return wrong;
  if (type != "function")
    return realtime_fault{"invalid_value", "This server knows tools of type function only.",
                          at_field(path, "type")};
  if (auto wrong = only_known(tool, {"type", "name", "description", "parameters"}, path))
    return wrong;
  std::string name;
  if (auto wrong = read_text(tool, "name", path, name))
    return wrong;
  if (!is_item_id(name))
    return realtime_fault{"invalid_value",
                          "A tool's name has 1 to 64 characters of a-z, A-Z, 0-9, _ and -.",
                          at_field(path, "name")};
  if (!names.insert(name).second)
    return realtime_fault{"invalid_value", "Two tools have the name '" + name + "'; rename one.",
                          at_field(path, "name")};
  if (tool.contains("description") && !tool["description"].is_string())
    return wrong_type(at_field(path, "description"), "a string");
  if (tool.contains("parameters") && !tool["parameters"].is_object())
    return wrong_type(at_field(path, "parameters"), "a JSON Schema (an object)");
  return std::nullopt;
}

} // namespace

json default_audio(const turn_settings& turns) {
  return {{"input",
           {{"format", pcm_format()},
            {"transcription", nullptr},
            {"noise_reduction", nullptr},
            {"turn_detection", default_detection(turns)}}},
          {"output", {{"format", pcm_format()}, {"voice", "alloy"}, {"speed", 1.0}}}};
}

fault set_output_modalities(const json& value, const std::string& path, json& out) {
  if (!value.is_array())
    return wrong_type(path, R"(["text"] or ["audio"])");
  if (value != json::array({"text"}) && value != json::array({"audio"}))
    return realtime_fault{"invalid_value", "'" + path + R"(' must be ["text"] or ["audio"].)",
                          path};
  out = value;
  return std::nullopt;
}

fault set_tools(const json& value, const std::string& path, json& out) {
  if (value.is_null()) {
    out = json::array();
    return std::nullopt;
  }
  if (!value.is_array())
    return wrong_type(path, "an array of tools");
  if (value.size() > realtime_limits::tools)
    return realtime_fault{
      "invalid_value", "At most " + std::to_string(realtime_limits::tools) + " tools are allowed.",
      path};
  std::set<std::string> names;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (auto wrong = check_tool(value[i], at_index(path, i), names))
      return wrong;
  out = value;
  return std::nullopt;
}

fault set_tool_choice(const json& value, const std::string& path, json& out) {
  if (value.is_null()) {
    out = "auto";
    return std::nullopt;
  }
  if (value.is_object()) {
    std::string name;
    if (auto wrong = only_known(value, {"type", "name"}, path))
      return wrong;
    if (auto wrong = read_text(value, "name", path, name))
      return wrong;
    if (auto wrong = one_of(value.value("type", json{}), {"function"}, at_field(path, "type")))
      return wrong;
  } else if (auto wrong = one_of(value, {"auto", "none", "required"}, path)) {
    return wrong;
  }
  out = value;
  return std::nullopt;
}

fault set_max_output_tokens(const json& value, const std::string& path, json& out) {
  if (value.is_null() || value == "inf") {
    out = "inf";
    return std::nullopt;
  }
  if (value.is_string())
    return realtime_fault{"invalid_value", "'" + path + R"(' must be from 1 to 4096, or "inf".)",
                          path};
  if (auto wrong = integer_within(value, 1, output_tokens_max, path))
    return wrong;
  out = value;
  return std::nullopt;
}

fault set_audio(const json& value, const std::string& path, const turn_settings& turns, json& out) {
  if (value.is_null()) {
    out = default_audio(turns);
    return std::nullopt;
  }
  if (!value.is_object())
    return wrong_type(path, "an object");
  if (auto wrong = only_known(value, {"input", "output"}, path))
    return wrong;
  if (value.contains("input"))
    if (auto wrong = set_input(value["input"], at_field(path, "input"), turns, out["input"]))
      return wrong;
  if (value.contains("output"))
    return set_output(value["output"], at_field(path, "output"), out["output"]);
  return std::nullopt;
}

} // namespace sidevoice
