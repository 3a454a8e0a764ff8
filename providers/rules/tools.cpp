#include "providers/rules/tools.hpp"

#include "config/topic_value.hpp"
#include "providers/rules/words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice::rules {

namespace {

using nlohmann::json;

bool output_is_newest(const llm_request& request) {
  return !request.history.empty() && request.history.back().role == llm_role::function_call_output;
}

/// The topic's value as the parameter's schema wants it; none where they do not fit.
std::optional<json> as_parameter(const board& now, const std::string& id, const json& schema) {
  const auto* t = now.find(id);
  if (t == nullptr || !now.has_value(*t) || !now.is_relevant(*t) || t->status == "skipped"
      || t->status == "contradicted")
    return std::nullopt;
  const auto value = json::parse(t->value, nullptr, false);
  const auto type = schema.is_object() ? schema.value("type", json{}) : json{};
  if (type == "string")
    return value.is_string() ? value : json(display_topic_value(*t->topic, t->value));
  if (type == "number" || type == "integer") {
    if (value.is_object() && value.contains("amount"))
      return value["amount"];
    return value.is_number() ? std::optional{value} : std::nullopt;
  }
  if ((type == "boolean" && !value.is_boolean()) || (type == "array" && !value.is_array())
      || (type == "object" && !value.is_object()))
    return std::nullopt;
  return value;
}

struct readiness {
  json arguments = json::object();
  /// All that the tool requires is known.
  bool is_ready = false;
};

readiness readiness_of(const llm_tool& tool, const board& now) {
  readiness out;
  const auto schema = json::parse(tool.parameters, nullptr, false);
  if (!schema.is_object())
    return out;
  const auto properties = schema.value("properties", json::object());
  if (!properties.is_object())
    return out;
  for (const auto& [name, property] : properties.items())
    if (auto value = as_parameter(now, name, property))
      out.arguments[name] = std::move(*value);
  // Where nothing is required, everything is: half a call would only be called again.
  auto required = schema.value("required", json::array());
  if (!required.is_array() || required.empty()) {
    required = json::array();
    for (const auto& [name, _] : properties.items())
      required.push_back(name);
  }
  out.is_ready = !required.empty()
                 && std::all_of(required.begin(), required.end(), [&](const json& name) {
                      return name.is_string() && out.arguments.contains(name.get<std::string>());
                    });
  return out;
}

bool was_called(const llm_request& request, const std::string& name, const json& arguments) {
  return std::any_of(request.history.begin(), request.history.end(), [&](const llm_message& m) {
    return m.role == llm_role::function_call && m.name == name
           && json::parse(m.text, nullptr, false) == arguments;
  });
}

/// "price: 1200, currency: EUR" for flat objects, else the text itself.
std::string in_words(const json& value) {
  if (value.is_string())
    return value.get<std::string>();
  if (value.is_boolean())
    return value.get<bool>() ? "yes" : "no";
  if (value.is_null())
    return "nothing";
  std::string out;
  if (value.is_structured()) {
    for (const auto& [key, part] : value.items()) {
      out += out.empty() ? "" : ", ";
      out += value.is_object() ? key + ": " : "";
      out += part.is_structured() ? part.dump(-1, ' ', false, json::error_handler_t::replace)
                                  : in_words(part);
    }
    return out;
  }
  return value.dump();
}

std::string tool_label(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name.empty() ? "that" : name;
}

std::string output_in_words(const std::string& name, const std::string& output) {
  constexpr std::size_t shown_bytes = 300;
  const auto label = tool_label(name);
  const auto raw = trimmed(output);
  if (raw.empty() || raw == "{}" || raw == "null" || raw == "ok" || raw == "\"ok\""
      || raw == "true")
    return "That worked: " + label + ".";
  if (raw == "cancelled" || raw == "\"cancelled\"")
    return "I could not finish this: " + label + ".";
  if (raw == "unknown" || raw == "\"unknown\"")
    return "I cannot tell whether this went through: " + label + ".";
  const auto value = raw.size() < 20'000 ? json::parse(raw, nullptr, false)
                                         : json(json::value_t::discarded);
  if (value.is_object() && value.contains("error"))
    return "That did not work (" + label
           + "): " + std::string{cut(in_words(value["error"]), shown_bytes)} + ".";
  auto words = std::string{cut(value.is_discarded() ? raw : in_words(value), shown_bytes)};
  if (words.back() != '.' && words.back() != '!' && words.back() != '?')
    words += '.';
  return "Here is what came back for " + label + ": " + words;
}

} // namespace

bool is_forced(const llm_request& request) {
  return !output_is_newest(request) && !request.tools.empty() && request.tool_choice != "auto"
         && request.tool_choice != "none" && !request.tool_choice.empty();
}

std::optional<llm_call> due_call(const llm_request& request, const board& now) {
  if (request.tool_choice == "none")
    return std::nullopt;
  const bool forced = is_forced(request);
  const bool any = !forced || request.tool_choice == "required";
  const llm_tool* fallback = nullptr;
  for (const auto& tool : request.tools) {
    if (!any && tool.name != request.tool_choice)
      continue;
    const auto r = readiness_of(tool, now);
    if (r.is_ready && (!any || !was_called(request, tool.name, r.arguments)))
      return llm_call{"", tool.name, r.arguments.dump()};
    fallback = fallback == nullptr ? &tool : fallback;
  }
  if (!forced || fallback == nullptr)
    return std::nullopt;
  return llm_call{"", fallback->name, readiness_of(*fallback, now).arguments.dump()};
}

std::string outputs_in_words(const llm_request& request) {
  std::string out;
  if (!output_is_newest(request))
    return out;
  auto first = request.history.size();
  const auto is_of_tool = [](llm_role role) {
    return role == llm_role::function_call || role == llm_role::function_call_output;
  };
  while (first > 0 && is_of_tool(request.history[first - 1].role))
    --first;
  for (auto i = first; i < request.history.size(); ++i) {
    const auto& m = request.history[i];
    if (m.role != llm_role::function_call_output)
      continue;
    auto name = m.name;
    for (const auto& call : request.history)
      if (call.role == llm_role::function_call && call.call_id == m.call_id)
        name = call.name;
    out += (out.empty() ? "" : " ") + output_in_words(name, m.text);
  }
  return out;
}

} // namespace sidevoice::rules
