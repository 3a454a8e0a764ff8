#pragma once

#include "bench/voice_visitor.hpp"
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace voice_bench {

/// A visitor's WebSocket: frames out in their order, messages in. Nothing is told after `close`, or
/// after a failure.
class line : public std::enable_shared_from_this<line> {
public:
  struct ears {
    std::function<void()> opened;
    std::function<void(std::string_view)> heard;
    std::function<void(const std::string&)> failed;
  };

  line(asio::io_context& io, const load_options& options) : options_{options}, socket_{io} {}

  void open(ears to);
  void send(frame_ptr frame);
  /// Drops the line without a word.
  void close();

  [[nodiscard]] bool is_closed() const {
    return closed_;
  }

private:
  void shake_hands();
  void read();
  void write();
  void fail(const std::string& why);

  const load_options& options_;
  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  boost::beast::flat_buffer buffer_;
  std::deque<frame_ptr> unsent_;
  ears to_;
  bool closed_ = false;
};

} // namespace voice_bench
