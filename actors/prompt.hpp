#pragma once

#include "actors/messages.hpp"

namespace sidevoice {

/// Makes the model's request for a response: instructions (the app's, then the connection's),
/// sorted tools, history where every call has exactly one output ("cancelled" where it has none),
/// board, next topic.
/// Tools of the app come before those of the connection; those named in `unavailable` do not come
/// at all.
llm_request make_conversation_prompt(const app_ptr& app, const session_view& view,
                                     const response_options& options, std::int64_t wall_ms,
                                     const std::vector<std::string>& unavailable = {});

/// Makes the analyzer's request: its instructions, update_topic and the app's tools, history,
/// board, what its tools have answered lately.
llm_request make_analyzer_prompt(const app_ptr& app, const session_view& view,
                                 std::int64_t wall_ms);

/// Reads the arguments of an update_topic call. Error `invalid`: what is wrong, for the model.
result<proposed_topic> read_update_topic(const json_text& arguments);

} // namespace sidevoice
