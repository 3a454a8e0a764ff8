#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sidevoice {

/// Walks over a JSON text: skips blanks and, where allowed, comments; counts lines; cuts out
/// strings and words. Knows nothing of structure.
class jsonc_scanner {
public:
  /// `text` must outlive the scanner. A byte order mark at its start is skipped.
  jsonc_scanner(std::string_view text, bool commented);

  /// The next character that means something, which stays where it is; 0 at the end of the text
  /// or at a comment that is wrong (`fault()` then says how).
  char next();

  /// Moves past the character that `next()` has shown.
  void take();

  /// The string token that starts here, with its quotes; nothing where it does not end (`fault()`).
  std::optional<std::string_view> take_string();

  /// Letters, digits and signs from here on: a number, true, or something wrong.
  [[nodiscard]] std::string_view peek_word() const;
  void take_word(std::string_view word);

  [[nodiscard]] std::size_t line() const {
    return line_;
  }

  [[nodiscard]] bool commented() const {
    return commented_;
  }

  /// What stands here, in words that show at most one character of it.
  [[nodiscard]] std::string found() const;

  /// How to mend what the scanner itself could not read; empty where it could.
  [[nodiscard]] const std::string& fault() const {
    return fault_;
  }

private:
  bool skip_comment();

  std::string_view text_;
  std::size_t pos_ = 0;
  std::size_t line_ = 1;
  bool commented_;
  std::string fault_;
};

} // namespace sidevoice
