#include "providers/fake/chat_check.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace sidevoice {

namespace {

using nlohmann::json;
using found = std::optional<fake_error>;

/// The types of content parts that a role may hold, and what each must bring.
struct part_type {
  std::string_view role;
  std::string_view type;
};
constexpr std::array<part_type, 10> part_types = {{{"system", "text"},
                                                   {"developer", "text"},
                                                   {"user", "text"},
                                                   {"user", "image_url"},
                                                   {"user", "input_audio"},
                                                   {"user", "file"},
                                                   {"assistant", "text"},
                                                   {"assistant", "refusal"},
                                                   {"tool", "text"},
                                                   {"function", "text"}}};

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

found check_part(const json& part, const std::string& at, const std::string& role) {
  if (!part.is_object())
    return invalid_chat(at, "invalid_type", "Invalid type for '" + at + "': expected an object.");
  const auto type = text_of(part, "type");
  const auto known = std::any_of(part_types.begin(), part_types.end(), [&](const part_type& p) {
    return p.role == role && p.type == type;
  });
  if (!known)
    return invalid_chat(at + ".type", "invalid_value",
                        "Invalid value: '" + type + "' is no content type of role '" + role + "'.");
  const auto value = part.find(type);
  const auto textual = type == "text" || type == "refusal";
  if (value == part.end())
    return invalid_chat(at + "." + type, "missing_required_parameter",
                        "Missing required parameter: '" + at + "." + type + "'.");
  if (textual != value->is_string() || (!textual && !value->is_object()))
    return invalid_chat(at + "." + type, "invalid_type",
                        "Invalid type for '" + at + "." + type + "'.");
  if (type == "image_url" && text_of(*value, "url").empty())
    return invalid_chat(at + ".image_url.url", "missing_required_parameter",
                        "Missing required parameter: '" + at + ".image_url.url'.");
  return std::nullopt;
}

found check_content(const json& message, const std::string& at, const std::string& role) {
  const auto content = message.find("content");
  const auto name = at + ".content";
  const auto has_calls = message.contains("tool_calls") || message.contains("function_call");
  if (content == message.end() || content->is_null()) {
    if (role == "assistant" && (has_calls || !text_of(message, "refusal").empty()))
      return std::nullopt;
    return invalid_chat(name,
                        content == message.end() ? "missing_required_parameter" : "invalid_type",
                        "Invalid value for '" + name + "': expected a string, got null.");
  }
  if (content->is_string())
    return std::nullopt;
  if (!content->is_array() || content->empty())
    return invalid_chat(name, "invalid_type",
                        "Invalid type for '" + name + "': expected a string or a list of parts.");
  for (std::size_t i = 0; i < content->size(); ++i)
    if (auto wrong = check_part((*content)[i], name + "[" + std::to_string(i) + "]", role))
      return wrong;
  return std::nullopt;
}

found check_call(const json& call, const std::string& at, std::vector<std::string>& open) {
  if (!call.is_object() || text_of(call, "id").empty())
    return invalid_chat(at + ".id", "missing_required_parameter",
                        "Missing required parameter: '" + at + ".id'.");
  const auto function = call.find("function");
  if (text_of(call, "type") != "function" || function == call.end() || !function->is_object())
    return invalid_chat(at + ".type", "invalid_value",
                        "'" + at + "' must have the type 'function' and a 'function' object.");
  if (!function->contains("name") || !is_function_name((*function)["name"]))
    return invalid_chat(at + ".function.name", "invalid_value",
                        "Invalid '" + at
                          + ".function.name': expected letters, digits, '_' and "
                            "'-', at most 64.");
  if (!function->contains("arguments") || !(*function)["arguments"].is_string())
    return invalid_chat(at + ".function.arguments", "invalid_type",
                        "Invalid type for '" + at + ".function.arguments': expected a string.");
  open.push_back(call["id"].get<std::string>());
  return std::nullopt;
}

found check_calls(const json& message, const std::string& at, std::vector<std::string>& open) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end())
    return std::nullopt;
  const auto name = at + ".tool_calls";
  if (!calls->is_array())
    return invalid_chat(name, "invalid_type", "Invalid type for '" + name + "': expected a list.");
  if (calls->empty())
    return invalid_chat(name, "empty_array", "Invalid '" + name + "': the list is empty.");
  for (std::size_t i = 0; i < calls->size(); ++i)
    if (auto wrong = check_call((*calls)[i], name + "[" + std::to_string(i) + "]", open))
      return wrong;
  return std::nullopt;
}

found unanswered(const std::vector<std::string>& open) {
  if (open.empty())
    return std::nullopt;
  std::string ids;
  for (const auto& id : open)
    ids += (ids.empty() ? "" : ", ") + id;
  return invalid_chat("messages", "",
                      "An assistant message with 'tool_calls' must be followed by one tool message "
                      "for each 'tool_call_id'. These have no answer: "
                        + ids);
}

/// Takes the answered call from `open`.
found check_answer(const json& message, const std::string& at, std::vector<std::string>& open) {
  const auto id = text_of(message, "tool_call_id");
  if (id.empty())
    return invalid_chat(at + ".tool_call_id", "missing_required_parameter",
                        "Missing required parameter: '" + at + ".tool_call_id'.");
  const auto call = std::find(open.begin(), open.end(), id);
  if (call == open.end())
    return invalid_chat(at + ".role", "",
                        "Invalid parameter: a message with role 'tool' must answer one of the "
                        "'tool_calls' of the assistant message before it.");
  open.erase(call);
  return std::nullopt;
}

} // namespace

found check_chat_messages(const json& messages) {
  constexpr std::array roles = {"system", "developer", "user", "assistant", "tool", "function"};
  std::vector<std::string> open;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& message = messages[i];
    const auto at = "messages[" + std::to_string(i) + "]";
    if (!message.is_object())
      return invalid_chat(at, "invalid_type", "Invalid type for '" + at + "': expected an object.");
    if (!message.contains("role"))
      return invalid_chat(at + ".role", "missing_required_parameter",
                          "Missing required parameter: '" + at + ".role'.");
    const auto role = text_of(message, "role");
    if (std::find(roles.begin(), roles.end(), role) == roles.end())
      return invalid_chat(at + ".role", "invalid_value",
                          "Invalid value: '" + role
                            + "'. Supported values are: 'system', "
                              "'developer', 'user', 'assistant', 'tool' and 'function'.");
    if (auto wrong = role == "tool" ? check_answer(message, at, open) : unanswered(open))
      return wrong;
    if (auto wrong = check_content(message, at, role))
      return wrong;
    if (role == "assistant")
      if (auto wrong = check_calls(message, at, open))
        return wrong;
  }
  return unanswered(open);
}

} // namespace sidevoice
