#pragma once

#include "config/json_schema.hpp"

#include <string_view>

namespace sidevoice {

/// The published JSON Schema of app files (sidevoice.schema.json), from config/app_schema.json.
std::string_view app_schema_text();

/// The one of sidevoice.jsonc, from config/settings_schema.json.
std::string_view settings_schema_text();

/// The same, parsed once. Any thread.
const nlohmann::json& app_schema();
const nlohmann::json& settings_schema();

} // namespace sidevoice
