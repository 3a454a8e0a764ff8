#pragma once

#include "providers/rules/board.hpp"

#include <optional>
#include <string>

/// Which client tool the offline agent calls, and what it says of its output. Pure functions.
namespace sidevoice::rules {

/// The call that is due: a tool whose parameters are topics with a value, not called with these
/// arguments yet. `required` or a tool's name as tool_choice forces one with what is known, unless
/// an output has just come back. `call_id` is empty.
std::optional<llm_call> due_call(const llm_request& request, const board& now);

/// True where tool_choice makes this call a must: then nothing is said beside it.
bool is_forced(const llm_request& request);

/// The outputs behind the last message, in plain words; empty where there are none.
std::string outputs_in_words(const llm_request& request);

} // namespace sidevoice::rules
