#include "config/base64.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstddef>

namespace sidevoice {

std::optional<std::vector<unsigned char>> read_base64(std::string_view text, base64_kind kind) {
  // libsodium 1.0.18 reads every byte above 0x7F as '_' or '/'.
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x7F; }))
    return std::nullopt;
  std::vector<unsigned char> bytes(text.size() + 1);
  std::size_t size = 0;
  if (::sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                          nullptr,
                          kind == base64_kind::url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                                                   : sodium_base64_VARIANT_ORIGINAL)
      != 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

} // namespace sidevoice
