#pragma once

#include "providers/fake/script.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace sidevoice {

/// Refuses what the Chat Completions service refuses, with its status, `param` and `code`. Nothing:
/// the request is good.
std::optional<fake_error> check_chat(const nlohmann::json& body);

/// The part of `check_chat` that is about "messages": roles, contents, and that each tool call has
/// exactly one answer before the next other message.
std::optional<fake_error> check_chat_messages(const nlohmann::json& messages);

/// Letters, digits, `_`, `-`; 1 to 64 of them.
bool is_function_name(const nlohmann::json& name);

/// 400 of the type `invalid_request_error`.
fake_error invalid_chat(std::string param, std::string code, std::string message);

} // namespace sidevoice
