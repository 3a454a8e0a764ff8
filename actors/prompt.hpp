#pragma once

#include "actors/messages.hpp"

namespace sidevoice {

/// Makes the model's request for a response: instructions (the app's, then the connection's),
/// sorted tools, history where every call has exactly one output ("cancelled" where it has none),
/// board, next topic.
llm_request make_conversation_prompt(const app_ptr& app, const session_view& view,
                                     const response_options& options, std::int64_t wall_ms);

/// Makes the analyzer's request: its instructions, the tool update_topic, history, board.
llm_request make_analyzer_prompt(const app_ptr& app, const session_view& view,
                                 std::int64_t wall_ms);

/// Reads the arguments of an update_topic call. Error `invalid`: what is wrong, for the model.
result<proposed_topic> read_update_topic(const json_text& arguments);

} // namespace sidevoice
