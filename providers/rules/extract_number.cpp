#include "providers/rules/extract.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace sidevoice::rules {

namespace {

/// ISO code of a currency sign or word; empty for others.
std::string currency_of(const token& t) {
  if (t.is_any({"€", "euro", "euros", "eur"}))
    return "EUR";
  if (t.is_any({"$", "dollar", "dollars", "usd", "bucks"}))
    return "USD";
  if (t.is_any({"£", "pound", "pounds", "gbp", "quid"}))
    return "GBP";
  if (t.is_any({"chf", "franc", "francs"}))
    return "CHF";
  return {};
}

/// An amount at token `i`, with the sign before or the word behind it.
struct amount_at {
  double value = 0;
  std::string currency;
  std::size_t next = 0;
};

std::optional<amount_at> read_amount(const utterance& u, std::size_t i) {
  amount_at out;
  out.currency = currency_of(u.at(i));
  const auto first = out.currency.empty() ? i : i + 1;
  const auto n = number_at(u, first);
  if (!n || n->is_ordinal || n->value < 0 || n->value > 1e12)
    return std::nullopt;
  out.value = n->value;
  out.next = n->next;
  if (out.currency.empty()) {
    out.currency = currency_of(u.at(out.next));
    out.next += out.currency.empty() ? 0 : 1;
  }
  return out;
}

/// "500-800" is one token: its two ends.
std::optional<std::pair<double, double>> range_in(const token& t) {
  const auto dash = t.is_number() ? t.lower.find('-') : std::string::npos;
  if (dash == std::string::npos)
    return std::nullopt;
  const auto low = figure(std::string_view{t.lower}.substr(0, dash));
  const auto high = figure(std::string_view{t.lower}.substr(dash + 1));
  if (!low || !high || *low > *high)
    return std::nullopt;
  return std::pair{*low, *high};
}

/// An amount or a range of two, of which the upper end counts.
std::optional<amount_at> read_money(const utterance& u, std::size_t i) {
  const auto sign = currency_of(u.at(i));
  const auto first = sign.empty() ? i : i + 1;
  if (const auto range = range_in(u.at(first))) {
    amount_at out{range->second, sign, first + 1};
    if (u.at(out.next).is_any({"k", "thousand"})) {
      out.value *= 1000;
      ++out.next;
    }
    const auto word = currency_of(u.at(out.next));
    out.next += word.empty() ? 0 : 1;
    out.currency = sign.empty() ? word : sign;
    return out;
  }
  auto low = read_amount(u, i);
  if (!low)
    return std::nullopt;
  const auto& between = u.at(low->next);
  if (!between.is_any({"to", "and", "-", "–", "or"}))
    return low;
  auto high = read_amount(u, low->next + 1);
  // "between 1 and 2k" is short for thousands twice, "3 rooms and 2 baths" is no range.
  if (!high || high->value < low->value)
    return low;
  if (high->currency.empty())
    high->currency = low->currency;
  return high;
}

bool is_measured(const token& t) {
  return t.is_any({"%",      "percent", "rooms",   "room",   "boxes", "people",  "persons", "floor",
                   "floors", "days",    "weeks",   "months", "years", "km",      "miles",   "m",
                   "sqm",    "kg",      "o'clock", "am",     "pm",    "bedroom", "bedrooms"});
}

bool beside_label(const utterance& u, const scope& s, std::size_t first, std::size_t next) {
  const auto words = topic_words(*s.topic);
  const auto matches = [&](std::size_t i) {
    return std::any_of(words.begin(), words.end(),
                       [&](const auto& w) { return same_word(w, u.at(i).lower); });
  };
  if (u.at(next).is_word() && matches(next))
    return true;
  // "floor 3", "floor is 3", "floor number 3"
  for (std::size_t back = 1; back <= 3 && back <= first; ++back) {
    const auto& t = u.at(first - back);
    if (matches(first - back))
      return true;
    if (!t.is_any({"is", "number", "no", "=", ":", "the", "on", "to", "of", "be"}))
      return false;
  }
  return false;
}

bool is_about_floors(const topic_declaration& topic) {
  const auto words = topic_words(topic);
  return std::any_of(words.begin(), words.end(),
                     [](const auto& w) { return w == "floor" || w == "storey" || w == "level"; });
}

} // namespace

std::vector<finding> find_money(const utterance& u, const scope& s) {
  std::vector<finding> marked;
  std::vector<finding> bare;
  for (auto i = s.from; i < u.size(); ++i) {
    const auto m = read_money(u, i);
    if (!m)
      continue;
    const auto day = read_date(u, i, s.today);
    const bool date = day && day->is_strong;
    const bool has_currency = !m->currency.empty();
    nlohmann::json value{{"amount", m->value}};
    if (m->value == std::floor(m->value))
      value["amount"] = static_cast<std::int64_t>(m->value);
    const auto& currency = has_currency ? m->currency : s.topic->currency;
    if (!currency.empty())
      value["currency"] = currency;
    if (has_currency)
      marked.push_back(over(u, i, m->next, value.dump(), 0.95));
    else if ((s.asked && !date && !is_measured(u.at(m->next)))
             || (!date && beside_label(u, s, i, u.size())))
      bare.push_back(over(u, i, m->next, value.dump(), 0.85));
    i = (date ? std::max(day->next, m->next) : m->next) - 1;
  }
  marked.insert(marked.end(), bare.begin(), bare.end());
  return marked;
}

std::vector<finding> find_integers(const utterance& u, const scope& s) {
  std::vector<finding> strong;
  std::vector<finding> bare;
  const bool floors = is_about_floors(*s.topic);
  for (auto i = s.from; i < u.size();) {
    if (floors) {
      const auto ground = u.phrase_at(i, {"ground floor", "groundfloor", "ground level"});
      const auto under = u.phrase_at(i, {"basement", "lower ground floor"});
      if (ground + under != 0 || (s.asked && u.at(i).is("ground"))) {
        const auto n = std::max({ground, under, std::size_t{1}});
        strong.push_back(over(u, i, i + n, under > ground ? "-1" : "0", 0.95));
        i += n;
        continue;
      }
    }
    if (s.asked && u.size() <= 4 && u.at(i).is_any({"none", "zero", "nil"})) {
      bare.push_back(over(u, i, i + 1, "0", 0.8));
      break;
    }
    const auto n = number_at(u, i);
    if (!n || n->value != std::floor(n->value) || n->value > 1e15) {
      ++i;
      continue;
    }
    const bool minus = i > 0 && u.at(i - 1).is("-") && u.at(i).glued;
    const auto value = std::to_string(static_cast<std::int64_t>(minus ? -n->value : n->value));
    const auto first = minus ? i - 1 : i;
    const bool other_kind = !currency_of(u.at(n->next)).empty()
                            || (i > 0 && !currency_of(u.at(i - 1)).empty());
    const auto date = read_date(u, i, s.today);
    // "one" is a pronoun more often than a number.
    const bool pronoun = u.at(i).is("one") && u.size() > 3;
    if (beside_label(u, s, i, n->next))
      strong.push_back(
        over(u, first, std::max(n->next, u.at(n->next).is_word() ? n->next + 1 : 0), value, 0.95));
    else if (s.asked && !other_kind && !pronoun
             && (!date || !date->is_strong || date->next == n->next))
      bare.push_back(over(u, first, n->next, value, 0.85));
    i = date && date->is_strong ? std::max(n->next, date->next) : n->next;
  }
  strong.insert(strong.end(), bare.begin(), bare.end());
  return strong;
}

} // namespace sidevoice::rules
