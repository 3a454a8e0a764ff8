#include "config/topic_text.hpp"

#include <utf8.h>

#include <algorithm>
#include <iterator>

namespace sidevoice {

namespace {

constexpr std::string_view no_break_space = "\xC2\xA0";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Every character beyond ASCII passes for a letter: names and towns come in all scripts.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// RFC 5321's dot-string: atoms between single dots.
bool is_local_part(std::string_view local) {
  const auto atom = [](char c) {
    return is_letter(c) || is_digit(c)
           || std::string_view{"!#$%&'*+-/=?^_`{|}~."}.find(c) != std::string_view::npos;
  };
  return !local.empty() && local.size() <= 64 && std::all_of(local.begin(), local.end(), atom)
         && local.front() != '.' && local.back() != '.'
         && local.find("..") == std::string_view::npos;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-'
         && std::all_of(label.begin(), label.end(),
                        [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

/// At least two labels; the last one has two letters or more and is not a number.
bool is_domain(std::string_view domain) {
  auto rest = domain;
  auto dot = rest.find('.');
  if (dot == std::string_view::npos)
    return false;
  for (; dot != std::string_view::npos; dot = rest.find('.')) {
    if (!is_label(rest.substr(0, dot)))
      return false;
    rest.remove_prefix(dot + 1);
  }
  return is_label(rest) && rest.size() >= 2 && !std::all_of(rest.begin(), rest.end(), is_digit);
}

} // namespace

std::string trimmed(std::string_view text) {
  for (;;) {
    const auto before = text.size();
    while (!text.empty() && is_blank(text.front()))
      text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
      text.remove_suffix(1);
    if (text.starts_with(no_break_space))
      text.remove_prefix(no_break_space.size());
    if (text.ends_with(no_break_space))
      text.remove_suffix(no_break_space.size());
    if (text.size() == before)
      return std::string{text};
  }
}

std::string single_spaced(std::string_view text) {
  const auto whole = trimmed(text);
  std::string out;
  std::unique_copy(whole.begin(), whole.end(), std::back_inserter(out),
                   [](char a, char b) { return is_blank(a) && is_blank(b); });
  std::replace_if(out.begin(), out.end(), is_blank, ' ');
  return out;
}

std::string lower_ascii(std::string_view text) {
  auto out = std::string{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(utf8::unchecked::distance(text.begin(), text.end()));
}

std::optional<std::string> canonical_text(std::string_view text) {
  auto out = trimmed(text);
  const auto bad = [](char c) { return is_control(c) && c != '\n' && c != '\r' && c != '\t'; };
  if (out.empty() || length_of(out) > 2000 || std::any_of(out.begin(), out.end(), bad))
    return std::nullopt;
  return out;
}

std::optional<std::string> canonical_person_name(std::string_view text) {
  auto out = single_spaced(text);
  const auto bad = [](char c) { return is_control(c) || is_digit(c) || c == '@'; };
  if (length_of(out) > 200 || std::any_of(out.begin(), out.end(), bad)
      || std::none_of(out.begin(), out.end(), is_letter))
    return std::nullopt;
  return out;
}

std::optional<std::string> canonical_address(std::string_view text) {
  auto out = single_spaced(text);
  const auto meaning = [](char c) { return is_letter(c) || is_digit(c); };
  const auto length = length_of(out);
  if (length < 2 || length > 500 || std::any_of(out.begin(), out.end(), is_control)
      || std::none_of(out.begin(), out.end(), meaning))
    return std::nullopt;
  return out;
}

std::optional<std::string> canonical_email(std::string_view text) {
  const auto whole = trimmed(text);
  const auto at = whole.find('@');
  if (at == std::string::npos || whole.size() > 254)
    return std::nullopt;
  const auto local = whole.substr(0, at);
  const auto domain = lower_ascii(std::string_view{whole}.substr(at + 1));
  if (!is_local_part(local) || !is_domain(domain))
    return std::nullopt;
  return local + '@' + domain;
}

} // namespace sidevoice
