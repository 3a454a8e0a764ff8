#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

/// What the targets share.
namespace sidevoice::fuzzing {

/// A property that no input may break.
inline void must(bool is_so, const char* what) {
  if (is_so)
    return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {size == 0 ? "" : reinterpret_cast<const char*>(bytes), size};
}

/// Splits at a character, at most `parts_max` times; the last part keeps the rest.
inline std::vector<std::string_view> split(std::string_view text, char at, std::size_t parts_max) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < parts_max) {
    const auto end = text.find(at);
    if (end == std::string_view::npos)
      break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

} // namespace sidevoice::fuzzing
