#pragma once

#include <algorithm>
#include <string_view>

namespace sidevoice {

/// True for what looks like an identifier: 1 to 96 letters, digits and "_-.:/+" without a blank.
/// Ids that clients and models choose may be anything; only such ones go into traces and bundles.
inline bool has_id_shape(std::string_view text) {
  constexpr std::size_t length_max = 96;
  constexpr std::string_view signs = "_-.:/+";
  return !text.empty() && text.size() <= length_max
         && std::all_of(text.begin(), text.end(), [signs](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || signs.find(c) != std::string_view::npos;
            });
}

} // namespace sidevoice
