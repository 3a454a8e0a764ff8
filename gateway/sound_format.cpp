#include "gateway/sound_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace sidevoice {

namespace {

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Beyond the 24 bits of a group: one wrong character shows in the group, and in the sum of all.
constexpr std::uint32_t wrong = 0xFF00'0000;

using digit_table = std::array<std::uint32_t, 256>;

/// What a character adds to its group, for one of the group's four places.
constexpr digit_table digits_at(int shift) {
  digit_table table{};
  table.fill(wrong);
  for (std::uint32_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = i << shift;
  return table;
}

constexpr auto first_digits = digits_at(18);
constexpr auto second_digits = digits_at(12);
constexpr auto third_digits = digits_at(6);
constexpr auto fourth_digits = digits_at(0);

constexpr std::uint32_t read_group(const unsigned char* in) {
  return first_digits[in[0]] | second_digits[in[1]] | third_digits[in[2]] | fourth_digits[in[3]];
}

constexpr void write_group(std::uint32_t group, unsigned char* out) {
  out[0] = static_cast<unsigned char>(group >> 16);
  out[1] = static_cast<unsigned char>(group >> 8);
  out[2] = static_cast<unsigned char>(group);
}

error refusal(std::string detail, std::string reason) {
  return {errc::invalid, std::move(detail), {}, std::move(reason)};
}

error no_base64(const std::string& why) {
  return refusal("The sound is no base64: " + why + ".", "not_base64");
}

error wrong_character(std::string_view text) {
  const auto at = text.find_first_not_of(alphabet);
  if (at == std::string_view::npos)
    return no_base64("its last character names bits that are not sent; pad with zeros");
  return no_base64("character " + std::to_string(at)
                   + " is not of its alphabet; send no line breaks, and = at the end only");
}

/// Whole groups of four, with padding at the end.
class base64_text {
public:
  explicit base64_text(std::string_view text) : text_{text} {
    if (text.ends_with("=="))
      padding_ = 2;
    else if (text.ends_with('='))
      padding_ = 1;
  }

  [[nodiscard]] std::size_t bytes() const {
    return text_.size() / 4 * 3 - padding_;
  }

  /// Into `bytes()` bytes; false: some character is wrong.
  bool read(unsigned char* out) const {
    const auto* in = reinterpret_cast<const unsigned char*>(text_.data());
    const auto groups = text_.size() / 4 - (padding_ > 0 ? 1 : 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < groups; ++i, in += 4, out += 3) {
      const auto group = read_group(in);
      sum |= group;
      write_group(group, out);
    }
    return (sum & wrong) == 0 && (padding_ == 0 || read_last(in, out));
  }

  /// The text without its padding.
  [[nodiscard]] std::string_view digits() const {
    return text_.substr(0, text_.size() - padding_);
  }

private:
  bool read_last(const unsigned char* in, unsigned char* out) const {
    const std::array<unsigned char, 4> padded{in[0], in[1], padding_ == 2 ? zero : in[2], zero};
    const auto group = read_group(padded.data());
    // Bits behind the end make two texts of the same bytes: nobody who encodes properly sends them.
    const std::uint32_t unused = padding_ == 2 ? 0xFFFF : 0xFF;
    if ((group & (wrong | unused)) != 0)
      return false;
    std::array<unsigned char, 3> bytes{};
    write_group(group, bytes.data());
    std::copy_n(bytes.begin(), 3 - padding_, out);
    return true;
  }

  static constexpr unsigned char zero = 'A';
  std::string_view text_;
  std::size_t padding_ = 0;
};

std::string write_base64(const unsigned char* in, std::size_t size) {
  std::string text((size + 2) / 3 * 4, '=');
  auto* out = text.data();
  for (; size >= 3; size -= 3, in += 3, out += 4) {
    const auto group = std::uint32_t{in[0]} << 16 | std::uint32_t{in[1]} << 8 | in[2];
    out[0] = alphabet[group >> 18];
    out[1] = alphabet[group >> 12 & 63];
    out[2] = alphabet[group >> 6 & 63];
    out[3] = alphabet[group & 63];
  }
  if (size > 0) {
    const auto group = std::uint32_t{in[0]} << 16 | (size == 2 ? std::uint32_t{in[1]} << 8 : 0);
    out[0] = alphabet[group >> 18];
    out[1] = alphabet[group >> 12 & 63];
    if (size == 2)
      out[2] = alphabet[group >> 6 & 63];
  }
  return text;
}

// -- G.711: a sign, three bits of exponent, four of mantissa; mu-law inverts all bits, A-law every
// second one. A value stands for the middle of its step.

constexpr std::int16_t from_pcmu(std::uint8_t code) {
  const int bits = ~code & 0xFF;
  const int size = (((bits & 15) * 8 + 132) << (bits >> 4 & 7)) - 132;
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? -size : size);
}

constexpr std::int16_t from_pcma(std::uint8_t code) {
  const int bits = code ^ 0x55;
  const int exponent = bits >> 4 & 7;
  const int step = (bits & 15) * 16;
  const int size = exponent == 0 ? step + 8 : (step + 264) << (exponent - 1);
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? size : -size);
}

