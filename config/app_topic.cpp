#include "config/app_checklist.hpp"
#include "config/currency.hpp"
#include "config/json_schema.hpp"
#include "config/suggest.hpp"
#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr std::array all_types = {topic_type::text,   topic_type::person_name, topic_type::address,
                                  topic_type::date,   topic_type::choice,      topic_type::integer,
                                  topic_type::yes_no, topic_type::money,       topic_type::email,
                                  topic_type::object};

bool is_topic_id(const std::string& id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !id.empty() && id.size() <= 64 && id.front() >= 'a' && id.front() <= 'z'
         && std::all_of(id.begin(), id.end(), good);
}

std::string label_from(const std::string& id) {
  auto label = id;
  std::replace(label.begin(), label.end(), '_', ' ');
  if (!label.empty() && label.front() >= 'a' && label.front() <= 'z')
    label.front() = static_cast<char>(label.front() - 'a' + 'A');
  return label;
}

/// Reads one topic. Each member reads the fields that belong together.
class topic_reader {
public:
  topic_reader(const ordered_json& topic, std::string path, fault_list& faults)
      : fields_(topic, std::move(path), faults) {}

  topic_declaration read() {
    read_id();
    read_type();
    topic_.label = fields_.text("label", 200).value_or(label_from(topic_.id));
    topic_.required = fields_.flag("required");
    topic_.list = fields_.flag("list");
    topic_.ask = fields_.text("ask", 1000).value_or("");
    topic_.answered_when = fields_.text("answered_when", 1000).value_or("");
    topic_.sensitive = fields_.flag("sensitive");
    read_confirm();
    read_bounds();
    read_choices();
    read_currency();
    read_schema();
    // Read by read_topic_links(), once all topics are known.
    fields_.find("when");
    fields_.find("after");
    fields_.finish();
    return std::move(topic_);
  }

private:
  void fault(const std::string& key, std::string found, std::string remedy) {
    fields_.faults().fault(fields_.path(key), std::move(found), std::move(remedy));
  }

  void read_id() {
    fields_.require("id", R"(add an id, such as "id": "moving_date")");
    topic_.id = fields_.text("id", 64).value_or("");
    if (!topic_.id.empty() && !is_topic_id(topic_.id))
      fault("id", describe(topic_.id),
            "start with a small letter; then small letters, digits and _, at most 64");
  }

  void read_type() {
    static const std::map<std::string, topic_type> by_id = {{"email", topic_type::email},
                                                            {"date", topic_type::date},
                                                            {"name", topic_type::person_name}};
    if (const auto known = by_id.find(topic_.id); known != by_id.end())
      topic_.type = known->second;
    std::vector<std::string> names;
    for (const auto type : all_types)
      names.emplace_back(to_string(type));
    const auto name = fields_.word("type", names);
    type_known_ = name || fields_.find("type") == nullptr;
    if (name)
      topic_.type = all_types.at(
        static_cast<std::size_t>(std::find(names.begin(), names.end(), *name) - names.begin()));
  }

  void read_confirm() {
    const auto how = fields_.word("confirm", {"never", "read_back", "person"});
    if (how == "read_back")
      topic_.confirm = topic_confirm::read_back;
    else if (how == "person")
      topic_.confirm = topic_confirm::person;
  }

  /// True where the key is there and belongs to the type. A type that is unknown has its own fault:
  /// no further ones follow from it.
  bool belongs(const std::string& key, bool fits, const std::string& to) {
    const auto there = fields_.find(key) != nullptr;
    if (there && !fits && type_known_)
      fault(key, std::string{"a topic of type "} + to_string(topic_.type),
            "remove the key: it belongs to type " + to);
    return there && fits && type_known_;
  }

