#include "config/schemas.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

const nlohmann::json& app_schema() {
  static const auto schema = nlohmann::json::parse(app_schema_text());
  return schema;
}

const nlohmann::json& settings_schema() {
  static const auto schema = nlohmann::json::parse(settings_schema_text());
  return schema;
}

} // namespace sidevoice
