#include "gateway/realtime_session.hpp"

#include "gateway/realtime_fields.hpp"
#include "gateway/realtime_session_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace sidevoice {

namespace {

using nlohmann::json;
using fault = std::optional<realtime_fault>;

/// What "inf" means to a model of ours.
constexpr std::uint32_t output_tokens_max = 4096;
constexpr std::string_view default_voice = "alloy";
constexpr std::size_t metadata_entries = 16;
constexpr std::size_t metadata_key_bytes = 64;
constexpr std::size_t metadata_value_bytes = 512;

fault set_instructions(const json& value, const std::string& path, json& out) {
  if (!value.is_null() && !value.is_string())
    return wrong_type(path, "a string");
  auto text = value.is_null() ? std::string{} : value.get<std::string>();
  if (text.size() > realtime_limits::text_bytes)
    return realtime_fault{
      "invalid_value",
      "Instructions have at most " + std::to_string(realtime_limits::text_bytes) + " bytes.", path};
  out = std::move(text);
  return std::nullopt;
}

/// Fields that mean nothing to this server yet, and are given back as they came.
bool is_echoed(const std::string& key) {
  for (const auto* known :
       {"tracing", "truncation", "prompt", "include", "parallel_tool_calls", "reasoning"})
    if (key == known)
      return true;
  return false;
}

} // namespace

fault realtime_session::set_modalities(const json& value, const std::string& path,
                                       json& out) const {
  json wanted = json::array({voice_.speaks && !voice_.extensions ? "audio" : "text"});
  if (!value.is_null())
    if (auto wrong = set_output_modalities(value, path, wanted))
      return wrong;
  // Clients ask for sound by default: one that cannot be had is no error, and they read text.
  out = voice_.speaks ? std::move(wanted) : json::array({"text"});
  return std::nullopt;
}

fault realtime_session::set_field(const std::string& key, const json& value, json& out) const {
  const auto param = at_field("session", std::string_view{key}.substr(0, 128));
  if (key == "type") {
    if (auto wrong = one_of(value, {"realtime"}, param))
      return wrong;
  } else if (key == "instructions") {
    return set_instructions(value, param, out[key]);
  } else if (key == "output_modalities") {
    return set_modalities(value, param, out[key]);
  } else if (key == "tools") {
    return set_tools(value, param, out[key]);
  } else if (key == "tool_choice") {
    return set_tool_choice(value, param, out[key]);
  } else if (key == "max_output_tokens") {
    return set_max_output_tokens(value, param, out[key]);
  } else if (key == "audio") {
    return set_audio(value, param, turns_, out[key]);
  } else if (is_echoed(key)) {
    out[key] = value;
  } else if (key != "model" && key != "object" && key != "id" && key != "expires_at") {
    return realtime_fault{"unknown_parameter", "Unknown parameter: '" + param + "'.", param};
  }
  return std::nullopt;
}

