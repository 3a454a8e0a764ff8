#pragma once

#include "providers/llm.hpp"

#include <nlohmann/json_fwd.hpp>

namespace sidevoice {

/// The history as messages of Chat Completions; see make_chat_request(). Internal to
/// providers/chat_*.
nlohmann::ordered_json make_chat_messages(const llm_request& request);

} // namespace sidevoice
