#include "providers/fake/reply.hpp"
#include "providers/fake/wire.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sidevoice {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Not the first byte of a character.
bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string value_in(const std::vector<fake_field>& fields, std::string_view name) {
  const auto at = std::find_if(fields.begin(), fields.end(),
                               [name](const fake_field& f) { return is_same_field(f.name, name); });
  return at == fields.end() ? std::string{} : at->value;
}

} // namespace

bool is_same_field(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string fake_request::field(std::string_view name) const {
  return value_in(fields, name);
}

std::string fake_answer::field(std::string_view name) const {
  return value_in(fields, name);
}

std::string fake_answer::bytes() const {
  std::string out;
  for (const auto& chunk : chunks)
    out += chunk.bytes;
  return out;
}

std::vector<std::string> pieces_of(const std::string& text, std::size_t chars) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (continues(text[i]))
      continue;
    const auto full = chars > 0 ? count == chars
                                : i > begin && is_blank(text[i]) && !is_blank(text[i - 1]);
    if (full) {
      out.push_back(text.substr(begin, i - begin));
      begin = i;
      count = 0;
    }
    ++count;
  }
  if (begin < text.size())
    out.push_back(text.substr(begin));
  return out;
}

std::vector<std::string> split_oddly(const std::string& bytes) {
  constexpr std::array<std::size_t, 4> sizes = {1, 5, 3, 11};
  std::vector<std::string> out;
  std::string part;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    part += bytes[i];
    const auto inside = i + 1 < bytes.size() && continues(bytes[i + 1]);
    if (inside || bytes[i] == '\r' || part.size() == sizes[out.size() % sizes.size()])
      out.push_back(std::exchange(part, {}));
  }
  if (!part.empty())
    out.push_back(std::move(part));
  return out;
}

} // namespace sidevoice
