#pragma once

#include "config/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// One server-sent event.
struct sse_event {
  /// "message" where the server names none.
  std::string type = "message";
  /// The data lines, joined with LF; bytes as they came.
  std::string data;

  bool operator==(const sse_event&) const = default;
};

/// Reads a stream of server-sent events from pieces that may be cut anywhere. Pure.
class sse_parser {
public:
  /// An event, and each of its lines, may have up to so many bytes.
  explicit sse_parser(std::size_t event_bytes_max = 512 << 10)
      : event_bytes_max_(event_bytes_max) {}

  /// The events that these bytes complete. Error `unavailable`, reason "too_large": an event is
  /// longer than allowed; from then on the parser takes nothing any more.
  result<std::vector<sse_event>> take(std::string_view bytes);

  /// The stream has ended: the event that no empty line has ended, should there be one. It may be
  /// half: whoever takes it checks its data.
  std::optional<sse_event> end();

private:
  void take_line(std::vector<sse_event>& out);
  std::optional<sse_event> finish_event();

  std::size_t event_bytes_max_;
  std::string line_;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool is_first_line_ = true;
  bool is_broken_ = false;
};

} // namespace sidevoice
