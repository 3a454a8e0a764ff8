#pragma once

#include "gateway/realtime_wire.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Who may change which field of a session object.
namespace sidevoice {

struct session_rights {
  /// Groups of fields as `live.access.client_may_set` names them, asked at each update. Empty
  /// function: a server key, which may set all but the model.
  std::function<std::vector<std::string>()> may_set = {};
  /// Session fields that the key brought with it: a JSON object, or empty. They hold, and nobody
  /// changes them on this connection.
  json_text preset = {};
};

/// Compares two session objects. A fault names the first field that differs and may not; `path` is
/// how the client calls the object: "session" or "response". A field set to the value that it has
/// is no change.
std::optional<realtime_fault> check_rights(const nlohmann::json& before,
                                           const nlohmann::json& after,
                                           const session_rights& rights, const std::string& path);

} // namespace sidevoice
