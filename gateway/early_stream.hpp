#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <string>
#include <utility>

/// For socket.cpp only: Beast stays out of headers that others read.
namespace sidevoice {

/// A TCP stream that first gives out what had been read behind the HTTP request. Beast's accept of
/// a request that is parsed already has no place for those bytes, and would lose them.
class early_stream : public boost::beast::tcp_stream {
  using base = boost::beast::tcp_stream;

public:
  early_stream(boost::asio::ip::tcp::socket socket, std::string early)
      : base(std::move(socket)),
        early_(std::move(early)) {}

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return boost::asio::async_initiate<Handler, void(boost::system::error_code, std::size_t)>(
      [this](auto&& h, const Buffers& b) {
        if (early_.empty()) {
          base::async_read_some(b, std::forward<decltype(h)>(h));
          return;
        }
        const auto size = boost::asio::buffer_copy(b, boost::asio::buffer(early_));
        early_.erase(0, size);
        boost::asio::post(get_executor(),
                          boost::beast::bind_handler(std::forward<decltype(h)>(h),
                                                     boost::system::error_code{}, size));
      },
      handler, buffers);
  }

private:
  std::string early_;
};

template <class Handler>
void async_teardown(boost::beast::role_type role, early_stream& stream, Handler&& handler) {
  using boost::beast::websocket::async_teardown;
  async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

inline void teardown(boost::beast::role_type role, early_stream& stream,
                     boost::system::error_code& ec) {
  using boost::beast::websocket::teardown;
  teardown(role, stream.socket(), ec);
}

} // namespace sidevoice
