#include "config/topic_value.hpp"

#include "config/currency.hpp"
#include "config/json_schema.hpp"
#include "config/jsonc.hpp"
#include "config/topic_number.hpp"
#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::size_t value_bytes_max = 16'384;
constexpr std::size_t list_length_max = 100;

std::string name_of(const topic_declaration& topic) {
  return topic.label.empty() ? topic.id : topic.label;
}

/// "Moving day" takes a day such as "2027-03-12".
error expected(const topic_declaration& topic, const std::string& what) {
  return {errc::invalid, '"' + name_of(topic) + "\" takes " + what + '.', topic.id, "topic_value"};
}

std::string iso(calendar_day day) {
  char buffer[40];
  std::snprintf(buffer, sizeof(buffer), "%04d-%02u-%02u", day.year, day.month, day.day);
  return buffer;
}

std::optional<calendar_day> parse_day(const std::string& text) {
  calendar_day day;
  int used = 0;
  const auto fields = std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &day.year, &day.month, &day.day,
                                  &used);
  // Blanks and signs pass sscanf, but not the comparison with the canonical form.
  if (fields != 3 || static_cast<std::size_t>(used) != text.size() || !is_valid(day)
      || iso(day) != text)
    return std::nullopt;
  return day;
}

result<json_text> check_text(const topic_declaration& topic, const json& value) {
  using canonical = std::optional<std::string> (*)(std::string_view);
  canonical form = canonical_text;
  const char* example = "text of up to 2,000 characters, such as \"two mirrors\"";
  if (topic.type == topic_type::person_name) {
    form = canonical_person_name;
    example = "a name in letters, such as \"Ada Lovelace\"";
  } else if (topic.type == topic_type::address) {
    form = canonical_address;
    example = "an address, such as \"12 Mill Lane, Oxford\"";
  } else if (topic.type == topic_type::email) {
    form = canonical_email;
    example = "an e-mail address, such as \"ada@example.org\"";
  }
  const auto text = value.is_string() ? form(value.get_ref<const std::string&>()) : std::nullopt;
  if (!text)
    return expected(topic, example);
  return json(*text).dump();
}

result<json_text> check_date(const topic_declaration& topic, const json& value,
                             calendar_day today) {
  const auto day = value.is_string() ? parse_day(trimmed(value.get_ref<const std::string&>()))
                                     : std::nullopt;
  if (!day)
    return expected(topic, "a day as year, month, day, such as \"2027-03-12\"");
  if (topic.min_today && *day < today)
    return expected(topic, "a day from today on, such as \"" + iso(today) + '"');
  return json(iso(*day)).dump();
}

result<json_text> check_choice(const topic_declaration& topic, const json& value) {
  const auto wanted =
    value.is_string() ? lower_ascii(single_spaced(value.get_ref<const std::string&>())) : "";
  const auto means = [&](const std::string& word) { return lower_ascii(word) == wanted; };
  // A value's own name comes before all other words, whatever the order.
  for (const auto& choice : topic.choices)
    if (means(choice.value))
      return json(choice.value).dump();
  std::string names;
  for (const auto& choice : topic.choices) {
    if (std::any_of(choice.words.begin(), choice.words.end(), means))
      return json(choice.value).dump();
    names += (names.empty() ? "\"" : ", \"") + choice.value + '"';
  }
  return expected(topic, "one of " + names);
}

result<json_text> check_yes_no(const topic_declaration& topic, const json& value) {
  if (value.is_boolean())
    return value.dump();
  const auto word = value.is_string() ? lower_ascii(trimmed(value.get<std::string>())) : "";
  if (word == "yes" || word == "true")
    return json_text{"true"};
  if (word == "no" || word == "false")
    return json_text{"false"};
  return expected(topic, "yes or no: true or false");
}

result<json_text> check_integer(const topic_declaration& topic, const json& value) {
  const auto number = whole_number(value);
  if (!number || !within(topic, static_cast<double>(*number)))
    return expected(topic, "a whole number" + bounds_words(topic, "3"));
  return std::to_string(*number);
}

result<json_text> check_money(const topic_declaration& topic, const json& value) {
  const auto amount = money_amount(topic, value);
  if (!amount || !within(topic, *amount))
    return expected(topic, "an amount in " + topic.currency + bounds_words(topic, "1200"));
  return json{{"amount", number_json(*amount)}, {"currency", topic.currency}}.dump();
}

result<json_text> check_object(const topic_declaration& topic, const json& value) {
  if (!value.is_object())
    return expected(topic, "a JSON object, such as {\"kitchen\": 4}");
  const auto schema = json::parse(topic.schema, nullptr, false);
  if (schema.is_discarded())
    return value.dump();
  if (const auto wrong = schema_violation(schema, value))
    return expected(topic, "an object by its schema: " + *wrong);
  return value.dump();
}

result<json_text> check_one(const topic_declaration& topic, const json& value, calendar_day today) {
  switch (topic.type) {
    case topic_type::text:
    case topic_type::person_name:
    case topic_type::address:
    case topic_type::email:
      return check_text(topic, value);
    case topic_type::date:
      return check_date(topic, value, today);
    case topic_type::choice:
      return check_choice(topic, value);
    case topic_type::integer:
      return check_integer(topic, value);
    case topic_type::yes_no:
      return check_yes_no(topic, value);
    case topic_type::money:
      return check_money(topic, value);
    case topic_type::object:
      break;
  }
  return check_object(topic, value);
}

result<json_text> check_list(const topic_declaration& topic, const json& value,
                             calendar_day today) {
  const auto elements = value.is_array() ? value : json::array({value});
  if (elements.size() > list_length_max)
    return expected(topic, "a list of at most " + std::to_string(list_length_max) + " entries");
  json_text out;
  for (const auto& element : elements) {
    const auto checked = check_one(topic, element, today);
    if (!checked)
      return checked;
    out += (out.empty() ? "" : ",") + *checked;
  }
  return '[' + out + ']';
}

} // namespace

result<json_text> check_topic_value(const topic_declaration& topic, const json_text& value,
                                    calendar_day today) {
  if (value.size() > value_bytes_max)
    return expected(topic, "a value of at most 16 KiB");
  const auto document = parse_jsonc(value, json_dialect::strict);
  if (!document.root)
    return expected(topic, "a JSON value; found " + document.faults.at(0).found + ": "
                             + document.faults.at(0).remedy);
  // Sorted keys: two texts of one value become one.
  const auto parsed = json::parse(value);
  return topic.list ? check_list(topic, parsed, today) : check_one(topic, parsed, today);
}

} // namespace sidevoice
