#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// Text that an English voice can say: printable ASCII, single spaces.
struct speakable_text {
  std::string text;
  /// For each byte of `text`: where what it stands for ends in the text it was made from.
  std::vector<std::size_t> source_end;

  /// Whether there is a letter or a digit in it.
  [[nodiscard]] bool has_words() const;
};

/// Accents go, typographic marks and the commonest signs get their plain or spoken form, control
/// characters, invalid bytes, emoji and letters of other scripts become spaces.
speakable_text make_speakable(std::string_view text);

} // namespace sidevoice
