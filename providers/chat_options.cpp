#include "providers/chat_request.hpp"
#include "providers/vendor_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace sidevoice {

using nlohmann::json;

namespace {

error wrong(const std::string& option, const std::string& remedy) {
  return {errc::invalid, "the model's option \"" + option + "\" is " + remedy, "models",
          "bad_option"};
}

/// Reads options one by one and keeps the first fault.
class option_reader {
public:
  explicit option_reader(const json& entry) : entry_(entry) {}

  void number(const char* key, std::optional<double>& into, double min, double max) {
    const auto* value = find(key);
    if (value == nullptr)
      return;
    if (!value->is_number() || value->get<double>() < min || value->get<double>() > max)
      return fault(key, "a number from " + json(min).dump() + " to " + json(max).dump());
    into = value->get<double>();
  }

  void whole(const char* key, std::optional<std::int64_t>& into) {
    const auto* value = find(key);
    if (value == nullptr)
      return;
    if (!value->is_number_integer())
      return fault(key, "a whole number, such as 7");
    into = value->get<std::int64_t>();
  }

  void truth(const char* key, std::optional<bool>& into) {
    const auto* value = find(key);
    if (value == nullptr)
      return;
    if (!value->is_boolean())
      return fault(key, "true or false");
    into = value->get<bool>();
  }

  /// A short word such as "low".
  void word(const char* key, std::string& into) {
    const auto* value = find(key);
    if (value == nullptr)
      return;
    const auto text = value->is_string() ? value->get<std::string>() : std::string{};
    if (text.empty() || text.size() > 64)
      return fault(key, "a short word, such as \"low\"");
    into = text;
  }

  void one_of(const char* key, std::string& into, std::initializer_list<const char*> all) {
    const auto* value = find(key);
    if (value == nullptr)
      return;
    std::string names;
    for (const auto* name : all) {
      if (value->is_string() && *value == name) {
        into = name;
        return;
      }
      names += std::string{names.empty() ? "" : ", "} + '"' + name + '"';
    }
    fault(key, "one of " + names);
  }

  /// What no function above has asked for is a slip of the pen.
  std::optional<error> finish() {
    std::string known;
    for (const auto& name : known_)
      known += (known.empty() ? "" : ", ") + name;
    for (const auto& [key, value] : entry_.items())
      if (key != "vendor" && key != "model"
          && std::find(known_.begin(), known_.end(), key) == known_.end())
        fault(key.c_str(), "not known; there are: " + known);
    return std::move(fault_);
  }

private:
  const json* find(const char* key) {
    known_.emplace_back(key);
    return member(entry_, key);
  }

  void fault(const char* key, const std::string& remedy) {
    if (!fault_)
      fault_ = wrong(safe_key(key), remedy);
  }

  static std::string safe_key(const std::string& key) {
    return key.substr(0, 64);
  }

  const json& entry_;
  std::vector<std::string> known_;
  std::optional<error> fault_;
};

} // namespace

result<chat_options> read_chat_options(const json_text& entry) {
  const auto value = read_vendor_json(entry);
  if (!value || !value->is_object())
    return error{errc::invalid,
                 "a model entry is a JSON object, such as {\"vendor\": \"openai\", \"model\": "
                 "\"gpt-4.1-mini\"}",
                 "models", "bad_option"};
  chat_options options;
  options.model = text_at(*value, "model");
  if (options.model.empty())
    return error{errc::invalid,
                 "the model entry names no model; write \"openai:gpt-4.1-mini\" or add \"model\"",
                 "models", "no_model"};
  option_reader reader{*value};
  reader.number("temperature", options.temperature, 0, 2);
  reader.number("top_p", options.top_p, 0, 1);
  reader.whole("seed", options.seed);
  reader.word("reasoning_effort", options.reasoning_effort);
  reader.word("verbosity", options.verbosity);
  reader.word("service_tier", options.service_tier);
  reader.truth("parallel_tool_calls", options.parallel_tool_calls);
  reader.one_of("max_tokens_field", options.max_tokens_field,
                {"max_completion_tokens", "max_tokens", "none"});
  reader.one_of("instructions_role", options.instructions_role, {"system", "developer"});
  std::optional<bool> usage;
  reader.truth("include_usage", usage);
  options.include_usage = usage.value_or(true);
  if (auto fault = reader.finish())
    return std::move(*fault);
  return options;
}

} // namespace sidevoice
