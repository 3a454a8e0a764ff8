#include "config/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <utf8.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sidevoice {

namespace {

constexpr std::size_t value_bytes_max = 512;

spdlog::logger& logger() {
  // Created by the first line; stderr is unbuffered, so nothing is lost when the process ends.
  static const auto instance = [] {
    auto made = std::make_unique<spdlog::logger>("sidevoice",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warning:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
    case log_level::off:
      break;
  }
  return spdlog::level::off;
}

bool is_control(std::uint32_t c) {
  // U+2028 and U+2029 are line ends to some viewers.
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

void append_hex(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4U];
  out += digits[byte & 0xfU];
}

void append_bytes_as_hex(std::string& out, std::string_view bytes) {
  for (const auto byte : bytes)
    append_hex(out, static_cast<unsigned char>(byte));
}

/// One code point, or one byte that is no part of any, in printable form.
void append_escaped(std::string& out, std::string_view bytes, bool valid) {
  if (!valid) {
    append_bytes_as_hex(out, bytes);
    return;
  }
  const auto first = bytes.begin();
  const auto code = utf8::unchecked::peek_next(first);
  if (code == '\n')
    out += "\\n";
  else if (code == '\r')
    out += "\\r";
  else if (code == '\t')
    out += "\\t";
  else if (is_control(code))
    append_bytes_as_hex(out, bytes);
  else if (code == '"' || code == '\\')
    (out += '\\') += static_cast<char>(code);
  else
    out += bytes;
}

/// Escapes up to `value_bytes_max` bytes of `text`; a cut shows as "...".
std::string escaped(std::string_view text) {
  std::string out;
  auto here = text.begin();
  while (here != text.end()) {
    auto next = here;
    const auto valid = utf8::internal::validate_next(next, text.end()) == utf8::internal::UTF8_OK;
    if (!valid)
      next = here + 1;
    if (static_cast<std::size_t>(next - text.begin()) > value_bytes_max) {
      out += "...";
      break;
    }
    append_escaped(out, std::string_view{&*here, static_cast<std::size_t>(next - here)}, valid);
    here = next;
  }
  return out;
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"\\\t\r\n") != std::string_view::npos;
}

} // namespace

std::string log_text(std::string_view what, std::initializer_list<log_field> fields) {
  auto out = escaped(what);
  for (const auto& [key, value] : fields) {
    out += ' ';
    out += escaped(key);
    out += '=';
    const auto text = escaped(value);
    out += needs_quotes(value) ? '"' + text + '"' : text;
  }
  return out;
}

void log(log_level level, std::string_view what, std::initializer_list<log_field> fields) {
  auto& out = logger();
  const auto wanted = to_spdlog(level);
  if (out.should_log(wanted))
    out.log(wanted, spdlog::string_view_t{log_text(what, fields)});
}

void set_log_level(log_level level) {
  logger().set_level(to_spdlog(level));
}

} // namespace sidevoice
