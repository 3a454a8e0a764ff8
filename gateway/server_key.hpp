#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sidevoice {

/// A fresh server key "sv_...": 256 random bits. Shown once; only its hash is kept.
std::string make_server_key();

/// SHA-256 of a key, and as the store keeps it: 64 lower-case hexadecimal digits.
using key_digest = std::array<unsigned char, 32>;
key_digest digest_of_key(std::string_view key);
std::string hex_of(const key_digest& digest);

/// Unset bytes for a text that is no digest.
bool read_hex(std::string_view text, key_digest& digest);

} // namespace sidevoice
