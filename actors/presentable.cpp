#include "actors/presentable.hpp"

#include <utf8.h>

#include <algorithm>
#include <iterator>

namespace sidevoice {

std::string presentable(std::string text, std::size_t bytes_max) {
  const auto is_long = text.size() > bytes_max;
  text.resize(std::min(text.size(), bytes_max));
  // A character that was cut in the middle goes, others that are none become U+FFFD.
  auto end = text.end();
  if (is_long) {
    const auto bad = utf8::find_invalid(text.begin(), text.end());
    if (text.end() - bad < 4)
      end = bad;
  }
  std::string out;
  utf8::replace_invalid(text.begin(), end, std::back_inserter(out), 0xFFFD);
  std::erase(out, '\0');
  if (is_long)
    out += "\n[the output is longer than " + std::to_string(bytes_max) + " bytes and was cut]";
  return out;
}

} // namespace sidevoice
