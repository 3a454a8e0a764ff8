#pragma once

#include "persistence/event.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace sidevoice {

/// Turns a body of one version into a body of the next version of the same type. Errors: `damaged`.
using upcaster = std::function<result<json_text>(const json_text& body)>;

/// Upcasters by type and the version they take. A type whose body changes its shape gets a higher
/// version in `version_of` and an entry here, and every journal ever written stays readable.
using upcaster_table = std::map<std::pair<std::string, int>, upcaster, std::less<>>;

/// The table of this build; empty while every type is at version 1.
const upcaster_table& known_upcasters();

/// `decode` with a table of one's own.
result<event_body> decode(std::string_view type, int version, std::string_view body,
                          const upcaster_table& upcasters);

} // namespace sidevoice
