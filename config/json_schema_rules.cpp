#include "config/json_schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> type_names = {"object",  "array",   "string", "number",
                                                        "integer", "boolean", "null"};

/// Keywords that describe and never refuse.
constexpr std::array<std::string_view, 9> annotations = {"title",    "description", "default",
                                                         "examples", "$schema",     "$id",
                                                         "$comment", "deprecated",  "format"};
constexpr std::array<std::string_view, 4> number_bounds = {"minimum", "maximum", "exclusiveMinimum",
                                                           "exclusiveMaximum"};
constexpr std::array<std::string_view, 6> counts = {"minLength", "maxLength",     "minItems",
                                                    "maxItems",  "minProperties", "maxProperties"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

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
    for (const auto& [keyword, value] : schema.items())
      below(keyword, [&, name = keyword, &value = value] { read_keyword(name, value); });
  }

private:
  void fault(std::string remedy, bool warning = false) {
    faults_.push_back({path_, std::move(remedy), warning});
  }

  template <class Read>
  void below(const std::string& key, Read read) {
    path_.push_back(key);
    read();
    path_.pop_back();
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
    else if (keyword == "enum")
      read_enum(value);
    else if (keyword == "anyOf" || keyword == "allOf")
      read_forms(value);
    else if (contains(number_bounds, keyword))
      read_bound(value);
    else if (contains(counts, keyword))
      read_count(value);
    else if (!contains(annotations, keyword) && keyword != "const")
      fault("nothing checks \"" + keyword
              + "\"; checked are type, properties, required, additionalProperties, items, enum, "
                "const, anyOf, allOf, and bounds of numbers, lengths and sizes",
            true);
  }

  void read_type(const json& value) {
    const auto types = value.is_array() ? value : json::array({value});
    const auto good = !types.empty() && std::all_of(types.begin(), types.end(), [](const json& t) {
      return t.is_string() && contains(type_names, t.get_ref<const std::string&>());
    });
    if (!good)
      fault("write object, array, string, number, integer, boolean or null");
  }

  void read_properties(const json& value) {
    if (!value.is_object()) {
      fault("write an object: the key is the property's name, the value its schema");
      return;
    }
    for (const auto& [name, schema] : value.items())
      below(name, [&, &schema = schema] { read(schema); });
  }

  void read_required(const json& value) {
    const auto good = value.is_array()
                      && std::all_of(value.begin(), value.end(),
                                     [](const auto& v) { return v.is_string(); });
    if (!good)
      fault("list the names of the required properties: [\"a\", \"b\"]");
  }

  void read_enum(const json& value) {
    if (!value.is_array() || value.empty())
      fault("list the allowed values: [\"a\", \"b\"]");
  }

  void read_forms(const json& value) {
    if (!value.is_array() || value.empty()) {
      fault("list the schemas: [ { ... }, { ... } ]");
      return;
    }
    // A path has names only: the fault stands at the list.
    for (const auto& form : value)
      read_form(form);
  }

  void read_form(const json& form) {
    schema_reader inner;
    inner.read(form);
    for (const auto& wrong : inner.take())
      fault((wrong.path.empty() ? "" : "at " + wrong.path.back() + ": ") + wrong.remedy,
            wrong.warning);
  }

  void read_bound(const json& value) {
    if (!value.is_number())
      fault("write a number");
  }

  void read_count(const json& value) {
    if (!value.is_number_unsigned())
      fault("write a whole number from 0 on");
  }

  std::vector<std::string> path_;
  std::vector<schema_fault> faults_;
};

} // namespace

std::vector<schema_fault> schema_faults(const json& schema) {
  schema_reader reader;
  reader.read(schema);
  return reader.take();
}

} // namespace sidevoice
