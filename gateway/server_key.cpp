#include "gateway/server_key.hpp"

#include <sodium.h>

#include <stdexcept>
#include <vector>

namespace sidevoice {

static_assert(std::tuple_size_v<key_digest> == crypto_hash_sha256_BYTES);

std::string make_server_key() {
  if (::sodium_init() < 0)
    throw std::runtime_error("libsodium cannot start: the system gives no random numbers");
  std::array<unsigned char, 32> bits{};
  ::randombytes_buf(bits.data(), bits.size());
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::array<char, sodium_base64_ENCODED_LEN(32, variant)> text{};
  ::sodium_bin2base64(text.data(), text.size(), bits.data(), bits.size(), variant);
  std::string key = std::string{"sv_"} + text.data();
  ::sodium_memzero(bits.data(), bits.size());
  ::sodium_memzero(text.data(), text.size());
  return key;
}

key_digest digest_of_key(std::string_view key) {
  key_digest digest{};
  ::crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(key.data()),
                       key.size());
  return digest;
}

std::string hex_of(const key_digest& digest) {
  std::array<char, 2 * 32 + 1> text{};
  ::sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  return text.data();
}

bool read_hex(std::string_view text, key_digest& digest) {
  std::size_t size = 0;
  return text.size() == 2 * digest.size()
         && ::sodium_hex2bin(digest.data(), digest.size(), text.data(), text.size(), nullptr, &size,
                             nullptr)
              == 0
         && size == digest.size();
}

} // namespace sidevoice
