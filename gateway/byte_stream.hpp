#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sidevoice {

/// One accepted connection, plain or with TLS, with one deadline for all that is under way. Moves
/// from the HTTP session to the WebSocket. All of it on the socket's strand.
class byte_stream {
public:
  using executor_type = boost::asio::ip::tcp::socket::executor_type;
  using error_code = boost::system::error_code;

  explicit byte_stream(boost::asio::ip::tcp::socket socket)
      : inside_(std::make_shared<inside>(std::move(socket))) {}

  executor_type get_executor() {
    return inside_->socket.get_executor();
  }

  boost::asio::ip::tcp::socket& socket() {
    return inside_->socket;
  }

  [[nodiscard]] bool is_secure() const {
    return inside_->tls.has_value();
  }

  /// When the time is over the socket is closed, and what is under way ends with an error.
  void expires_after(std::chrono::milliseconds time) {
    inside_->deadline.expires_after(time);
    // A wait that was replaced while its handler was queued has no error: its number tells.
    inside_->deadline.async_wait(
      [weak = std::weak_ptr<inside>{inside_}, number = ++inside_->deadlines](error_code ec) {
        const auto self = weak.lock();
        if (!ec && self && self->deadlines == number)
          self->close();
      });
  }

  void expires_never() {
    ++inside_->deadlines;
    inside_->deadline.cancel();
  }

  void close() {
    inside_->close();
  }

  /// Read next, before anything new.
  void put_back(std::string early) {
    inside_->early = std::move(early);
  }

  /// `context` may go meanwhile, and is not needed afterwards.
  template <class Handler>
  void async_handshake(std::shared_ptr<boost::asio::ssl::context> context, Handler handler) {
    inside_->tls.emplace(inside_->socket, *context);
    inside_->tls->async_handshake(boost::asio::ssl::stream_base::server,
                                  [keep = std::move(context), handler = std::move(handler)](
                                    error_code ec) mutable { handler(ec); });
  }

  /// The TLS goodbye; only where `is_secure`.
  template <class Handler>
  void async_shutdown(Handler&& handler) {
    inside_->tls->async_shutdown(std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return boost::asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [in = inside_.get()](auto&& h, const Buffers& b) {
        if (!in->early.empty()) {
          const auto size = boost::asio::buffer_copy(b, boost::asio::buffer(in->early));
          in->early.erase(0, size);
          boost::asio::post(in->socket.get_executor(), [h = std::forward<decltype(h)>(h),
                                                        size]() mutable { h(error_code{}, size); });
        } else if (in->tls) {
          in->tls->async_read_some(b, std::forward<decltype(h)>(h));
        } else {
          in->socket.async_read_some(b, std::forward<decltype(h)>(h));
        }
      },
      handler, buffers);
  }

  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return boost::asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [in = inside_.get()](auto&& h, const Buffers& b) {
        if (in->tls)
          in->tls->async_write_some(b, std::forward<decltype(h)>(h));
        else
          in->socket.async_write_some(b, std::forward<decltype(h)>(h));
      },
      handler, buffers);
  }

private:
  struct inside {
    explicit inside(boost::asio::ip::tcp::socket s)
        : socket(std::move(s)),
          deadline(socket.get_executor()) {}

    void close() {
      deadline.cancel();
      error_code ignored;
      socket.close(ignored);
    }

    boost::asio::ip::tcp::socket socket;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls;
    boost::asio::steady_timer deadline;
    /// Counts the deadlines that were set or taken back.
    std::uint64_t deadlines = 0;
    std::string early;
  };

  std::shared_ptr<inside> inside_;
};

/// How the WebSocket library closes what it runs on.
inline void beast_close_socket(byte_stream& stream) {
  stream.close();
}

} // namespace sidevoice
