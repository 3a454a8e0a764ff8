#include "gateway/sound_format.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace sidevoice;

namespace {

constexpr std::array encodings{sound_encoding::pcm16, sound_encoding::pcmu, sound_encoding::pcma};

std::string reason_of(std::string_view text, sound_encoding encoding = sound_encoding::pcm16) {
  const auto sound = decode_sound(text, encoding);
  return sound.has_value() ? "" : sound.error().reason;
}

/// The one sample of a G.711 code.
int value_of(std::uint8_t code, sound_encoding encoding) {
  static constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string text{digits[code >> 2], digits[(code & 3) << 4], '=', '='};
  const auto sound = decode_sound(text, encoding);
  REQUIRE(sound.has_value());
  REQUIRE(sound->size() == 1);
  return sound->front();
}

} // namespace

TEST_CASE("samples are little-endian bytes in base64") {
  CHECK(*decode_sound("AAABAP//AIA=", sound_encoding::pcm16) == samples{0, 1, -1, -32768});
  CHECK(encode_sound(samples{0, 1, -1, -32768}, sound_encoding::pcm16) == "AAABAP//AIA=");
  CHECK(*decode_sound("/38=", sound_encoding::pcm16) == samples{32767});
  CHECK(encode_sound({}, sound_encoding::pcm16).empty());
}

TEST_CASE("what is encoded is decoded again, whatever its length") {
  samples data;
  std::uint32_t noise = 1;
  for (int count = 1; count < 50; ++count) {
    noise = noise * 1664525 + 1013904223;
    data.push_back(static_cast<std::int16_t>(noise >> 16));
    CHECK(*decode_sound(encode_sound(data, sound_encoding::pcm16), sound_encoding::pcm16) == data);
    for (const auto encoding : encodings) {
      // Of a value that a code stands for, nothing is lost.
      const auto once = *decode_sound(encode_sound(data, encoding), encoding);
      CHECK(*decode_sound(encode_sound(once, encoding), encoding) == once);
    }
  }
}

TEST_CASE("what is no base64 is refused, whatever the encoding") {
  for (const auto encoding : encodings) {
    for (const auto* text : {"A",       "AA",      "AAA",     "AAAAA", "AAAA\n",   "=",
                             "==",      "====",    "A===",    "AA=A",  "AAAA====", "AA==AAAA",
                             "A=AA",    "AAA ",    " AAA",    "AA\nA", "AAA-",     "AA_A",
                             "AAA\xC3", "AAA\xFF", "AAAA%%%%"})
      CHECK_MESSAGE(reason_of(text, encoding) == "not_base64", text);
    CHECK(reason_of(std::string_view{"AA\0A", 4}, encoding) == "not_base64");
  }
}

TEST_CASE("every character but the sixty-four is refused at every place") {
  for (int code = 0; code < 256; ++code) {
    const auto one = static_cast<char>(code);
    const bool is_digit = std::isalnum(code) != 0 && code < 128;
    if (is_digit || one == '+' || one == '/')
      continue;
    for (std::size_t at = 0; at < 8; ++at) {
      std::string text = "AAAAAAAA";
      text[at] = one;
      if (one == '=' && at == 7)
        CHECK(reason_of(text) == "half_sample");
      else
        CHECK(reason_of(text) == "not_base64");
    }
  }
}

TEST_CASE("a refusal says where and how to mend it") {
  const auto broken = decode_sound("AAAA\r\nAA", sound_encoding::pcm16);
  REQUIRE(broken.has_error());
  CHECK(broken.error().code == errc::invalid);
  CHECK(broken.error().detail.find("character 4") != std::string::npos);
  const auto bits = decode_sound("AAB=", sound_encoding::pcm16);
  REQUIRE(bits.has_error());
  CHECK(bits.error().reason == "not_base64");
  CHECK(bits.error().detail.find("bits") != std::string::npos);
}

TEST_CASE("nothing, and half a sample, are no sound") {
  CHECK(reason_of("") == "no_sound");
  CHECK(reason_of("AAAA") == "half_sample");
  CHECK(reason_of("AA==") == "half_sample");
  CHECK(reason_of("AAA=").empty());
  // Of G.711 every byte is a sample.
  CHECK(decode_sound("AAAA", sound_encoding::pcmu)->size() == 3);
}

TEST_CASE("G.711 codes have the values of the recommendation") {
  CHECK(value_of(0x00, sound_encoding::pcmu) == -32124);
  CHECK(value_of(0x80, sound_encoding::pcmu) == 32124);
  CHECK(value_of(0x7F, sound_encoding::pcmu) == 0);
  CHECK(value_of(0xFF, sound_encoding::pcmu) == 0);
  CHECK(value_of(0xFE, sound_encoding::pcmu) == 8);
  CHECK(value_of(0xEF, sound_encoding::pcmu) == 132);
  CHECK(value_of(0xD5, sound_encoding::pcma) == 8);
  CHECK(value_of(0x55, sound_encoding::pcma) == -8);
  CHECK(value_of(0xAA, sound_encoding::pcma) == 32256);
  CHECK(value_of(0x2A, sound_encoding::pcma) == -32256);
  CHECK(value_of(0xC5, sound_encoding::pcma) == 264);
}

TEST_CASE("G.711 is wrong by half a step at most, and a step grows with the sample") {
  for (const auto encoding : {sound_encoding::pcmu, sound_encoding::pcma}) {
    samples all;
    for (int one = -32768; one <= 32767; ++one)
      all.push_back(static_cast<std::int16_t>(one));
    const auto back = *decode_sound(encode_sound(all, encoding), encoding);
    REQUIRE(back.size() == all.size());
    int wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const int half_step = encoding == sound_encoding::pcmu ? (std::abs(all[i]) + 132) / 32 + 1
                                                             : std::max(8, std::abs(all[i]) / 32);
      wrong += std::abs(back[i] - all[i]) <= half_step ? 0 : 1;
      // Louder stays louder.
      wrong += i > 0 && back[i] < back[i - 1] ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
}
