#include "cli/fake_sending.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace sidevoice::cli {

namespace {

constexpr std::size_t write_bytes_max = 64U << 10U;

} // namespace

// Without a length and without chunks, the end of the connection is the end of the answer.
fake_sending::fake_sending(fake_answer answer, unsigned version, bool keep_alive, time start)
    : answer_(std::move(answer)),
      chunked_(!answer_.content_length && version >= 11),
      keep_alive_(keep_alive && (answer_.content_length || chunked_)),
      due_(start) {
  if (!answer_.chunks.empty())
    due_ += answer_.chunks.front().after;
}

std::string fake_sending::head() const {
  // No reason phrase: clients go by the number.
  auto out = "HTTP/1.1 " + std::to_string(answer_.status) + " \r\n";
  for (const auto& field : answer_.fields)
    out += field.name + ": " + field.value + "\r\n";
  if (answer_.content_length)
    out += "content-length: " + std::to_string(*answer_.content_length) + "\r\n";
  else if (chunked_)
    out += "transfer-encoding: chunked\r\n";
  return out + (keep_alive_ ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
}

void fake_sending::append(std::string& out, const std::string& bytes) const {
  if (!chunked_) {
    out += bytes;
    return;
  }
  if (bytes.empty()) // would end the body
    return;
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  out += size.data();
  out += bytes;
  out += "\r\n";
}

std::string fake_sending::take_due(time now) {
  std::string out;
  if (!std::exchange(head_sent_, true))
    out = head();
  while (!is_sent() && due_ <= now && out.size() < write_bytes_max) {
    append(out, answer_.chunks[next_].bytes);
    if (++next_ < answer_.chunks.size())
      due_ += answer_.chunks[next_].after;
  }
  if (is_sent() && chunked_ && answer_.ending == fake_ending::end)
    out += "0\r\n\r\n";
  return out;
}

} // namespace sidevoice::cli
