#include "config/ids.hpp"

#include <sodium.h>

#include <array>
#include <iomanip>
#include <sstream>
#include <stdexcept>

namespace sidevoice {

namespace {

/// 62^22 is just above 2^128.
constexpr std::size_t id_digits = 22;
constexpr std::string_view alphabet =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string with_underscore(std::string_view prefix) {
  auto out = std::string{prefix};
  if (!out.empty() && out.back() != '_')
    out += '_';
  return out;
}

/// Long division: digits come lowest first and are written from the back. Always the same length,
/// so that ids sort and align alike.
std::string base62(std::array<std::uint32_t, 4> number) {
  auto out = std::string(id_digits, '0');
  for (auto place = out.rbegin(); place != out.rend(); ++place) {
    std::uint64_t rest = 0;
    for (auto& word : number) {
      const auto value = (rest << 32U) | word;
      word = static_cast<std::uint32_t>(value / alphabet.size());
      rest = value % alphabet.size();
    }
    *place = alphabet[rest];
  }
  return out;
}

/// SplitMix64 by Sebastiano Vigna: every seed gives a well-mixed sequence.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

} // namespace

random_ids::random_ids() {
  if (sodium_init() < 0)
    throw std::runtime_error("libsodium found no random numbers on this system");
}

std::string random_ids::make(std::string_view prefix) {
  std::array<std::uint32_t, 4> number{};
  randombytes_buf(number.data(), sizeof(number));
  return with_underscore(prefix) + base62(number);
}

std::uint64_t random_ids::random() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof(number));
  return number;
}

counted_ids::counted_ids(std::uint64_t seed) : seed_(seed) {}

std::string counted_ids::make(std::string_view prefix) {
  std::ostringstream out;
  out << with_underscore(prefix) << 's' << seed_ << '_' << std::setw(4) << std::setfill('0')
      << ++next_;
  return out.str();
}

std::uint64_t counted_ids::random() {
  return mix(mix(seed_) + ++next_);
}

} // namespace sidevoice
