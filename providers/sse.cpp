#include "providers/sse.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

result<std::vector<sse_event>> sse_parser::take(std::string_view bytes) {
  std::vector<sse_event> out;
  while (!bytes.empty() && !is_broken_) {
    // The LF of a CRLF whose CR has ended the line already, perhaps in the piece before.
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto length = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_ += bytes.substr(0, length);
    is_broken_ = line_.size() + data_.size() + type_.size() > event_bytes_max_;
    bytes.remove_prefix(length);
    if (bytes.empty() || is_broken_)
      break;
    after_cr_ = bytes.front() == '\r';
    bytes.remove_prefix(1);
    take_line(out);
  }
  if (is_broken_) {
    line_ = data_ = type_ = {};
    has_data_ = false;
    return error{errc::unavailable,
                 "an event of the stream is longer than " + std::to_string(event_bytes_max_)
                   + " bytes",
                 {},
                 "too_large"};
  }
  return out;
}

std::optional<sse_event> sse_parser::end() {
  std::vector<sse_event> out;
  if (!line_.empty())
    take_line(out);
  return finish_event();
}

void sse_parser::take_line(std::vector<sse_event>& out) {
  auto line = std::exchange(line_, {});
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (std::exchange(is_first_line_, false) && line.starts_with(byte_order_mark))
    line.erase(0, byte_order_mark.size());
  if (line.empty()) {
    if (auto event = finish_event())
      out.push_back(std::move(*event));
    return;
  }
  const auto colon = std::min(line.find(':'), line.size());
  const auto name = std::string_view{line}.substr(0, colon);
  auto value = std::string_view{line}.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (name == "data") {
    if (std::exchange(has_data_, true))
      data_ += '\n';
    data_ += value;
  } else if (name == "event") {
    type_ = value;
  }
  // Comments have an empty name; id, retry and what is unknown mean nothing to us.
}

std::optional<sse_event> sse_parser::finish_event() {
  sse_event event{"message", std::exchange(data_, {})};
  auto type = std::exchange(type_, {});
  if (!type.empty())
    event.type = std::move(type);
  if (!std::exchange(has_data_, false))
    return std::nullopt;
  return event;
}

} // namespace sidevoice
