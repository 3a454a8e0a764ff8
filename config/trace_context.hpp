#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Where one is within a trace (W3C Trace Context, level 1), and which traces are kept.
namespace sidevoice {

struct trace_context {
  /// 32 and 16 hexadecimal digits in small letters, never all zero.
  std::string trace;
  std::string span;
  /// False: nobody keeps this trace; the ids are passed on all the same.
  bool sampled = true;

  bool operator==(const trace_context&) const = default;
};

/// "00-TRACE-SPAN-01"; the last byte is 00 where the trace is not kept.
std::string to_traceparent(const trace_context& where);

/// Reads it; nothing for what is none. Later versions are read as far as this one goes.
std::optional<trace_context> read_traceparent(std::string_view text);

/// `bytes` (8 or 16) of an id in hexadecimal, always the same for the same name: whoever knows the
/// name finds the trace again, also another process after a crash.
std::string named_trace_id(std::string_view name, std::size_t bytes);

/// Decides by the trace's id alone, so that every process decides alike.
struct trace_sampler {
  /// Part of the traces that are kept: 1 all, 0 none.
  double ratio = 1.0;

  [[nodiscard]] bool takes(std::string_view trace) const;
};

} // namespace sidevoice
