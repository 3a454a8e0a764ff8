#pragma once

#include "config/app.hpp"

#include <string>

/// What both agents are told about an app's checklist; internal to actors/prompt*.cpp. It depends
/// on the app alone, so that it stays at the front of every prompt, where vendors cache it.
namespace sidevoice {

/// How to lead the conversation with the board at its end.
std::string conversation_guidance(const app_definition& app);

/// How to read the conversation and keep the checklist with update_topic.
std::string analyzer_guidance(const app_definition& app);

/// JSON Schema of the arguments of update_topic.
json_text update_topic_schema(const app_definition& app);

} // namespace sidevoice
