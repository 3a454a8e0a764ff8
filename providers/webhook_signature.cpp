#include "providers/webhook_signature.hpp"

#include <sodium.h>

#include <array>
#include <string_view>

namespace sidevoice {

namespace {

constexpr std::string_view prefix = "whsec_";

std::string key_of(std::string_view secret) {
  if (secret.starts_with(prefix))
    secret.remove_prefix(prefix.size());
  std::string key(secret.size(), '\0');
  std::size_t length = 0;
  const auto decoded = ::sodium_base642bin(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                                           secret.data(), secret.size(), nullptr, &length, nullptr,
                                           sodium_base64_VARIANT_ORIGINAL);
  if (decoded != 0 || length == 0)
    return std::string{secret};
  key.resize(length);
  return key;
}

} // namespace

std::string sign_webhook(const std::string& secret, const std::string& id, std::int64_t timestamp_s,
                         const std::string& body) {
  const auto key = key_of(secret);
  const auto text = id + '.' + std::to_string(timestamp_s) + '.' + body;
  crypto_auth_hmacsha256_state state;
  ::crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                                key.size());
  ::crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  ::crypto_auth_hmacsha256_final(&state, mac.data());
  std::array<char, sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES,
                                             sodium_base64_VARIANT_ORIGINAL)>
    out{};
  ::sodium_bin2base64(out.data(), out.size(), mac.data(), mac.size(),
                      sodium_base64_VARIANT_ORIGINAL);
  return std::string{"v1,"} + out.data();
}

} // namespace sidevoice
