#include "providers/fake/chat_check.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::json;
using found = std::optional<fake_error>;

constexpr std::array<std::string_view, 39> known_keys = {
  "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
  "max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model",
  "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
  "prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "response_format",
  "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options",
  "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
  "web_search_options",
  // Azure's own.
  "data_sources", "user_security_context"};

found wrong_type(const std::string& param, const std::string& expected) {
  return invalid_chat(param, "invalid_type",
                      "Invalid type for '" + param + "': expected " + expected + ".");
}

found missing(const std::string& param) {
  return invalid_chat(param, "missing_required_parameter",
                      "Missing required parameter: '" + param + "'.");
}

/// Null counts as absent, as the service has it for optional fields.
const json* given(const json& object, const char* key) {
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

found check_number(const json& body, const char* key, double least, double most) {
  const auto* value = given(body, key);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_number())
    return wrong_type(key, "a number");
  const auto number = value->get<double>();
  if (number < least)
    return invalid_chat(key, "decimal_below_min_value",
                        std::string{"Invalid '"} + key + "': the value is below the minimum.");
  if (number > most)
    return invalid_chat(key, "decimal_above_max_value",
                        std::string{"Invalid '"} + key + "': the value is above the maximum.");
  return std::nullopt;
}

found check_whole(const json& body, const char* key, std::int64_t least) {
  const auto* value = given(body, key);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_number_integer())
    return wrong_type(key, "an integer");
  if (*value < least)
    return invalid_chat(key, "integer_below_min_value",
                        std::string{"Invalid '"} + key + "': the value is below the minimum.");
  return std::nullopt;
}

found check_plain_fields(const json& body) {
  for (const auto& [key, value] : body.items())
    if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end())
      return invalid_chat("", "", "Unrecognized request argument supplied: " + key);
  for (const auto* flag : {"stream", "store", "logprobs", "parallel_tool_calls"})
    if (const auto* value = given(body, flag); value != nullptr && !value->is_boolean())
      return wrong_type(flag, "a boolean");
  for (const auto* text : {"user", "safety_identifier", "reasoning_effort", "verbosity",
                           "service_tier", "prompt_cache_key"})
    if (const auto* value = given(body, text); value != nullptr && !value->is_string())
      return wrong_type(text, "a string");
  if (auto wrong = check_number(body, "temperature", 0, 2))
    return wrong;
  if (auto wrong = check_number(body, "top_p", 0, 1))
    return wrong;
  for (const auto* key : {"max_tokens", "max_completion_tokens", "n"})
    if (auto wrong = check_whole(body, key, 1))
      return wrong;
  if (given(body, "max_tokens") != nullptr && given(body, "max_completion_tokens") != nullptr)
    return invalid_chat("max_tokens", "invalid_parameter_combination",
                        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not "
                        "supported.");
  if (const auto* n = given(body, "n"); n != nullptr && *n != 1)
    return invalid_chat("n", "unsupported_value", "This fake makes one choice: 'n' must be 1.");
  return std::nullopt;
}

