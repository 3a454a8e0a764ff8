#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sidevoice {

enum class base64_kind {
  /// RFC 4648 §4, padded.
  standard,
  /// RFC 4648 §5 without padding.
  url,
};

/// The bytes of a text in the one spelling that they have; nothing where it is not that: letters
/// outside the alphabet, wrong padding, bits that are not sent.
std::optional<std::vector<unsigned char>> read_base64(std::string_view text, base64_kind kind);

} // namespace sidevoice