/// The distance from zero of its own sign, so that -32768 needs no exception.
constexpr unsigned size_of(std::int16_t sample) {
  return static_cast<unsigned>(sample < 0 ? ~sample : sample);
}

constexpr std::uint8_t to_pcmu(std::int16_t sample) {
  const unsigned size = std::min((size_of(sample) >> 2) + 33, 0x1FFFU);
  const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 6;
  const unsigned bits = exponent << 4 | (size >> (exponent + 1) & 15);
  return static_cast<std::uint8_t>(~(bits | (sample < 0 ? 0x80U : 0U)));
}

constexpr std::uint8_t to_pcma(std::int16_t sample) {
  const unsigned size = size_of(sample) >> 4;
  unsigned bits = size;
  if (size > 15) {
    const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 4;
    bits = exponent << 4 | (size >> (exponent - 1) & 15);
  }
  return static_cast<std::uint8_t>((bits | (sample < 0 ? 0U : 0x80U)) ^ 0x55U);
}

using code_table = std::array<std::int16_t, 256>;

constexpr code_table table_of(std::int16_t (*value)(std::uint8_t)) {
  code_table table{};
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = value(static_cast<std::uint8_t>(i));
  return table;
}

constexpr code_table pcmu_values = table_of(from_pcmu);
constexpr code_table pcma_values = table_of(from_pcma);

/// Between little-endian and the machine's order.
void order_bytes(samples& data) {
  if constexpr (std::endian::native == std::endian::big)
    for (auto& one : data) {
      const auto bits = static_cast<std::uint16_t>(one);
      one = static_cast<std::int16_t>(bits << 8 | bits >> 8);
    }
}

samples from_codes(const std::string& codes, const code_table& values) {
  samples data(codes.size());
  std::transform(codes.begin(), codes.end(), data.begin(),
                 [&](char code) { return values[static_cast<unsigned char>(code)]; });
  return data;
}

std::string to_codes(samples_view data, std::uint8_t (*code)(std::int16_t)) {
  std::string codes(data.size(), '\0');
  std::transform(data.begin(), data.end(), codes.begin(),
                 [&](std::int16_t one) { return static_cast<char>(code(one)); });
  return codes;
}

} // namespace

result<samples> decode_sound(std::string_view base64, sound_encoding encoding) {
  if (base64.empty())
    return refusal("The sound is empty: send at least one sample.", "no_sound");
  if (base64.size() % 4 != 0)
    return no_base64("its length is no multiple of four characters; send whole groups, padded "
                     "with =");
  const base64_text text{base64};
  if (encoding == sound_encoding::pcm16) {
    samples data((text.bytes() + 1) / 2);
    if (!text.read(reinterpret_cast<unsigned char*>(data.data())))
      return wrong_character(text.digits());
    if (text.bytes() % 2 != 0)
      return refusal("The sound ends in half a sample: samples are two bytes, send all of them.",
                     "half_sample");
    order_bytes(data);
    return data;
  }
  std::string codes(text.bytes(), '\0');
  if (!text.read(reinterpret_cast<unsigned char*>(codes.data())))
    return wrong_character(text.digits());
  return from_codes(codes, encoding == sound_encoding::pcmu ? pcmu_values : pcma_values);
}

std::string encode_sound(samples_view data, sound_encoding encoding) {
  if (encoding != sound_encoding::pcm16) {
    const auto codes = to_codes(data, encoding == sound_encoding::pcmu ? to_pcmu : to_pcma);
    return write_base64(reinterpret_cast<const unsigned char*>(codes.data()), codes.size());
  }
  if constexpr (std::endian::native == std::endian::big) {
    samples ordered{data.begin(), data.end()};
    order_bytes(ordered);
    return write_base64(reinterpret_cast<const unsigned char*>(ordered.data()),
                        ordered.size() * sizeof(std::int16_t));
  }
  return write_base64(reinterpret_cast<const unsigned char*>(data.data()), data.size_bytes());
}

} // namespace sidevoice
