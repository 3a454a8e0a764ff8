#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// The first way in which `value` breaks `schema`, as the end of a sentence ("kitchen must be
/// integer"); nothing where it fits. Knows type, properties, required, additionalProperties, items,
/// enum, minimum and maximum; never repeats the value.
std::optional<std::string> schema_violation(const nlohmann::json& schema,
                                            const nlohmann::json& value);

/// What is wrong with a schema itself.
struct schema_fault {
  /// Keys from the schema's root to the place, such as {"properties", "kitchen", "type"}.
  std::vector<std::string> path;
  std::string remedy;
  /// The keyword is known, but nothing checks it.
  bool warning = false;
};

std::vector<schema_fault> schema_faults(const nlohmann::json& schema);

} // namespace sidevoice
