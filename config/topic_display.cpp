#include "config/currency.hpp"
#include "config/topic_value.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::array<const char*, 12> months = {"January",   "February", "March",    "April",
                                                "May",       "June",     "July",     "August",
                                                "September", "October",  "November", "December"};

std::string display_date(const std::string& text) {
  calendar_day day;
  const auto fields = std::sscanf(text.c_str(), "%4d-%2u-%2u", &day.year, &day.month, &day.day);
  if (fields != 3 || !is_valid(day))
    return text;
  return std::to_string(day.day) + ' ' + months[day.month - 1] + ' ' + std::to_string(day.year);
}

std::string display_any(const json& value);

/// Members or elements, one after the other.
std::string display_parts(const json& value) {
  std::string out;
  for (const auto& [key, part] : value.items()) {
    out += out.empty() ? "" : ", ";
    out += value.is_object() ? key + ": " : "";
    out += display_any(part);
  }
  return out;
}

std::string display_any(const json& value) {
  if (value.is_string())
    return value.get<std::string>();
  if (value.is_boolean())
    return value.get<bool>() ? "yes" : "no";
  if (value.is_null())
    return "";
  if (value.is_structured())
    return display_parts(value);
  return value.dump();
}

std::string display_one(const topic_declaration& topic, const json& value) {
  if (topic.type == topic_type::date && value.is_string())
    return display_date(value.get<std::string>());
  const auto is_money = topic.type == topic_type::money && value.is_object()
                        && value.contains("amount") && value["amount"].is_number();
  if (!is_money)
    return display_any(value);
  const auto currency = value.value("currency", json(topic.currency));
  const auto code = currency.is_string() ? currency.get<std::string>() : topic.currency;
  return code + ' '
         + format_amount(value["amount"].get<double>(), currency_digits(code).value_or(2));
}

} // namespace

std::string display_topic_value(const topic_declaration& topic, const json_text& value) {
  const auto parsed = json::parse(value, nullptr, false);
  if (parsed.is_discarded())
    return value;
  if (!parsed.is_array())
    return display_one(topic, parsed);
  std::string out;
  for (const auto& element : parsed)
    out += (out.empty() ? "" : ", ") + display_one(topic, element);
  return out;
}

} // namespace sidevoice
