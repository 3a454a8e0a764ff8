#pragma once

#include "config/voice.hpp"
#include "gateway/realtime_wire.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

/// The single fields of a session object. Each function checks one, and puts it into the effective
/// object in its full form.
namespace sidevoice {

/// ["audio"] or ["text"].
std::optional<realtime_fault> set_output_modalities(const nlohmann::json& value,
                                                    const std::string& path, nlohmann::json& out);
std::optional<realtime_fault> set_tools(const nlohmann::json& value, const std::string& path,
                                        nlohmann::json& out);
std::optional<realtime_fault> set_tool_choice(const nlohmann::json& value, const std::string& path,
                                              nlohmann::json& out);
/// 1 to 4096 or "inf"; null is "inf".
std::optional<realtime_fault> set_max_output_tokens(const nlohmann::json& value,
                                                    const std::string& path, nlohmann::json& out);
/// Merges field by field; null restores the defaults. `turns` is what the app says, and fills what
/// a client leaves out of its turn_detection.
std::optional<realtime_fault> set_audio(const nlohmann::json& value, const std::string& path,
                                        const turn_settings& turns, nlohmann::json& out);

/// `audio` as a session has it before anybody has set anything.
nlohmann::json default_audio(const turn_settings& turns);

} // namespace sidevoice