found check_stream(const json& body) {
  const auto* options = given(body, "stream_options");
  if (options == nullptr)
    return std::nullopt;
  const auto* stream = given(body, "stream");
  if (stream == nullptr || !stream->get<bool>())
    return invalid_chat("stream_options", "",
                        "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  if (!options->is_object())
    return wrong_type("stream_options", "an object");
  const auto* usage = given(*options, "include_usage");
  if (usage != nullptr && !usage->is_boolean())
    return wrong_type("stream_options.include_usage", "a boolean");
  return std::nullopt;
}

/// Strict functions close every object and require every property of it.
bool fits_strict(const json& schema) {
  if (!schema.is_object())
    return true;
  if (const auto* items = given(schema, "items"); items != nullptr && !fits_strict(*items))
    return false;
  const auto* properties = given(schema, "properties");
  if (schema.value("type", json{}) != "object" && properties == nullptr)
    return true;
  const auto* closed = given(schema, "additionalProperties");
  if (closed == nullptr || *closed != false)
    return false;
  const auto* required = given(schema, "required");
  if (properties == nullptr)
    return true;
  for (const auto& [name, inner] : properties->items()) {
    const auto listed = required != nullptr && required->is_array()
                        && std::find(required->begin(), required->end(), name) != required->end();
    if (!listed || !fits_strict(inner))
      return false;
  }
  return true;
}

found check_tool(const json& tool, const std::string& at) {
  if (!tool.is_object())
    return wrong_type(at, "an object");
  const auto* type = given(tool, "type");
  if (type == nullptr)
    return missing(at + ".type");
  if (*type != "function")
    return invalid_chat(at + ".type", "invalid_value",
                        "Invalid value for '" + at + ".type': this fake knows 'function'.");
  const auto* function = given(tool, "function");
  if (function == nullptr)
    return missing(at + ".function");
  if (!function->is_object())
    return wrong_type(at + ".function", "an object");
  const auto* name = given(*function, "name");
  if (name == nullptr)
    return missing(at + ".function.name");
  if (!is_function_name(*name))
    return invalid_chat(at + ".function.name", "invalid_value",
                        "Invalid '" + at
                          + ".function.name': expected letters, digits, '_' and "
                            "'-', at most 64.");
  const auto* parameters = given(*function, "parameters");
  if (parameters != nullptr && !parameters->is_object())
    return wrong_type(at + ".function.parameters", "an object");
  const auto* strict = given(*function, "strict");
  if (strict != nullptr && *strict == true && (parameters == nullptr || !fits_strict(*parameters)))
    return invalid_chat(at + ".function.parameters", "invalid_function_parameters",
                        "Invalid schema for function '" + name->get<std::string>()
                          + "': a strict one needs 'additionalProperties': false, and every "
                            "property in 'required'.");
  return std::nullopt;
}

bool has_tool(const json& tools, const json& name) {
  return std::any_of(tools.begin(), tools.end(),
                     [&](const json& tool) { return tool["function"]["name"] == name; });
}

found check_tool_choice(const json& choice, const json* tools) {
  if (tools == nullptr)
    return invalid_chat("tool_choice", "",
                        "'tool_choice' is only allowed when 'tools' are specified.");
  if (choice.is_string()) {
    if (choice == "auto" || choice == "none" || choice == "required")
      return std::nullopt;
    return invalid_chat("tool_choice", "invalid_value",
                        "Invalid value for 'tool_choice'. Supported values are: 'none', 'auto' and "
                        "'required'.");
  }
  if (!choice.is_object() || choice.value("type", json{}) != "function"
      || !choice.value("function", json{}).is_object()
      || !is_function_name(choice["function"].value("name", json{})))
    return invalid_chat(
      "tool_choice", "invalid_value",
      "'tool_choice' must be {\"type\": \"function\", \"function\": {\"name\"}}.");
  if (!has_tool(*tools, choice["function"]["name"]))
    return invalid_chat("tool_choice", "",
                        "Tool choice '" + choice["function"]["name"].get<std::string>()
                          + "' not found in 'tools' parameter.");
  return std::nullopt;
}

found check_tools(const json& body) {
  const auto* tools = given(body, "tools");
  if (tools != nullptr) {
    if (!tools->is_array())
      return wrong_type("tools", "a list");
    if (tools->empty())
      return invalid_chat("tools", "empty_array", "Invalid 'tools': the list is empty.");
    if (tools->size() > 128)
      return invalid_chat("tools", "array_above_max_length",
                          "Invalid 'tools': at most 128 functions.");
    for (std::size_t i = 0; i < tools->size(); ++i)
      if (auto wrong = check_tool((*tools)[i], "tools[" + std::to_string(i) + "]"))
        return wrong;
  } else if (given(body, "parallel_tool_calls") != nullptr) {
    return invalid_chat("parallel_tool_calls", "",
                        "'parallel_tool_calls' is only allowed when 'tools' are specified.");
  }
  const auto* choice = given(body, "tool_choice");
  return choice == nullptr ? std::nullopt : check_tool_choice(*choice, tools);
}

found check_response_format(const json& body) {
  const auto* format = given(body, "response_format");
  if (format == nullptr)
    return std::nullopt;
  const auto type = format->is_object() ? format->value("type", json{}) : json{};
  if (type != "text" && type != "json_object" && type != "json_schema")
    return invalid_chat("response_format.type", "invalid_value",
                        "Supported values of 'response_format.type' are: 'text', 'json_object' and "
                        "'json_schema'.");
  if (type != "json_schema")
    return std::nullopt;
  const auto* wanted = given(*format, "json_schema");
  if (wanted == nullptr || !wanted->is_object() || !is_function_name(wanted->value("name", json{})))
    return missing("response_format.json_schema.name");
  const auto schema = wanted->value("schema", json::object());
  if (wanted->value("strict", json{}) == true && !fits_strict(schema))
    return invalid_chat("response_format", "",
                        "Invalid schema for response_format: a strict one needs "
                        "'additionalProperties': false, and every property in 'required'.");
  return std::nullopt;
}

} // namespace

fake_error invalid_chat(std::string param, std::string code, std::string message) {
  return {400, std::move(message), "invalid_request_error", std::move(code), std::move(param)};
}

bool is_function_name(const json& name) {
  if (!name.is_string())
    return false;
  const auto& text = name.get_ref<const std::string&>();
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

found check_chat(const json& body) {
  if (!body.is_object())
    return invalid_chat("", "", "The body of the request must be a JSON object.");
  const auto* model = given(body, "model");
  if (model == nullptr || *model == "")
    return missing("model");
  if (!model->is_string())
    return wrong_type("model", "a string");
  const auto* messages = given(body, "messages");
  if (messages == nullptr)
    return missing("messages");
  if (!messages->is_array())
    return wrong_type("messages", "a list");
  if (messages->empty())
    return invalid_chat("messages", "empty_array", "Invalid 'messages': the list is empty.");
  for (const auto check : {check_plain_fields, check_stream, check_tools, check_response_format})
    if (auto wrong = check(body))
      return wrong;
  return check_chat_messages(*messages);
}

} // namespace sidevoice
