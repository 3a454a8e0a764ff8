#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sidevoice {

/// The value of a variable such as "user.name"; nothing where it is unknown.
using variable_lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Replaces each `{{name}}` and `{{name|default}}`. A variable that is unknown or empty becomes its
/// default, else nothing. Values are not searched again, so what a user is called cannot name a
/// variable. Braces without an end stay as they are.
std::string fill_variables(std::string_view text, const variable_lookup& lookup);

} // namespace sidevoice
