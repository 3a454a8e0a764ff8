#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Sound as clients send it.
namespace sidevoice {

enum class sound_encoding {
  /// 16 bits, little-endian
  pcm16,
  /// G.711, 8 kHz
  pcmu,
  pcma
};

struct sound_format {
  sound_encoding encoding = sound_encoding::pcm16;
  /// 8000, 16000, 24000 or 48000; of G.711 always 8000.
  std::uint32_t rate = 24'000;

  bool operator==(const sound_format&) const = default;
};

/// Base64 text of whole samples. Errors `invalid`: no base64 (characters, padding, half a group),
/// an odd number of bytes, none at all; the detail says which. Never throws.
result<samples> decode_sound(std::string_view base64, sound_encoding encoding);

/// The samples as base64 text.
std::string encode_sound(samples_view data, sound_encoding encoding);

} // namespace sidevoice
