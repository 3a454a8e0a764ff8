#include "providers/speech/heard_text.hpp"

#include <utf8.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace sidevoice {

namespace {

bool is_note(char32_t c) {
  return c >= 0x2669 && c <= 0x266f;
}

char32_t closing_of(char32_t c) {
  switch (c) {
    case U'[':
      return U']';
    case U'(':
      return U')';
    case U'*':
      return U'*';
    default:
      return 0;
  }
}

/// A description that is never closed goes on to the end: recognisers break off in the middle.
std::u32string without_descriptions(const std::u32string& all) {
  std::u32string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto closing = closing_of(all[i]);
    if (closing == 0) {
      out += is_note(all[i]) || all[i] < 0x20 || all[i] == 0x7f ? U' ' : all[i];
      continue;
    }
    out += U' ';
    i = std::min(all.find(closing, i + 1), all.size());
  }
  return out;
}

std::string single_spaces(std::string_view text) {
  std::string out;
  for (const auto c : text) {
    if (c != ' ')
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

} // namespace

std::string heard_text(std::string_view written) {
  std::string valid;
  utf8::replace_invalid(written.begin(), written.end(), std::back_inserter(valid), U' ');
  const auto text = single_spaces(utf8::utf32to8(without_descriptions(utf8::utf8to32(valid))));
  const auto is_word = [](unsigned char c) { return c >= 0x80 || std::isalnum(c) != 0; };
  return std::any_of(text.begin(), text.end(), is_word) ? text : std::string{};
}

} // namespace sidevoice
