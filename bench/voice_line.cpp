#include "bench/voice_line.hpp"

#include <utility>

namespace voice_bench {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

namespace {

/// Frames that wait for the socket; more: the server does not read.
constexpr std::size_t unsent_max = 100;

} // namespace

void line::open(ears to) {
  to_ = std::move(to);
  beast::get_lowest_layer(socket_).async_connect(tcp::endpoint{asio::ip::address_v4::loopback(),
                                                               options_.port},
                                                 [me = shared_from_this()](beast::error_code ec) {
                                                   if (ec)
                                                     return me->fail(ec.message());
                                                   me->shake_hands();
                                                 });
}

void line::shake_hands() {
  beast::get_lowest_layer(socket_).socket().set_option(tcp::no_delay{true});
  socket_.set_option(
    websocket::stream_base::decorator([key = options_.key](websocket::request_type& request) {
      request.set(beast::http::field::authorization, "Bearer " + key);
      request.set(beast::http::field::sec_websocket_protocol, "realtime");
    }));
  socket_.async_handshake("127.0.0.1:" + std::to_string(options_.port),
                          "/v1/realtime?model=" + options_.app,
                          [me = shared_from_this()](beast::error_code ec) {
                            if (ec)
                              return me->fail(ec.message());
                            me->read();
                            me->to_.opened();
                          });
}

void line::read() {
  socket_.async_read(buffer_, [me = shared_from_this()](beast::error_code ec, std::size_t) {
    if (me->closed_)
      return;
    if (ec)
      return me->fail(ec.message());
    const auto data = me->buffer_.cdata();
    me->to_.heard({static_cast<const char*>(data.data()), data.size()});
    me->buffer_.consume(me->buffer_.size());
    if (!me->closed_)
      me->read();
  });
}

void line::send(frame_ptr frame) {
  if (unsent_.size() >= unsent_max)
    return fail("the server does not read");
  unsent_.push_back(std::move(frame));
  if (unsent_.size() == 1)
    write();
}

void line::write() {
  socket_.async_write(asio::buffer(*unsent_.front()),
                      [me = shared_from_this()](beast::error_code ec, std::size_t) {
                        if (me->closed_)
                          return;
                        if (ec)
                          return me->fail(ec.message());
                        me->unsent_.pop_front();
                        if (!me->unsent_.empty())
                          me->write();
                      });
}

void line::close() {
  closed_ = true;
  beast::error_code ignored;
  beast::get_lowest_layer(socket_).socket().shutdown(tcp::socket::shutdown_both, ignored);
  beast::get_lowest_layer(socket_).close();
}

void line::fail(const std::string& why) {
  if (closed_)
    return;
  close();
  to_.failed(why);
}

} // namespace voice_bench
