#include "providers/speech/speakable_text.hpp"

#include <utf8.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sidevoice {

namespace {

/// Latin letters from U+00C0 on, without their accents.
constexpr std::array<const char*, 64> latin1{
  "A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I",
  "D", "N", "O", "O", "O", "O", "O",  " ", "O", "U", "U", "U", "U", "Y", "Th", "ss",
  "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
  "d", "n", "o", "o", "o", "o", "o",  " ", "o", "u", "u", "u", "u", "y", "th", "y"};

/// Those from U+0100 to U+017F, a letter each.
constexpr std::string_view latin_extended = "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJj"
                                            "KkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSs"
                                            "TtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static_assert(latin_extended.size() == 128);

constexpr std::array<std::pair<char32_t, const char*>, 26> signs{{
  {0x2018, "'"},
  {0x2019, "'"},
  {0x201a, "'"},
  {0x201c, "\""},
  {0x201d, "\""},
  {0x201e, "\""},
  {0x2010, "-"},
  {0x2011, "-"},
  {0x2012, "-"},
  {0x2013, ", "},
  {0x2014, ", "},
  {0x2015, ", "},
  {0x2026, "..."},
  {0x20ac, " euros "},
  {0x00a3, " pounds "},
  {0x00b0, " degrees "},
  {0x00b2, " squared "},
  {0x00b3, " cubed "},
  {0x00bd, " one half "},
  {0x00bc, " one quarter "},
  {0x00be, " three quarters "},
  {0x00d7, " times "},
  {0x00f7, " divided by "},
  {0x2212, " minus "},
  {0x00a9, " copyright "},
  {0x00a7, " section "},
}};

std::string_view spoken(char32_t c) {
  static constexpr std::string_view ascii =
    " !\"#$%&'()*+,-./"
    "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
  if (c >= 0x20 && c < 0x7f)
    return ascii.substr(c - 0x20, 1);
  for (const auto& [sign, text] : signs)
    if (sign == c)
      return text;
  if (c >= 0xc0 && c < 0x100)
    return latin1[c - 0xc0];
  if (c >= 0x100 && c < 0x180)
    return latin_extended.substr(c - 0x100, 1);
  // Combining accents belong to the letter before them.
  return c >= 0x300 && c < 0x370 ? "" : " ";
}

} // namespace

bool speakable_text::has_words() const {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

speakable_text make_speakable(std::string_view text) {
  speakable_text out;
  auto at = text.begin();
  while (at != text.end()) {
    char32_t c = U' ';
    const auto before = at;
    try {
      c = utf8::next(at, text.end());
    } catch (const utf8::exception&) {
      at = before + 1;
    }
    const auto end = static_cast<std::size_t>(at - text.begin());
    for (const auto byte : spoken(c)) {
      if (byte == ' ' && (out.text.empty() || out.text.back() == ' '))
        continue;
      out.text += byte;
      out.source_end.push_back(end);
    }
    if (!out.source_end.empty())
      out.source_end.back() = end;
  }
  return out;
}

} // namespace sidevoice
