#include "actors/speech_chunks.hpp"

#include "actors/clauses.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

constexpr std::size_t chunk_max = 240;
/// A later chunk waits for a sentence of at least this length.
constexpr std::size_t later_min = 60;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

/// The largest cut of at most `most` bytes: behind white space, else between code points.
std::size_t hard_cut(std::string_view rest, std::size_t most) {
  for (auto at = most; at > most / 2; --at)
    if (is_space(rest[at - 1]))
      return at;
  auto at = most;
  while (at > 1 && !starts_code_point(rest[at]))
    --at;
  return at;
}

/// The code point at `at`, and its length; a broken one counts as one byte.
std::size_t code_point(std::string_view text, std::size_t at, char32_t& out) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + length > text.size()) {
    out = U'?';
    return 1;
  }
  out = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    out = (out << 6U) | (byte(at + i) & 0x3FU);
  return length;
}

/// Pictures and signs that no engine can say.
bool is_picture(char32_t c) {
  const auto is_within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  // Between the arrows and the dingbats stand the signs of arithmetic: "−5" is no "5".
  return is_within(0x1F000, 0x1FFFF) || is_within(0x2190, 0x21FF) || is_within(0x2300, 0x2BFF)
         || is_within(0xFE00, 0xFE0F) || is_within(0xE0000, 0xE0FFF) || c == 0x20E3 || c == 0x200D;
}

} // namespace

std::size_t next_chunk(std::string_view text, std::size_t from, bool complete) {
  const auto rest = text.substr(std::min(from, text.size()));
  if (rest.empty())
    return 0;
  clause_cutter cutter;
  std::size_t end = 0;
  std::size_t good = 0;
  for (const auto& piece : cutter.add(rest)) {
    // A piece of a new clause says that everything before it is whole.
    if (piece.clause > 1 && good != end) {
      good = end;
      if (from == 0 || good >= later_min)
        break;
    }
    end += piece.text.size();
  }
  if (good > chunk_max)
    return from + hard_cut(rest, chunk_max);
  if (good != 0 && (from == 0 || good >= later_min))
    return from + good;
  if (rest.size() > chunk_max)
    return from + hard_cut(rest, chunk_max);
  return complete ? text.size() : 0;
}

std::string speakable(std::string_view chunk) {
  std::string out;
  for (std::size_t at = 0; at < chunk.size();) {
    char32_t c = 0;
    const auto length = code_point(chunk, at, c);
    const auto bytes = chunk.substr(at, length);
    at += length;
    // "[the map](https://...)": the words, not the target.
    if (c == U']' && at < chunk.size() && chunk[at] == '(') {
      const auto close = chunk.find(')', at);
      if (close != chunk.npos)
        at = close + 1;
      continue;
    }
    const bool within_word = at >= 2 && is_letter(chunk[at - 2]) && at < chunk.size()
                             && is_letter(chunk[at]);
    if ((c == U'_' || c == U'*') && within_word)
      out += bytes;
    else if (c == U'*' || c == U'_' || c == U'#' || c == U'`' || c == U'[' || c == U']' || c == U'|'
             || is_picture(c))
      continue;
    else if (c == U'&')
      out += " and ";
    else if (c < 0x20 || c == 0x7F)
      out += ' ';
    else
      out += bytes;
  }
  const auto begin = std::find_if_not(out.begin(), out.end(), is_space);
  out.erase(out.begin(), begin);
  while (!out.empty() && is_space(out.back()))
    out.pop_back();
  return out;
}

} // namespace sidevoice
