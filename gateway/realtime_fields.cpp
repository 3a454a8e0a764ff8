#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

using nlohmann::json;
using fault = std::optional<realtime_fault>;

namespace {

/// A number as a sentence shows it: "0.25", not "0.250000".
std::string shown(double number) {
  return json(number).dump();
}

} // namespace

fault missing(const std::string& param) {
  return realtime_fault{"missing_required_parameter",
                        "Missing required parameter: '" + param + "'.", param};
}

fault wrong_type(const std::string& param, const std::string& expected) {
  return realtime_fault{"invalid_type", "'" + param + "' must be " + expected + ".", param};
}

std::string at_index(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

std::string at_field(const std::string& path, std::string_view field) {
  return path.empty() ? std::string{field} : path + "." + std::string{field};
}

fault only_known(const json& body, std::initializer_list<std::string_view> known,
                 const std::string& path) {
  for (const auto& [key, value] : body.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end())
      continue;
    const auto param = at_field(path, std::string_view{key}.substr(0, 128));
    return realtime_fault{"unknown_parameter", "Unknown parameter: '" + param + "'.", param};
  }
  return std::nullopt;
}

fault read_text(const json& body, const char* field, const std::string& path, std::string& out) {
  const auto found = body.find(field);
  const auto param = at_field(path, field);
  if (found == body.end())
    return missing(param);
  if (!found->is_string())
    return wrong_type(param, "a string");
  out = found->get<std::string>();
  return std::nullopt;
}

fault one_of(const json& value, std::initializer_list<std::string_view> known,
             const std::string& param) {
  if (!value.is_string())
    return wrong_type(param, "a string");
  if (std::find(known.begin(), known.end(), value.get_ref<const std::string&>()) != known.end())
    return std::nullopt;
  std::string list;
  for (const auto name : known)
    list += (list.empty() ? "" : ", ") + std::string{name};
  return realtime_fault{"invalid_value", "'" + param + "' must be one of: " + list + ".", param};
}

fault integer_within(const json& value, std::int64_t min, std::int64_t max,
                     const std::string& param) {
  if (!value.is_number_integer())
    return wrong_type(param, "an integer");
  const bool too_big = value.is_number_unsigned()
                       && value.get<std::uint64_t>() > static_cast<std::uint64_t>(max);
  if (!too_big && value.get<std::int64_t>() >= min && value.get<std::int64_t>() <= max)
    return std::nullopt;
  return realtime_fault{"invalid_value",
                        "'" + param + "' must be from " + std::to_string(min) + " to "
                          + std::to_string(max) + ".",
                        param};
}

fault number_within(const json& value, double min, double max, const std::string& param) {
  if (!value.is_number())
    return wrong_type(param, "a number");
  if (value.get<double>() >= min && value.get<double>() <= max)
    return std::nullopt;
  return realtime_fault{"invalid_value",
                        "'" + param + "' must be from " + shown(min) + " to " + shown(max) + ".",
                        param};
}

} // namespace sidevoice
