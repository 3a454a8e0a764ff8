#include "actors/clauses.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace sidevoice {

namespace {

/// A comma ends a clause only behind this many characters: shorter clauses sound chopped.
constexpr std::size_t comma_from_characters = 60;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

/// The last word without its end mark and without what opens it, in lower case.
std::string last_word(std::string_view clause) {
  clause.remove_suffix(1);
  auto begin = clause.size();
  while (begin > 0 && !is_space(clause[begin - 1]))
    --begin;
  clause.remove_prefix(begin);
  while (!clause.empty() && std::string_view{"([{\"'*"}.find(clause.front()) != clause.npos)
    clause.remove_prefix(1);
  std::string word{clause};
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return word;
}

template <std::size_t Size>
bool is_one_of(const std::string& word, const std::array<std::string_view, Size>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// True when the full stop that ends `clause` belongs to an abbreviation or a number, with `next`
/// as the first character behind the white space.
bool is_abbreviation(std::string_view clause, char next) {
  static constexpr std::array<std::string_view, 27> always{
    "mr",  "mrs", "ms",   "dr",  "prof", "st",  "mt",     "sr",  "jr",
    "vs",  "e.g", "i.e",  "cf",  "ca",   "hr",  "fr",     "z.b", "d.h",
    "u.a", "bzw", "inkl", "rev", "gen",  "hon", "approx", "al",  "evtl"};
  static constexpr std::array<std::string_view, 14> before_digits{"no",  "nos", "nr",  "vol", "fig",
                                                                  "p",   "pp",  "art", "ch",  "sec",
                                                                  "tel", "abs", "apt", "str"};
  static constexpr std::array<std::string_view, 11> within_sentences{"etc", "a.m",  "p.m", "usw",
                                                                     "inc", "ltd",  "co",  "corp",
                                                                     "u.s", "dept", "est"};
  const auto word = last_word(clause);
  if (is_one_of(word, always))
    return true;
  if (is_one_of(word, before_digits))
    return is_digit(next);
  if (is_one_of(word, within_sentences))
    return is_digit(next) || is_lower(next);
  // "J. Smith", but "So do I."
  if (word.size() == 1 && word[0] >= 'a' && word[0] <= 'z')
    return word[0] != 'i';
  // "1. First", the number of an entry of a list, says nothing alone.
  return word.size() + 1 == clause.size() && word.size() <= 2
         && std::all_of(word.begin(), word.end(), is_digit);
}

/// True when `text` (a clause so far and the white space behind it) ends before `next`.
bool is_end(std::string_view text, char next) {
  const auto clause = without_trailing_space(text);
  if (clause.empty())
    return false;
  if (text.find('\n', clause.size()) != text.npos)
    return true;
  switch (clause.back()) {
    case '!':
    case '?':
    case ':':
    case ';':
      return true;
    case '.':
      return !is_abbreviation(clause, next);
    case ',':
      return count_characters(clause) > comma_from_characters;
    default:
      return false;
  }
}

} // namespace

std::vector<clause_cutter::piece> clause_cutter::add(std::string_view delta) {
  std::vector<piece> pieces;
  for (const char c : delta) {
    // The first character behind white space decides: only it tells "No. 5" from "No. Later."
    // Only there a clause can end, so a code point is never cut.
    if (in_space_ && !is_space(c) && is_end(current_, c)) {
      ++clause_;
      current_.clear();
    }
    in_space_ = is_space(c);
    current_ += c;
    if (pieces.empty() || pieces.back().clause != clause_)
      pieces.push_back({.clause = clause_, .text = {}});
    pieces.back().text += c;
  }
  return pieces;
}

} // namespace sidevoice
