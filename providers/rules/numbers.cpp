#include "providers/rules/words.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace sidevoice::rules {

namespace {

constexpr std::array<std::string_view, 20> small = {"zero",    "one",       "two",      "three",
                                                    "four",    "five",      "six",      "seven",
                                                    "eight",   "nine",      "ten",      "eleven",
                                                    "twelve",  "thirteen",  "fourteen", "fifteen",
                                                    "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 20> small_ordinals = {
  "zeroth",     "first",     "second",    "third",       "fourth",     "fifth",     "sixth",
  "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",   "thirteenth",
  "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};
constexpr std::array<std::string_view, 10> tens = {"",      "",      "twenty",  "thirty", "forty",
                                                   "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::string_view, 10> tens_ordinals = {"",          "",           "twentieth",
                                                            "thirtieth", "fortieth",   "fiftieth",
                                                            "sixtieth",  "seventieth", "eightieth",
                                                            "ninetieth"};

template <std::size_t N>
std::optional<int> index_in(const std::array<std::string_view, N>& names, std::string_view word) {
  const auto it = std::find(names.begin(), names.end(), word);
  if (word.empty() || it == names.end())
    return std::nullopt;
  return static_cast<int>(it - names.begin());
}

/// A word below 100 ("seven", "twenty", "twenty-first").
struct below_hundred {
  int value = 0;
  bool is_ordinal = false;
  bool is_tens = false;
};

std::optional<below_hundred> word_below_hundred(std::string_view word) {
  if (const auto n = index_in(small, word))
    return below_hundred{*n, false, false};
  if (const auto n = index_in(small_ordinals, word))
    return below_hundred{*n, true, false};
  if (const auto n = index_in(tens, word))
    return below_hundred{*n * 10, false, true};
  if (const auto n = index_in(tens_ordinals, word))
    return below_hundred{*n * 10, true, false};
  const auto hyphen = word.find('-');
  if (hyphen == std::string_view::npos)
    return std::nullopt;
  const auto ten = index_in(tens, word.substr(0, hyphen));
  const auto one = word.substr(hyphen + 1);
  if (!ten || one.find('-') != std::string_view::npos)
    return std::nullopt;
  const auto rest = word_below_hundred(one);
  if (!rest || rest->value > 9)
    return std::nullopt;
  return below_hundred{*ten * 10 + rest->value, rest->is_ordinal, false};
}

std::optional<double> magnitude(std::string_view word) {
  if (word == "hundred")
    return 1e2;
  if (word == "thousand" || word == "grand" || word == "k")
    return 1e3;
  if (word == "million")
    return 1e6;
  return std::nullopt;
}

/// Reads a run of number words from `i` on.
std::optional<number> words_at(const utterance& u, std::size_t i) {
  double total = 0;
  double group = 0;
  bool any = false;
  bool open_tens = false;
  number out;
  for (; i < u.size() && !out.is_ordinal; ++i) {
    const auto& word = u.at(i).lower;
    if (const auto small_part = word_below_hundred(word)) {
      const bool fits = !any || open_tens ? true : group == 0 || static_cast<int>(group) % 100 == 0;
      if (!fits || (open_tens && small_part->value > 9))
        break;
      group += small_part->value;
      open_tens = small_part->is_tens;
      out.is_ordinal = small_part->is_ordinal;
    } else if (const auto size = magnitude(word); size && (any || u.at(i - 1).is("a"))) {
      group = std::max(group, 1.0) * *size;
      open_tens = false;
      if (*size > 100) {
        total += group;
        group = 0;
      }
    } else if (!(any && word == "and" && word_below_hundred(u.at(i + 1).lower)
                 && magnitude(u.at(i - 1).lower))) {
      break;
    }
    any = true;
  }
  if (!any)
    return std::nullopt;
  out.value = total + group;
  out.next = i;
  return out;
}

} // namespace

std::optional<double> figure(std::string_view digits) {
  if (digits.empty() || digits.size() > 24 || digits.find_first_of(":-/") != std::string_view::npos)
    return std::nullopt;
  // The last separator is a decimal one unless exactly three digits follow it; every other one has
  // to part groups of three.
  const auto last = digits.find_last_of(".,");
  const bool decimal =
    last != std::string_view::npos
    && (digits.size() - last - 1 != 3
        || digits.substr(0, last).find(digits[last] == '.' ? ',' : '.') != std::string_view::npos);
  std::string plain;
  std::size_t group = 0;
  bool parted = false;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto c = digits[i];
    if (c >= '0' && c <= '9') {
      plain += c;
      ++group;
      continue;
    }
    if ((parted && group != 3) || group > 3)
      return decimal && i == last && !parted ? std::optional{std::strtod(
               (plain + "." + std::string{digits.substr(i + 1)}).c_str(), nullptr)}
                                             : std::nullopt;
    if (decimal && i == last)
      plain += '.';
    else
      parted = true;
    group = 0;
  }
  return std::strtod(plain.c_str(), nullptr);
}

std::optional<number> number_at(const utterance& u, std::size_t i) {
  const auto& t = u.at(i);
  if (!t.is_number()) {
    if (t.is("a") && magnitude(u.at(i + 1).lower) && !u.at(i + 1).is("k"))
      return words_at(u, i + 1);
    if (u.phrase_at(i, "a couple") != 0)
      return number{2, u.at(i + 2).is("of") ? i + 3 : i + 2, false};
    return words_at(u, i);
  }
  const auto value = figure(t.lower);
  if (!value)
    return std::nullopt;
  number out{*value, i + 1, false};
  const auto& after = u.at(i + 1);
  if (after.glued && after.is_any({"st", "nd", "rd", "th"})) {
    out.is_ordinal = true;
    ++out.next;
  } else if (const auto size = magnitude(after.lower)) {
    out.value *= *size;
    ++out.next;
  }
  return out;
}

} // namespace sidevoice::rules
