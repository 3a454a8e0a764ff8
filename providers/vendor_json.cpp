#include "providers/vendor_json.hpp"

#include <nlohmann/json.hpp>
#include <utf8.h>

#include <iterator>

namespace sidevoice {

using nlohmann::json;

namespace {

/// Dumping is recursive in the library: what nests without end would take the stack with it.
constexpr int depth_max = 64;

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_text = false;
      continue;
    }
    if (c == '"')
      in_text = true;
    else if (c == '[' || c == '{') {
      if (++depth > depth_max)
        return true;
    } else if (c == ']' || c == '}')
      --depth;
  }
  return false;
}

/// The code unit of "\uXXXX" at `at`; nothing where there is none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u')
    return std::nullopt;
  unsigned unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    unit <<= 4;
    if (c >= '0' && c <= '9')
      unit += static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      unit += static_cast<unsigned>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      unit += static_cast<unsigned>(c - 'A' + 10);
    else
      return std::nullopt;
  }
  return unit;
}

/// A server that cuts its text between two tokens can leave half a pair: the library refuses it,
/// and one odd character is no reason to lose an answer.
std::string with_whole_pairs(std::string_view text) {
  const auto is_high = [](std::optional<unsigned> u) { return u && *u >= 0xD800 && *u <= 0xDBFF; };
  const auto is_low = [](std::optional<unsigned> u) { return u && *u >= 0xDC00 && *u <= 0xDFFF; };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const auto unit = escaped_unit(text, i);
    std::size_t length = unit ? 6 : 2;
    if (is_high(unit) && is_low(escaped_unit(text, i + 6)))
      length = 12;
    else if (is_high(unit) || is_low(unit)) {
      out += "\\ufffd";
      i += length;
      continue;
    }
    out += text.substr(i, length);
    i += length;
  }
  return out;
}

} // namespace

std::optional<json> read_vendor_json(std::string_view bytes) {
  std::string mended;
  if (!utf8::is_valid(bytes.begin(), bytes.end())) {
    utf8::replace_invalid(bytes.begin(), bytes.end(), std::back_inserter(mended));
    bytes = mended;
  }
  std::string paired;
  if (bytes.find("\\ud") != std::string_view::npos
      || bytes.find("\\uD") != std::string_view::npos) {
    paired = with_whole_pairs(bytes);
    bytes = paired;
  }
  if (is_too_deep(bytes))
    return std::nullopt;
  auto value = json::parse(bytes, nullptr, false);
  if (value.is_discarded())
    return std::nullopt;
  return value;
}

const json* member(const json& value, const char* key) {
  if (!value.is_object())
    return nullptr;
  const auto found = value.find(key);
  return found == value.end() ? nullptr : &*found;
}

std::string text_at(const json& value, const char* key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_string() ? without_nul(found->get<std::string>()) : "";
}

std::uint64_t count_at(const json& value, const char* key) {
  const auto* found = member(value, key);
  if (found == nullptr)
    return 0;
  if (found->is_number_unsigned())
    return found->get<std::uint64_t>();
  const auto number = found->is_number() ? found->get<double>() : 0;
  return number >= 1 && number < 1e15 ? static_cast<std::uint64_t>(number) : 0;
}

std::string without_nul(std::string text) {
  for (auto at = text.find('\0'); at != std::string::npos; at = text.find('\0', at))
    text.replace(at, 1, replacement);
  return text;
}

} // namespace sidevoice
