#include "gateway/session_rights.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sidevoice {

namespace {

using nlohmann::json;

/// A field that somebody may or may not change, and the group that the right is named after.
struct guarded_field {
  const char* pointer;
  const char* group;
};

constexpr std::array<guarded_field, 12> guarded = {
  {{"/instructions", "instructions"},
   {"/tools", "tools"},
   {"/tool_choice", "tool_choice"},
   {"/max_output_tokens", "max_output_tokens"},
   {"/output_modalities", "output_modalities"},
   {"/audio/input/turn_detection", "turn_detection"},
   {"/audio/output/voice", "voice"},
   {"/audio/input/format", "audio"},
   {"/audio/input/transcription", "audio"},
   {"/audio/input/noise_reduction", "audio"},
   {"/audio/output/format", "audio"},
   {"/audio/output/speed", "audio"}}};

std::string param_of(const std::string& path, const char* pointer) {
  auto param = path + pointer;
  std::replace(param.begin(), param.end(), '/', '.');
  return param;
}

} // namespace

std::optional<realtime_fault> check_rights(const json& before, const json& after,
                                           const session_rights& rights, const std::string& path) {
  if (!rights.may_set && rights.preset.empty())
    return std::nullopt;
  const auto preset = rights.preset.empty() ? json::object() : json::parse(rights.preset);
  const auto allowed = rights.may_set ? rights.may_set() : std::vector<std::string>{};
  for (const auto& field : guarded) {
    const json::json_pointer where{field.pointer};
    if (before.at(where) == after.at(where))
      continue;
    const auto param = param_of(path, field.pointer);
    if (preset.contains(where))
      return realtime_fault{"field_not_allowed",
                            "'" + param
                              + "' was fixed when this connection's key was made. Leave it out, or "
                                "make a client key without it.",
                            param};
    if (rights.may_set && std::find(allowed.begin(), allowed.end(), field.group) == allowed.end())
      return realtime_fault{"field_not_allowed",
                            "This key may not set '" + param
                              + "'. Leave it out, fix it when the client key is made, use a server "
                                "key, or let the operator add \""
                              + field.group + "\" to live.access.client_may_set.",
                            param};
  }
  return std::nullopt;
}

} // namespace sidevoice
