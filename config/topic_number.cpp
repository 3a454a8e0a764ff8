#include "config/topic_number.hpp"

#include "config/currency.hpp"
#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr double exact_max = 9'007'199'254'740'992.0;
constexpr double amount_max = 1e12;

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number,
                                             std::chars_format::fixed);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::optional<double> number_of(const json& value) {
  if (value.is_number())
    return value.get<double>();
  if (value.is_string())
    return number_in(trimmed(value.get_ref<const std::string&>()));
  return std::nullopt;
}

/// Drops the commas of "1,200,000.50"; nothing where they do not part thousands, since "1,5" is
/// one and a half to some.
std::optional<std::string> without_commas(const std::string& text) {
  const auto point = std::min(text.find('.'), text.size());
  auto group_end = point;
  auto out = text.substr(point);
  for (;;) {
    const auto comma = group_end == 0 ? std::string::npos : text.rfind(',', group_end - 1);
    if (comma == std::string::npos)
      return text.substr(0, group_end) + out;
    if (group_end - comma != 4 || comma == 0)
      return std::nullopt;
    out = text.substr(comma + 1, 3) + out;
    group_end = comma;
  }
}

/// "EUR 1,200" and "1200 eur" without the code.
std::optional<double> amount_in(std::string_view text, const std::string& currency) {
  auto rest = trimmed(text);
  const auto is_code = [&](std::string_view part) {
    return lower_ascii(part) == lower_ascii(currency);
  };
  if (rest.size() > 3 && is_code(std::string_view{rest}.substr(0, 3)))
    rest = trimmed(rest.substr(3));
  else if (rest.size() > 3 && is_code(std::string_view{rest}.substr(rest.size() - 3)))
    rest = trimmed(rest.substr(0, rest.size() - 3));
  const auto plain = without_commas(rest);
  return plain ? number_in(*plain) : std::nullopt;
}

bool has_places(double amount, int digits) {
  const auto scaled = amount * std::pow(10.0, digits);
  return std::fabs(scaled - std::round(scaled)) < 1e-3;
}

} // namespace

std::optional<std::int64_t> whole_number(const json& value) {
  const auto number = number_of(value);
  if (!number || std::trunc(*number) != *number || std::fabs(*number) > exact_max)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> money_amount(const topic_declaration& topic, const json& value) {
  std::optional<double> amount;
  if (value.is_object()) {
    const auto currency = value.value("currency", json(topic.currency));
    const auto others = value.size() - value.count("amount") - value.count("currency");
    if (currency == json(topic.currency) && others == 0)
      amount = number_of(value.value("amount", json()));
  } else if (value.is_string()) {
    amount = amount_in(value.get_ref<const std::string&>(), topic.currency);
  } else {
    amount = number_of(value);
  }
  const auto digits = currency_digits(topic.currency).value_or(2);
  const auto floor = topic.min ? -amount_max : 0.0;
  if (!amount || *amount < floor || *amount > amount_max || !has_places(*amount, digits))
    return std::nullopt;
  const auto unit = std::pow(10.0, digits);
  return std::round(*amount * unit) / unit;
}

json number_json(double number) {
  if (std::trunc(number) == number && std::fabs(number) <= exact_max)
    return static_cast<std::int64_t>(number);
  return number;
}

bool within(const topic_declaration& topic, double number) {
  return (!topic.min || number >= *topic.min) && (!topic.max || number <= *topic.max);
}

std::string bounds_words(const topic_declaration& topic, const std::string& example) {
  auto inside = std::stod(example);
  if (topic.min)
    inside = std::max(inside, std::ceil(*topic.min));
  if (topic.max)
    inside = std::min(inside, std::floor(*topic.max));
  std::string out;
  if (topic.min && topic.max)
    out = " between " + number_json(*topic.min).dump() + " and " + number_json(*topic.max).dump();
  else if (topic.min)
    out = " of at least " + number_json(*topic.min).dump();
  else if (topic.max)
    out = " of at most " + number_json(*topic.max).dump();
  return out + ", such as " + number_json(inside).dump();
}

} // namespace sidevoice