  void read_bounds() {
    const auto numeric = topic_.type == topic_type::integer || topic_.type == topic_type::money;
    if (topic_.type == topic_type::date && type_known_)
      read_first_day();
    else if (belongs("min", numeric, "integer, money or date"))
      topic_.min = fields_.number("min");
    if (belongs("max", numeric, "integer or money"))
      topic_.max = fields_.number("max");
    if (topic_.min && topic_.max && *topic_.min > *topic_.max)
      fault("min", "min above max", "swap the two numbers");
  }

  void read_first_day() {
    const auto* min = fields_.find("min");
    topic_.min_today = min != nullptr && *min == "today";
    if (min != nullptr && !topic_.min_today)
      fault("min", describe(*min), R"(write "today": the only bound that a date knows)");
  }

  void read_choices() {
    const auto is_choice = topic_.type == topic_type::choice;
    if (is_choice && type_known_)
      fields_.require("choices", R"(add "choices": { "flat": ["apartment"], "house": [] })");
    if (!belongs("choices", is_choice, "choice"))
      return;
    const auto* choices = fields_.find("choices", json_kind::object);
    if (choices == nullptr)
      return;
    if (choices->empty())
      fault("choices", "no choices", R"(add some, such as "flat": ["apartment"])");
    object_fields values{*choices, fields_.path("choices"), fields_.faults()};
    for (const auto& member : choices->items())
      read_choice(values, member.key());
  }

  void read_choice(object_fields& values, const std::string& value) {
    topic_choice choice{value, values.texts(value)};
    if (single_spaced(value) != value || value.empty())
      values.faults().fault(values.path(value), describe(value),
                            "name the value without blanks at its ends");
    take_word(values, value, value);
    for (const auto& word : choice.words)
      take_word(values, value, word);
    topic_.choices.push_back(std::move(choice));
  }

  void take_word(object_fields& values, const std::string& value, const std::string& word) {
    const auto [known, fresh] = words_.emplace(lower_ascii(word), value);
    if (!fresh && known->second != value)
      values.faults().fault(values.path(value),
                            describe(word) + " which means " + describe(known->second) + " too",
                            "let each word stand for one value");
  }

  void read_currency() {
    const auto is_money = topic_.type == topic_type::money;
    if (is_money && type_known_)
      fields_.require("currency", R"(add "currency": "EUR")");
    if (!belongs("currency", is_money, "money"))
      return;
    const auto* value = fields_.find("currency", json_kind::text);
    if (value == nullptr)
      return;
    topic_.currency = value->get<std::string>();
    if (currency_digits(topic_.currency))
      return;
    const auto near = closest(topic_.currency, currency_codes());
    fault("currency", describe(*value),
          near.empty() ? "write a code of ISO 4217, such as \"EUR\""
                       : "did you mean \"" + near + "\"?");
  }

  void read_schema() {
    const auto is_object = topic_.type == topic_type::object;
    if (is_object && type_known_)
      fields_.require("schema", R"(add a JSON Schema: "schema": { "type": "object" })");
    if (!belongs("schema", is_object, "object"))
      return;
    const auto* value = fields_.find("schema", json_kind::object);
    if (value == nullptr)
      return;
    topic_.schema = value->dump();
    for (const auto& wrong : schema_faults(nlohmann::json::parse(topic_.schema))) {
      auto place = fields_.path("schema");
      const auto* part = value;
      for (const auto& key : wrong.path) {
        place = path_of(place, key);
        part = &part->at(key);
      }
      if (wrong.warning)
        fields_.faults().warn(place, "a keyword that nothing checks", wrong.remedy);
      else
        fields_.faults().fault(place, describe(*part), wrong.remedy);
    }
  }

  object_fields fields_;
  topic_declaration topic_;
  bool type_known_ = true;
  /// Each word of the choices, in small letters, and the value it stands for.
  std::map<std::string, std::string> words_;
};

} // namespace

topic_declaration read_topic(const ordered_json& topic, const std::string& path,
                             fault_list& faults) {
  return topic_reader{topic, path, faults}.read();
}

} // namespace sidevoice
