#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sidevoice {

/// One key and value of a log line.
struct log_field {
  std::string_view key;
  std::string value;
};

enum class log_level {
  debug,
  info,
  warning,
  error,
  /// Nothing is written.
  off,
};

/// Writes one structured line (logfmt) to standard error: `time level what key=value ...`.
/// Values are escaped (no CR, LF or control bytes) and cut at 512 bytes. Never pass credentials or
/// what a user said. Any thread.
void log(log_level level, std::string_view what, std::initializer_list<log_field> fields = {});

/// The part of such a line behind time and level: what the escaping makes of it.
std::string log_text(std::string_view what, std::initializer_list<log_field> fields);

/// Lines below `level` are not written. Default: info.
void set_log_level(log_level level);

} // namespace sidevoice
