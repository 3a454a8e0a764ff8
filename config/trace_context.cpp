#include "config/trace_context.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sidevoice {

namespace {

constexpr std::size_t trace_digits = 32;
constexpr std::size_t span_digits = 16;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

} // namespace

std::string to_traceparent(const trace_context& where) {
  return "00-" + where.trace + '-' + where.span + (where.sampled ? "-01" : "-00");
}

std::optional<trace_context> read_traceparent(std::string_view text) {
  constexpr std::size_t length = 2 + 1 + trace_digits + 1 + span_digits + 1 + 2;
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  const auto version = text.substr(0, 2);
  const auto flags = text.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_hex(flags) || !is_id(text.substr(3, trace_digits))
      || !is_id(text.substr(36, span_digits)))
    return std::nullopt;
  if (text.size() > length && (version == "00" || text[length] != '-'))
    return std::nullopt;
  unsigned bits = 0;
  std::from_chars(flags.data(), flags.data() + flags.size(), bits, 16);
  return trace_context{std::string{text.substr(3, trace_digits)},
                       std::string{text.substr(36, span_digits)}, (bits & 1U) != 0};
}

std::string named_trace_id(std::string_view name, std::size_t bytes) {
  std::array<unsigned char, 16> id{};
  crypto_generichash(id.data(), id.size(), reinterpret_cast<const unsigned char*>(name.data()),
                     name.size(), nullptr, 0);
  const auto used = std::min(bytes, id.size());
  // All zero is no id.
  if (std::all_of(id.begin(), id.begin() + static_cast<std::ptrdiff_t>(used),
                  [](unsigned char c) { return c == 0; }))
    id.front() = 1;
  std::string hex(used * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), id.data(), used);
  hex.pop_back();
  return hex;
}

bool trace_sampler::takes(std::string_view trace) const {
  if (ratio >= 1.0)
    return true;
  if (ratio <= 0.0 || trace.size() != trace_digits)
    return false;
  std::uint64_t low = 0;
  std::from_chars(trace.data() + span_digits, trace.data() + trace_digits, low, 16);
  constexpr double whole = 18446744073709551616.0;
  return static_cast<double>(low) < ratio * whole;
}

} // namespace sidevoice
