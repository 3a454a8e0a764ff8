#include "config/json_schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> type_names = {"object",  "array",   "string", "number",
                                                        "integer", "boolean", "null"};

/// Keywords that describe and never refuse.
constexpr std::array<std::string_view, 8> annotations = {"title",    "description", "default",
                                                         "examples", "$schema",     "$id",
                                                         "$comment", "deprecated"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

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

std::string name_of(const std::string& path) {
  return path.empty() ? "it" : path;
}

std::string inside(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + '.' + key;
}

std::optional<std::string> check(const json& schema, const json& value, const std::string& path);

std::optional<std::string> check_object(const json& schema, const json& value,
                                        const std::string& path) {
  for (const auto& key : schema.value("required", json::array()))
    if (!value.contains(key.get<std::string>()))
      return name_of(path) + " needs " + key.get<std::string>();
  const auto properties = schema.value("properties", json::object());
  const auto others = schema.value("additionalProperties", json(true));
  for (const auto& [key, member] : value.items()) {
    const auto declared = properties.contains(key);
    if (!declared && others == json(false))
      return name_of(path) + " must not have other keys than the declared ones";
    // Keys that the schema does not name are the user's words: not for error texts.
    const auto place = inside(path, declared ? key : "*");
    if (auto wrong = check(declared ? properties[key] : others, member, place))
      return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> check_bounds(const json& schema, double value, const std::string& path) {
  if (schema.contains("minimum") && value < schema["minimum"].get<double>())
    return name_of(path) + " must be at least " + schema["minimum"].dump();
  if (schema.contains("maximum") && value > schema["maximum"].get<double>())
    return name_of(path) + " must be at most " + schema["maximum"].dump();
  return std::nullopt;
}

std::optional<std::string> check(const json& schema, const json& value, const std::string& path) {
  if (schema.is_boolean())
    return schema.get<bool>() ? std::nullopt : std::optional{name_of(path) + " must not be there"};
  if (const auto type = schema.value("type", json()); !type.is_null()) {
    const auto types = type.is_array() ? type : json::array({type});
    const auto fits = std::any_of(types.begin(), types.end(), [&](const json& one) {
      return has_type(value, one.get_ref<const std::string&>());
    });
    if (!fits)
      return name_of(path) + " must be " + type_words(type);
  }
  if (schema.contains("enum")
      && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return name_of(path) + " must be one of " + schema["enum"].dump();
  if (value.is_number())
    return check_bounds(schema, value.get<double>(), path);
  if (value.is_object())
    return check_object(schema, value, path);
  if (!value.is_array() || !schema.contains("items"))
    return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (auto wrong = check(schema["items"], value[i], path + '[' + std::to_string(i) + ']'))
      return wrong;
  return std::nullopt;
}

// -- the schema itself ----------------------------------------------------------------------------

/// Collects what is wrong with a schema, with the path to it.
class schema_reader {
public:
  std::vector<schema_fault> take() {
    return std::move(faults_);
  }

  void read(const json& schema) {
    if (schema.is_boolean())
      return;
    if (!schema.is_object()) {
      fault("write a JSON Schema: an object, true or false");
      return;
    }
    for (const auto& [keyword, value] : schema.items()) {
      path_.push_back(keyword);
      read_keyword(keyword, value);
      path_.pop_back();
    }
  }

private:
  void fault(std::string remedy, bool warning = false) {
    faults_.push_back({path_, std::move(remedy), warning});
  }

  void read_keyword(const std::string& keyword, const json& value) {
    if (keyword == "type")
      read_type(value);
    else if (keyword == "properties")
      read_properties(value);
    else if (keyword == "items" || keyword == "additionalProperties")
      read(value);
    else if (keyword == "required")
      read_required(value);
    else if (keyword == "enum" && (!value.is_array() || value.empty()))
      fault("list the allowed values: [\"a\", \"b\"]");
    else if ((keyword == "minimum" || keyword == "maximum") && !value.is_number())
      fault("write a number");
    else if (!contains(annotations, keyword) && keyword != "enum" && keyword != "minimum"
             && keyword != "maximum")
      fault("has no effect: checked are type, properties, required, additionalProperties, items, "
            "enum, minimum and maximum",
            true);
  }

  void read_type(const json& value) {
    const auto types = value.is_array() ? value : json::array({value});
    for (const auto& type : types)
      if (!type.is_string() || !contains(type_names, type.get_ref<const std::string&>()))
        fault("write object, array, string, number, integer, boolean or null");
  }

  void read_properties(const json& value) {
    if (!value.is_object()) {
      fault("write an object: the key is the property's name, the value its schema");
      return;
    }
    for (const auto& [name, schema] : value.items()) {
      path_.push_back(name);
      read(schema);
      path_.pop_back();
    }
  }

  void read_required(const json& value) {
    const auto good = value.is_array()
                      && std::all_of(value.begin(), value.end(),
                                     [](const auto& v) { return v.is_string(); });
    if (!good)
      fault("list the names of the required properties: [\"a\", \"b\"]");
  }

  std::vector<std::string> path_;
  std::vector<schema_fault> faults_;
};

} // namespace

std::optional<std::string> schema_violation(const json& schema, const json& value) {
  return check(schema, value, "");
}

std::vector<schema_fault> schema_faults(const json& schema) {
  schema_reader reader;
  reader.read(schema);
  return reader.take();
}

} // namespace sidevoice
