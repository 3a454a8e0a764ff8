#include "gateway/socket.hpp"

#include "config/log.hpp"
#include "gateway/byte_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <atomic>
#include <deque>
#include <mutex>

namespace sidevoice {

template <class Handler>
void async_teardown(boost::beast::role_type role, byte_stream& stream, Handler&& handler) {
  using boost::beast::websocket::async_teardown;
  if (stream.is_secure())
    stream.async_shutdown(std::forward<Handler>(handler));
  else
    async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

inline void teardown(boost::beast::role_type role, byte_stream& stream,
                     boost::system::error_code& ec) {
  using boost::beast::websocket::teardown;
  teardown(role, stream.socket(), ec);
}

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

/// A frame's payload has at most 125 bytes, two of which are the code. Cut between code points.
std::string short_reason(std::string reason) {
  constexpr std::size_t bytes_max = 123;
  if (reason.size() <= bytes_max)
    return reason;
  auto end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0U) == 0x80U)
    --end;
  reason.resize(end);
  return reason;
}

/// The request as Beast wants it, with the fields that its handshake looks at.
http::request<http::empty_body> handshake_of(const http_request& request) {
  http::request<http::empty_body> out{http::verb::get, request.target, 11};
  for (const auto* name :
       {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"})
    if (const auto* value = request.find(name))
      out.set(name, *value);
  return out;
}

/// One WebSocket. What is not marked otherwise runs on its strand.
class web_socket final : public client_link,
                         public open_socket,
                         public std::enable_shared_from_this<web_socket> {
public:
  explicit web_socket(upgrade_parts parts)
      : ws_(std::move(*parts.stream)),
        deadline_(ws_.get_executor()),
        context_(std::move(parts.context)),
        handshake_(handshake_of(parts.request)),
        subprotocol_(std::move(parts.subprotocol)),
        bind_(std::move(parts.bind)),
        traffic_(context_->limits.traffic),
        credit_(context_->limits.credit),
        bound_(context_->limits.send) {}

  void start();

  // -- client_link and open_socket: any thread ----------------------------------------------------

  bool send(std::string text) override;
  void close(std::uint16_t code, std::string reason) override;
  void consumed() override;
  void shut_down() override {
    close(1012, "restarting");
  }

private:
  void set_options();
  void on_accepted(error_code ec);
  void read();
  void on_piece(error_code ec, std::size_t bytes);
  void check_traffic(std::size_t bytes);
  void deliver();
  void write();
  void on_written(error_code ec);
  void begin_close(std::uint16_t code, const std::string& reason, bool drop_queue);
  void finish(const std::string& reason);

  websocket::stream<byte_stream> ws_;
  asio::steady_timer deadline_;
  port_context_ptr context_;
  http::request<http::empty_body> handshake_;
  std::string subprotocol_;
  bind_sink bind_;

  /// From start to finish. While reading is paused and nothing is written no handler holds the
  /// socket: the register does.
  socket_register::ticket ticket_;
  std::unique_ptr<frame_sink> sink_;
  beast::flat_buffer in_;
  fragment_watch fragments_;
  traffic_watch traffic_;
  std::deque<std::string> out_;
  websocket::close_reason close_reason_;
  bool reading_paused_ = false;
  bool writing_ = false;
  bool close_wanted_ = false;
  bool close_sent_ = false;
  bool finished_ = false;

  /// Nothing is sent or delivered any more. Any thread.
  std::atomic<bool> closing_{false};
  /// Guards the two below: any thread.
  std::mutex flow_mutex_;
  read_credit credit_;
  send_bound bound_;
};

void web_socket::start() {
  ticket_ = socket_register::enter(context_->sockets, shared_from_this(), true);
  set_options();
  ws_.async_accept(handshake_,
                   [this, self = shared_from_this()](error_code ec) { on_accepted(ec); });
}

void web_socket::set_options() {
  const auto& limits = context_->limits;
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = limits.close_deadline; // bounds the closing handshake as well
  timeout.idle_timeout = limits.silence;
  timeout.keep_alive_pings = true;
  ws_.set_option(timeout);
  ws_.set_option(websocket::permessage_deflate{}); // off: both ends default to false
  ws_.set_option(websocket::stream_base::decorator(
    [protocol = subprotocol_](websocket::response_type& response) {
      response.erase(http::field::server);
      if (!protocol.empty())
        response.set(http::field::sec_websocket_protocol, protocol);
    }));
  ws_.read_message_max(limits.message_bytes_max);
  ws_.auto_fragment(false);
  ws_.text(true);
}

void web_socket::on_accepted(error_code ec) {
  if (ec || !ticket_)
    return finish(ec ? ec.message() : "too many sockets");
  // The two are not needed again, and a socket may live for days.
  handshake_ = {};
  subprotocol_ = {};
  const auto bind = std::move(bind_);
  sink_ = bind(shared_from_this());
  read();
}

// -- in ------------------------------------------------------------------------------------------

void web_socket::read() {
  ws_.async_read_some(in_, 64 << 10,
                      [this, self = shared_from_this()](error_code ec, std::size_t bytes) {
                        on_piece(ec, bytes);
                      });
}

void web_socket::on_piece(error_code ec, std::size_t bytes) {
  if (ec)
    return finish(ec.message());
  if (!fragments_.piece(bytes)) {
    close(1008, "too many fragments");
    in_.consume(in_.size());
  }
  check_traffic(bytes);
  if (!ws_.is_message_done() && !closing_)
    return read();
  if (!closing_)
    deliver();
  in_.consume(in_.size());
  if (in_.capacity() > 64 << 10)
    in_.shrink_to_fit();
  fragments_.message_done();
  if (!reading_paused_ && !finished_)
    read();
}

void web_socket::check_traffic(std::size_t bytes) {
  if (closing_)
    return;
  const auto now = context_->where->now();
  const auto* limit = !traffic_.bytes(bytes, now) ? "connection_bytes_limit"
                      : ws_.is_message_done() && !traffic_.message(now)
                        ? "connection_messages_limit"
                        : nullptr;
  if (limit == nullptr)
    return;
  context_->count->add(counter::connections_limited);
  log(log_level::warning, "connection.limited", {{"limit", limit}});
  close(1008, limit);
}

void web_socket::deliver() {
  const auto binary = ws_.got_binary();
  const auto size = in_.size();
  {
    const std::lock_guard lock{flow_mutex_};
    reading_paused_ = credit_.taken(size);
  }
  // Binary frames carry nothing that a protocol here understands.
  auto text = std::make_shared<const std::string>(static_cast<const char*>(in_.cdata().data()),
                                                  binary ? 0 : size);
  sink_->frame(std::move(text), binary);
}

void web_socket::consumed() {
  {
    const std::lock_guard lock{flow_mutex_};
    if (!credit_.consumed())
      return;
  }
  asio::post(ws_.get_executor(), [this, self = shared_from_this()] {
    if (!reading_paused_ || finished_)
      return;
    reading_paused_ = false;
    read();
  });
}

// -- out -----------------------------------------------------------------------------------------

bool web_socket::send(std::string text) {
  if (closing_)
    return false;
  {
    const std::lock_guard lock{flow_mutex_};
    if (!bound_.admit(text.size(), context_->where->now())) {
      if (closing_.exchange(true))
        return false;
      context_->count->add(counter::connections_slow);
      asio::post(ws_.get_executor(), [this, self = shared_from_this()] {
        begin_close(1013, "the client reads too slowly", true);
      });
      return false;
    }
  }
  asio::post(ws_.get_executor(),
             [this, self = shared_from_this(), text = std::move(text)]() mutable {
               if (finished_)
                 return;
               out_.push_back(std::move(text));
               write();
             });
  return true;
}

void web_socket::write() {
  if (writing_ || close_sent_ || finished_)
    return;
  if (!out_.empty()) {
    writing_ = true;
    ws_.async_write(asio::buffer(out_.front()), [this, self = shared_from_this()](
                                                  error_code ec, std::size_t) { on_written(ec); });
    return;
  }
  if (!close_wanted_)
    return;
  close_sent_ = true;
  ws_.async_close(close_reason_,
                  [this, self = shared_from_this()](error_code) { finish("closed"); });
}

void web_socket::on_written(error_code ec) {
  writing_ = false;
  if (finished_)
    return;
  if (ec) {
    // When the peer has closed, the read under way says so, after its answer has gone out.
    const auto read_tells = ec == websocket::error::closed || ec == asio::error::operation_aborted;
    if (reading_paused_ || !read_tells)
      finish(ec.message());
    return;
  }
  {
    const std::lock_guard lock{flow_mutex_};
    bound_.written(out_.front().size(), context_->where->now());
  }
  out_.pop_front();
  write();
}

// -- the end -------------------------------------------------------------------------------------

void web_socket::close(std::uint16_t code, std::string reason) {
  if (closing_.exchange(true))
    return;
  asio::post(ws_.get_executor(),
             [this, self = shared_from_this(), code, reason = short_reason(std::move(reason))] {
               begin_close(code, reason, false);
             });
}

void web_socket::begin_close(std::uint16_t code, const std::string& reason, bool drop_queue) {
  if (finished_)
    return;
  close_wanted_ = true;
  close_reason_ = {static_cast<websocket::close_code>(code), reason};
  if (drop_queue && !out_.empty())
    out_.erase(out_.begin() + (writing_ ? 1 : 0), out_.end());
  deadline_.expires_after(context_->limits.close_deadline);
  deadline_.async_wait([this, self = shared_from_this()](error_code ec) {
    if (ec || finished_)
      return;
    ws_.next_layer().close();
    finish("the closing handshake took too long");
  });
  if (ws_.is_open())
    write();
  else
    finish("closed before it was open");
}

void web_socket::finish(const std::string& reason) {
  if (finished_)
    return;
  finished_ = true;
  closing_ = true;
  deadline_.cancel();
  ticket_.reset();
  bind_ = nullptr;
  if (sink_)
    sink_->gone(reason);
  sink_.reset();
  ws_.next_layer().close();
}

} // namespace

void start_websocket(upgrade_parts parts) {
  const auto executor = parts.stream->get_executor();
  auto socket = std::make_shared<web_socket>(std::move(parts));
  asio::dispatch(executor, [socket] { socket->start(); });
}

} // namespace sidevoice