namespace {

std::vector<llm_tool> tools_of(const json& tools) {
  std::vector<llm_tool> out;
  for (const auto& tool : tools) {
    const auto parameters = tool.find("parameters");
    out.push_back(
      {tool["name"].get<std::string>(), tool.value("description", ""),
       parameters == tool.end() ? R"({"type":"object","properties":{}})" : parameters->dump()});
  }
  return out;
}

response_options options_of(const json& session) {
  const auto& choice = session["tool_choice"];
  const auto& tokens = session["max_output_tokens"];
  return {.instructions = session["instructions"].get<std::string>(),
          .tools = tools_of(session["tools"]),
          .tool_choice = choice.is_object() ? choice["name"].get<std::string>()
                                            : choice.get<std::string>(),
          .max_output_tokens = tokens.is_number() ? tokens.get<std::uint32_t>()
                                                  : output_tokens_max};
}

sound_format format_of(const json& format) {
  const auto& type = format["type"].get_ref<const std::string&>();
  if (type == "audio/pcmu")
    return {sound_encoding::pcmu, 8'000};
  if (type == "audio/pcma")
    return {sound_encoding::pcma, 8'000};
  return {sound_encoding::pcm16, format["rate"].get<std::uint32_t>()};
}

/// `app` has what this form of turn detection does not name.
turn_settings turns_of(const json& detection, const turn_settings& app) {
  using std::chrono::milliseconds;
  auto out = app;
  out.idle_timeout.reset();
  if (detection.is_null()) {
    out.mode = turn_mode::manual;
    return out;
  }
  out.create_response = detection["create_response"].get<bool>();
  out.interrupt_response = detection["interrupt_response"].get<bool>();
  if (detection["type"] == "semantic_vad") {
    out.mode = turn_mode::semantic;
    out.eagerness = detection["eagerness"].get<std::string>();
    return out;
  }
  out.mode = turn_mode::silence;
  out.threshold = detection["threshold"].get<double>();
  out.prefix_padding = milliseconds{detection["prefix_padding_ms"].get<std::int64_t>()};
  out.silence_duration = milliseconds{detection["silence_duration_ms"].get<std::int64_t>()};
  if (const auto& idle = detection["idle_timeout_ms"]; !idle.is_null())
    out.idle_timeout = milliseconds{idle.get<std::int64_t>()};
  return out;
}

fault check_metadata(const json& metadata) {
  const std::string path = "response.metadata";
  if (metadata.is_null())
    return std::nullopt;
  if (!metadata.is_object())
    return wrong_type(path, "an object of strings");
  if (metadata.size() > metadata_entries)
    return realtime_fault{"invalid_value", "Metadata has at most 16 entries.", path};
  for (const auto& [key, value] : metadata.items()) {
    const auto param = at_field(path, std::string_view{key}.substr(0, 128));
    if (!value.is_string())
      return wrong_type(param, "a string");
    if (key.size() > metadata_key_bytes
        || value.get_ref<const std::string&>().size() > metadata_value_bytes)
      return realtime_fault{"invalid_value",
                            "A key of metadata has at most 64 bytes, a value at most 512.", param};
  }
  return std::nullopt;
}

/// What one response may not have yet.
fault refuse_out_of_band(const json& response) {
  if (const auto found = response.find("conversation");
      found != response.end() && !found->is_null()) {
    if (auto wrong = one_of(*found, {"auto", "none"}, "response.conversation"))
      return wrong;
    if (*found == "none")
      return realtime_fault{"invalid_value",
                            "Responses outside of the conversation are not available on this "
                            "server yet; leave `conversation` out.",
                            "response.conversation"};
  }
  if (response.contains("input"))
    return realtime_fault{"invalid_value",
                          "A response with an input of its own is not available on this server "
                          "yet; create items, then ask for a response.",
                          "response.input"};
  return std::nullopt;
}

} // namespace

realtime_session::realtime_session(const app_definition& app, std::string id, session_rights rights,
                                   session_voice voice)
    : rights_(std::move(rights)),
      voice_(voice),
      turns_(app.voice.turns) {
  json session{{"type", "realtime"},
               {"object", "realtime.session"},
               {"id", std::move(id)},
               {"model", app.id},
               {"output_modalities",
                json::array({voice.speaks && !voice.extensions ? "audio" : "text"})},
               {"instructions", ""},
               {"tools", json::array()},
               {"tool_choice", "auto"},
               {"max_output_tokens", "inf"},
               {"tracing", nullptr},
               {"truncation", "auto"},
               {"prompt", nullptr},
               {"include", nullptr},
               {"audio", default_audio(turns_)}};
  apply_preset(session);
  keep(session);
}

void realtime_session::apply_preset(json& session) const {
  if (rights_.preset.empty())
    return;
  // Checked when the key was made. What a newer release of this server has stopped to take leaves
  // the rest in force.
  const auto preset = json::parse(rights_.preset);
  for (const auto& [key, value] : preset.items()) {
    auto merged = session;
    if (!set_field(key, value, merged))
      session = std::move(merged);
  }
}

void realtime_session::keep(const json& session) {
  text_ = session.dump();
  const auto& output = session["audio"]["output"];
  audio_ = json{{"output", {{"format", output["format"]}, {"voice", output["voice"]}}}}.dump();
  max_output_tokens_ = session["max_output_tokens"].dump();
  options_ = std::make_shared<const response_options>(options_of(session));
  speaks_ = session["output_modalities"] == json::array({"audio"});
  transcribes_ = !session["audio"]["input"]["transcription"].is_null();
  input_ = format_of(session["audio"]["input"]["format"]);
  output_ = format_of(output["format"]);
}

seat_terms realtime_session::terms() const {
  const auto session = json::parse(text_);
  const auto& output = session["audio"]["output"];
  const auto voice = output["voice"].get<std::string>();
  seat_terms out;
  out.turns = turns_of(session["audio"]["input"]["turn_detection"], turns_);
  out.speaks = speaks_;
  // The default's name is the protocol's; it means the app's voice.
  out.voice = voice == default_voice ? std::string{} : voice;
  out.speed = output["speed"].get<double>();
  out.interrupts_at_once = !voice_.extensions && out.turns.mode != turn_mode::manual
                           && out.turns.interrupt_response;
  out.options = options_;
  return out;
}

fault realtime_session::update(const json& session) {
  if (!session.is_object())
    return wrong_type("session", "an object");
  if (!session.contains("type"))
    return missing("session.type");
  const auto before = json::parse(text_);
  auto merged = before;
  for (const auto& [key, value] : session.items())
    if (auto wrong = set_field(key, value, merged))
      return wrong;
  if (auto wrong = check_rights(before, merged, rights_, "session"))
    return wrong;
  keep(merged);
  return std::nullopt;
}

response_echo realtime_session::echo() const {
  return {.max_output_tokens = max_output_tokens_};
}

fault realtime_session::override_once(const json& response, response_options_ptr& options,
                                      response_echo& echo) const {
  if (!response.is_object())
    return wrong_type("response", "an object");
  if (auto wrong = only_known(response,
                              {"output_modalities", "instructions", "tools", "tool_choice",
                               "max_output_tokens", "audio", "metadata", "conversation", "input",
                               "parallel_tool_calls", "reasoning", "prompt"},
                              "response"))
    return wrong;
  if (auto wrong = refuse_out_of_band(response))
    return wrong;
  const auto before = json::parse(text_);
  auto once = before;
  for (const auto& [key, value] : response.items()) {
    const auto param = at_field("response", key);
    fault wrong;
    if (key == "instructions")
      wrong = set_instructions(value, param, once[key]);
    else if (key == "tools")
      wrong = set_tools(value, param, once[key]);
    else if (key == "tool_choice")
      wrong = set_tool_choice(value, param, once[key]);
    else if (key == "max_output_tokens")
      wrong = set_max_output_tokens(value, param, once[key]);
    else if (key == "output_modalities")
      wrong = set_modalities(value, param, once[key]);
    else if (key == "audio")
      wrong = set_audio(value, param, turns_, once[key]);
    else if (key == "metadata")
      wrong = check_metadata(value);
    if (wrong)
      return wrong;
  }
  if (auto wrong = check_rights(before, once, rights_, "response"))
    return wrong;
  options = std::make_shared<const response_options>(options_of(once));
  echo.max_output_tokens = once["max_output_tokens"].dump();
  if (response.contains("output_modalities"))
    echo.speaks = once["output_modalities"] == json::array({"audio"});
  if (response.contains("metadata"))
    echo.metadata = response["metadata"].dump();
  return std::nullopt;
}

} // namespace sidevoice
