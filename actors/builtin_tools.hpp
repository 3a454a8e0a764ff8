#pragma once

#include "actors/messages.hpp"

#include <optional>
#include <string>

/// Tools that every app can declare as `"kind": "builtin"`: they need nothing but the session.
namespace sidevoice {

struct tool_result {
  /// As of `call_ended`.
  std::string outcome = "ok";
  /// What the model reads.
  std::string output;
};

/// "current_date_time", "end_session", "transfer_to_person". Nothing for other names.
std::optional<tool_result> run_builtin(const std::string& name, const session_started& about,
                                       std::int64_t wall_ms);

/// How a model is told about it; nothing for other names. Parameters as JSON Schema.
std::optional<llm_tool> describe_builtin(const std::string& name);

} // namespace sidevoice
