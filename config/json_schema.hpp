#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// A place in a value and what its schema wants there.
struct schema_breach {
  /// "kitchen.boxes[2]"; "" is the value itself. Keys that the schema does not name are "*".
  std::string path;
  /// "must be integer"; never repeats the value.
  std::string what;
};

/// The first way in which `value` breaks `schema`; nothing where it fits. Knows type, enum, const,
/// anyOf, allOf, properties, required, additionalProperties, propertyNames, items, the bounds of
/// numbers, texts, lists and objects, pattern, and "$ref" into the schema itself.
std::optional<schema_breach> find_breach(const nlohmann::json& schema, const nlohmann::json& value);

/// The same as the end of a sentence, "kitchen must be integer", for schemas of app files:
/// `pattern`, `propertyNames` and "$ref" say nothing, as `schema_faults` warns.
std::optional<std::string> schema_violation(const nlohmann::json& schema,
                                            const nlohmann::json& value);

/// What is wrong with a schema itself.
struct schema_fault {
  /// Keys from the schema's root to the place, such as {"properties", "kitchen", "type"}.
  std::vector<std::string> path;
  std::string remedy;
  /// Nothing would check the keyword: "pattern", "$ref", "not" and others are not for schemas that
  /// app files hold.
  bool warning = false;
};

std::vector<schema_fault> schema_faults(const nlohmann::json& schema);

} // namespace sidevoice
