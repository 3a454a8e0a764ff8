#include "config/json_schema.hpp"

#include "config/jsonc.hpp"
#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <string_view>

namespace sidevoice {

namespace {

using nlohmann::json;

/// A text longer than this fits no pattern: regular expressions cost stack for each character.
constexpr std::size_t pattern_bytes_max = 1000;

bool has_type(const json& value, std::string_view type) {
  if (type == "object")
    return value.is_object();
  if (type == "array")
    return value.is_array();
  if (type == "string")
    return value.is_string();
  if (type == "boolean")
    return value.is_boolean();
  if (type == "null")
    return value.is_null();
  if (type == "integer" && value.is_number_float())
    return std::trunc(value.get<double>()) == value.get<double>();
  return type == "integer" ? value.is_number_integer() : value.is_number();
}

std::string type_words(const json& type) {
  if (type.is_string())
    return type.get<std::string>();
  std::string out;
  for (const auto& one : type)
    (out += out.empty() ? "" : " or ") += one.get<std::string>();
  return out;
}

/// The member, or null. Without the copy that value() makes.
const json* find(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

/// Compiled once for each pattern: there are a dozen, all of our own schemas.
bool matches(const std::string& text, const std::string& pattern) {
  thread_local std::map<std::string, std::regex> compiled;
  const auto [known, fresh] = compiled.try_emplace(pattern);
  if (fresh)
    known->second = std::regex{pattern};
  return std::regex_search(text, known->second);
}

/// Checks one value; knows the schema's root for references into it.
class schema_check {
public:
  /// Not `is_ours`: only the keywords that `schema_faults` checks count, since nothing has looked
  /// at the values of the others.
  schema_check(const json& root, bool is_ours) : root_(root), is_ours_(is_ours) {}

  std::optional<schema_breach> run(const json& schema, const json& value, const std::string& path) {
    if (schema.is_boolean())
      return schema.get<bool>() ? std::nullopt : breach(path, "must not be there");
    if (const auto* to = is_ours_ ? find(schema, "$ref") : nullptr) {
      // "#/definitions/name".
      const json::json_pointer at{to->get<std::string>().substr(1)};
      if (auto wrong = run(root_.at(at), value, path))
        return wrong;
    }
    if (auto wrong = check_kind(schema, value, path))
      return wrong;
    if (const auto* all = find(schema, "allOf"))
      for (const auto& one : *all)
        if (auto wrong = run(one, value, path))
          return wrong;
    if (auto wrong = check_forms(schema, value, path))
      return wrong;
    if (value.is_number())
      return check_bounds(schema, value.get<double>(), path);
    if (value.is_string())
      return check_text(schema, value.get_ref<const std::string&>(), path);
    if (value.is_object())
      return check_object(schema, value, path);
    return value.is_array() ? check_list(schema, value, path) : std::nullopt;
  }

private:
  static std::optional<schema_breach> breach(const std::string& path, std::string what) {
    return schema_breach{path, std::move(what)};
  }

  static std::optional<schema_breach> check_kind(const json& schema, const json& value,
                                                 const std::string& path) {
    if (const auto* type = find(schema, "type")) {
      const auto fits = type->is_string()
                          ? has_type(value, type->get_ref<const std::string&>())
                          : std::any_of(type->begin(), type->end(), [&](const json& one) {
                              return has_type(value, one.get_ref<const std::string&>());
                            });
      if (!fits)
        return breach(path, "must be " + type_words(*type));
    }
    if (schema.contains("const") && schema["const"] != value)
      return breach(path, "must be " + schema["const"].dump());
    if (schema.contains("enum") && !contains_value(schema["enum"], value))
      return breach(path, "must be one of " + schema["enum"].dump());
    return std::nullopt;
  }

  static bool contains_value(const json& list, const json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  std::optional<schema_breach> check_forms(const json& schema, const json& value,
                                           const std::string& path) {
    const auto* forms = find(schema, "anyOf");
    if (forms == nullptr)
      return std::nullopt;
    std::optional<schema_breach> first;
    for (const auto& form : *forms) {
      auto wrong = run(form, value, path);
      if (!wrong)
        return std::nullopt;
      if (!first)
        first = std::move(wrong);
    }
    return forms->size() > 1
             ? breach(path, "must have one of its " + std::to_string(forms->size()) + " forms")
             : first;
  }

  static std::optional<schema_breach> check_bounds(const json& schema, double value,
                                                   const std::string& path) {
    if (schema.contains("minimum") && value < schema["minimum"].get<double>())
      return breach(path, "must be at least " + schema["minimum"].dump());
    if (schema.contains("maximum") && value > schema["maximum"].get<double>())
      return breach(path, "must be at most " + schema["maximum"].dump());
    if (schema.contains("exclusiveMinimum") && value <= schema["exclusiveMinimum"].get<double>())
      return breach(path, "must be more than " + schema["exclusiveMinimum"].dump());
    if (schema.contains("exclusiveMaximum") && value >= schema["exclusiveMaximum"].get<double>())
      return breach(path, "must be less than " + schema["exclusiveMaximum"].dump());
    return std::nullopt;
  }

  [[nodiscard]] std::optional<schema_breach>
  check_text(const json& schema, const std::string& value, const std::string& path) const {
    const auto length = length_of(value);
    if (length < schema.value("minLength", std::size_t{0}))
      return breach(path, "must have at least " + schema["minLength"].dump() + " characters");
    if (schema.contains("maxLength") && length > schema["maxLength"].get<std::size_t>())
      return breach(path, "must have at most " + schema["maxLength"].dump() + " characters");
    if (is_ours_ && schema.contains("pattern")
        && (value.size() > pattern_bytes_max
            || !matches(value, schema["pattern"].get_ref<const std::string&>())))
      return breach(path, "must match " + schema["pattern"].get<std::string>());
    return std::nullopt;
  }

  std::optional<schema_breach> check_object(const json& schema, const json& value,
                                            const std::string& path) {
    if (const auto* required = find(schema, "required"))
      for (const auto& key : *required)
        if (!value.contains(key.get_ref<const std::string&>()))
          return breach(path, "needs " + key.get<std::string>());
    if (value.size() < schema.value("minProperties", std::size_t{0}))
      return breach(path, "needs at least " + schema["minProperties"].dump() + " keys");
    if (schema.contains("maxProperties")
        && value.size() > schema["maxProperties"].get<std::size_t>())
      return breach(path, "must have at most " + schema["maxProperties"].dump() + " keys");
    const auto* properties = find(schema, "properties");
    const auto* others = find(schema, "additionalProperties");
    const auto* names = is_ours_ ? find(schema, "propertyNames") : nullptr;
    for (const auto& member : value.items()) {
      const auto& key = member.key();
      const auto* declared = properties == nullptr ? nullptr : find(*properties, key.c_str());
      if (declared == nullptr && others != nullptr && *others == json(false))
        return breach(path, "must not have other keys than the declared ones");
      if (declared == nullptr && names != nullptr && run(*names, key, path))
        return breach(path, "has a key of the wrong form");
      const auto* wanted = declared == nullptr ? others : declared;
      if (wanted == nullptr)
        continue;
      // Keys that the schema does not name are the user's words: not for error texts.
      const auto place = declared != nullptr ? path_of(path, key)
                         : path.empty()      ? "*"
                                             : path + ".*";
      if (auto wrong = run(*wanted, member.value(), place))
        return wrong;
    }
    return std::nullopt;
  }

  std::optional<schema_breach> check_list(const json& schema, const json& value,
                                          const std::string& path) {
    if (value.size() < schema.value("minItems", std::size_t{0}))
      return breach(path, "needs at least " + schema["minItems"].dump() + " entries");
    if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<std::size_t>())
      return breach(path, "must have at most " + schema["maxItems"].dump() + " entries");
    if (!schema.contains("items"))
      return std::nullopt;
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto wrong = run(schema["items"], value[i], path_of(path, i)))
        return wrong;
    return std::nullopt;
  }

  const json& root_;
  const bool is_ours_;
};

} // namespace

std::optional<schema_breach> find_breach(const json& schema, const json& value) {
  return schema_check{schema, true}.run(schema, value, "");
}

std::optional<std::string> schema_violation(const json& schema, const json& value) {
  const auto wrong = schema_check{schema, false}.run(schema, value, "");
  if (!wrong)
    return std::nullopt;
  return (wrong->path.empty() ? "it" : wrong->path) + ' ' + wrong->what;
}

} // namespace sidevoice
