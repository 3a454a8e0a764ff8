#include "providers/fake/chat_request.hpp"

#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::size_t json_nesting_max = 128;

/// Nesting of a JSON text, so that nothing that walks the value runs out of stack.
bool is_too_deep(const std::string& text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    if (c == '{' || c == '[')
      ++depth;
    if ((c == '}' || c == ']') && depth > 0)
      --depth;
    if (depth > json_nesting_max)
      return true;
  }
  return false;
}

std::string text_of(const json& message) {
  const auto content = message.find("content");
  if (content == message.end())
    return {};
  if (content->is_string())
    return content->get<std::string>();
  std::string out;
  if (content->is_array())
    for (const auto& part : *content)
      if (part.value("type", "") == "text")
        out += (out.empty() ? "" : " ") + part.value("text", "");
  return out;
}

/// The function that must be called: the named one, or with "required" the first.
const json* forced_tool(const json& body) {
  const auto choice = body.find("tool_choice");
  const auto tools = body.find("tools");
  if (choice == body.end() || tools == body.end() || !tools->is_array())
    return nullptr;
  if (choice->is_string())
    return *choice == "required" ? &tools->front()["function"] : nullptr;
  if (!choice->is_object())
    return nullptr;
  for (const auto& tool : *tools)
    if (tool["function"]["name"] == (*choice)["function"]["name"])
      return &tool["function"];
  return nullptr;
}

void take_messages(const json& messages, chat_facts& out) {
  for (const auto& message : messages) {
    const auto role = message["role"].get<std::string>();
    const auto text = text_of(message);
    // Instructions that stand behind the conversation, as our own board does, are no turn of it.
    if (role != "system" && role != "developer")
      out.last_role = role;
    if (role == "user")
      out.last_user = text;
    else if (role == "tool")
      out.tool_output = text;
    else if (role == "system" || role == "developer")
      out.system += (out.system.empty() ? "" : "\n") + text;
    out.prompt_tokens += 4 + rough_tokens(text.size());
  }
}

void take_format(const json& body, chat_facts& out) {
  const auto format = body.find("response_format");
  if (format == body.end() || !format->is_object() || (*format)["type"] == "text")
    return;
  out.json_answer = true;
  if ((*format)["type"] == "json_schema")
    out.answer_schema = (*format)["json_schema"].value("schema", json::object()).dump();
}

bool contains(const std::string& text, const std::optional<std::string>& wanted) {
  return !wanted || lower_ascii(text).find(lower_ascii(*wanted)) != std::string::npos;
}

// -- the smallest value of a schema --------------------------------------------------------------

/// Lists in lists with a least length each would grow without end.
constexpr int values_max = 10'000;

json smallest(const json& schema, int& values);

std::string type_of(const json& schema) {
  const auto type = schema.value("type", json{});
  if (type.is_string())
    return type.get<std::string>();
  if (type.is_array() && !type.empty() && type.front().is_string())
    return type.front().get<std::string>();
  return schema.contains("properties") ? "object" : schema.contains("items") ? "array" : "string";
}

json smallest_object(const json& schema, int& values) {
  auto out = json::object();
  const auto required = schema.value("required", json{});
  const auto properties = schema.value("properties", json{});
  if (!required.is_array())
    return out;
  for (const auto& name : required) {
    if (!name.is_string())
      continue;
    const auto key = name.get<std::string>();
    const auto known = properties.is_object() && properties.contains(key);
    out[key] = smallest(known ? properties[key] : json::object(), values);
  }
  return out;
}

std::uint64_t whole_of(const json& schema, const char* key, std::uint64_t most) {
  const auto value = schema.value(key, json{});
  return value.is_number_unsigned() ? std::min(value.get<std::uint64_t>(), most) : 0;
}

json smallest_number(const json& schema, bool integer) {
  const auto above = schema.value("exclusiveMinimum", json{});
  const auto least = schema.value("minimum", json{});
  if (least.is_number())
    return least;
  if (above.is_number() && above > -1e15 && above < 1e15)
    return integer ? json(static_cast<std::int64_t>(std::floor(above.get<double>())) + 1)
                   : json(above.get<double>() + 1);
  const auto most = schema.value("maximum", json{});
  return most.is_number() && most < 0 ? most : json(0);
}

json smallest(const json& schema, int& values) {
  if (!schema.is_object() || --values < 0)
    return nullptr;
  if (schema.contains("const"))
    return schema["const"];
  for (const auto* key : {"enum", "examples"})
    if (const auto given = schema.value(key, json{}); given.is_array() && !given.empty())
      return given.front();
  for (const auto* key : {"anyOf", "oneOf"})
    if (const auto given = schema.value(key, json{}); given.is_array() && !given.empty())
      return smallest(given.front(), values);
  const auto type = type_of(schema);
  if (type == "object")
    return smallest_object(schema, values);
  if (type == "array") {
    auto out = json::array();
    for (auto left = whole_of(schema, "minItems", 16); left > 0; --left)
      out.push_back(smallest(schema.value("items", json::object()), values));
    return out;
  }
  if (type == "integer" || type == "number")
    return smallest_number(schema, type == "integer");
  if (type == "boolean")
    return false;
  if (type == "null")
    return nullptr;
  return std::string(whole_of(schema, "minLength", 256), 'x');
}

} // namespace

json parse_chat(const std::string& text) {
  return is_too_deep(text) ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
}

std::uint64_t rough_tokens(std::size_t bytes) {
  return (bytes + 3) / 4;
}

std::string smallest_value(const std::string& schema) {
  auto values = values_max;
  return smallest(json::parse(schema, nullptr, false), values).dump();
}

chat_facts facts_of(const json& body) {
  chat_facts out;
  out.model = body["model"].get<std::string>();
  out.stream = body.value("stream", json{}) == true;
  const auto options = body.value("stream_options", json{});
  out.include_usage = options.is_object() && options.value("include_usage", json{}) == true;
  take_messages(body["messages"], out);
  if (const auto tools = body.find("tools"); tools != body.end() && tools->is_array()) {
    for (const auto& tool : *tools)
      out.tools.push_back(tool["function"]["name"].get<std::string>());
    out.prompt_tokens += rough_tokens(tools->dump().size());
  }
  if (const auto* forced = forced_tool(body)) {
    out.forced_tool = (*forced)["name"].get<std::string>();
    out.forced_schema = forced->value("parameters", json::object()).dump();
    // A function without parameters takes an empty object.
    if (out.forced_schema == "{}" || out.forced_schema == "null")
      out.forced_schema = R"({"type":"object"})";
  }
  take_format(body, out);
  return out;
}

bool matches(const fake_match& match, const chat_facts& facts, std::uint64_t call) {
  const auto has_tool = [&facts](const std::string& name) {
    return std::find(facts.tools.begin(), facts.tools.end(), name) != facts.tools.end();
  };
  return (!match.model || *match.model == facts.model) && contains(facts.last_user, match.last_user)
         && (!match.last_role || *match.last_role == facts.last_role)
         && contains(facts.tool_output, match.tool_output) && contains(facts.system, match.system)
         && (!match.tool || has_tool(*match.tool))
         && (!match.stream || *match.stream == facts.stream)
         && (!match.call || *match.call == call);
}

} // namespace sidevoice
