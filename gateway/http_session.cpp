#include "gateway/http_session.hpp"

#include "config/log.hpp"
#include "gateway/byte_stream.hpp"
#include "gateway/http_rules.hpp"
#include "gateway/socket.hpp"
#include "gateway/tls.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <exception>
#include <optional>

namespace sidevoice {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

/// What a request that could not be parsed is told; unset when there is nobody to tell.
std::optional<http_response> response_of(error_code ec) {
  if (ec == http::error::end_of_stream || ec == http::error::partial_message)
    return std::nullopt;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return to_response({431, "header_too_large", "The header of the request is too large."});
  if (ec == http::error::body_limit)
    return to_response({413, "body_too_large", "The body of the request is too large."});
  if (ec == http::error::bad_version)
    return to_response({505, "version_not_supported", "The versions spoken here are 1.0 and 1.1."});
  if (ec.category() == http::make_error_code(http::error::bad_method).category())
    return to_response({400, "bad_request", "This is not an HTTP request."});
  return std::nullopt;
}

/// One TCP connection: reads a request, answers, begins again. All of it on the socket's strand.
class http_session final : public open_socket, public std::enable_shared_from_this<http_session> {
public:
  http_session(asio::ip::tcp::socket socket, port_context_ptr context)
      : executor_(socket.get_executor()),
        stream_(std::move(socket)),
        context_(std::move(context)),
        buffer_(2 * context_->limits.header_bytes_max) {}

  void start();
  /// Any thread. A request under way is still answered.
  void shut_down() override;

private:
  using parser = http::request_parser<http::string_body>;

  void begin_tls();
  void shake_hands();
  void wait_for_request();
  void read_header();
  void on_header(error_code ec);
  void on_body(error_code ec);
  void take_request();
  void handle();
  void open_upgrade(http_upgrade upgrade);
  void on_upgrade(http_upgrade::outcome outcome, std::string subprotocol);
  void respond(http_response response);
  void on_written(error_code ec);
  void linger();
  void drain();

  [[nodiscard]] const port_limits& limits() const {
    return context_->limits;
  }

  /// Outlives the stream, which a WebSocket may have taken.
  const byte_stream::executor_type executor_;
  byte_stream stream_;
  port_context_ptr context_;
  beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  http_request request_;
  std::string remote_;
  std::string out_;
  socket_register::ticket ticket_;
  std::size_t drained_ = 0;
  bool first_ = true;
  bool idle_ = false;
  bool keep_alive_ = false;
  bool stopping_ = false;
};

void http_session::start() {
  error_code ec;
  const auto peer = stream_.socket().remote_endpoint(ec);
  if (ec)
    return;
  remote_ = peer.address().to_string();
  ticket_ = socket_register::enter(context_->sockets, shared_from_this(), false);
  if (!ticket_) {
    auto full = to_response({503, "overloaded", "The server has too many connections."});
    full.fields.push_back({"Retry-After", "5"});
    // Without a handshake there is nobody to tell.
    return context_->tls ? stream_.close() : respond(std::move(full));
  }
  if (context_->tls)
    begin_tls();
  else
    wait_for_request();
}

/// The first byte says whether the client speaks TLS: one that does not is told so in the only
/// language it understands.
void http_session::begin_tls() {
  stream_.expires_after(limits().header_deadline);
  stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, [this, self = shared_from_this()](
                                                                  error_code ec) {
    if (ec)
      return;
    constexpr unsigned char handshake_record = 0x16;
    unsigned char first = 0;
    const auto got = stream_.socket().receive(asio::buffer(&first, 1),
                                              asio::ip::tcp::socket::message_peek, ec);
    if (ec || got == 0)
      return stream_.close();
    if (first == handshake_record)
      return shake_hands();
    context_->count->add(counter::tls_handshakes_failed);
    respond(to_response({400, "tls_required", "This port speaks HTTPS only: use https://."}));
  });
}

void http_session::shake_hands() {
  // The handshake has the deadline that the first bytes have begun.
  stream_.async_handshake(context_->tls->current(),
                          [this, self = shared_from_this()](error_code ec) {
                            if (!ec)
                              return wait_for_request();
                            context_->count->add(counter::tls_handshakes_failed);
                            log(log_level::debug, "tls handshake failed", {{"why", ec.message()}});
                            stream_.close();
                          });
}

void http_session::shut_down() {
  asio::post(executor_, [this, self = shared_from_this()] {
    stopping_ = true;
    if (idle_)
      stream_.close();
  });
}

// -- reading -------------------------------------------------------------------------------------

void http_session::wait_for_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes_max));
  parser_->body_limit(limits().body_bytes_max);
  if (buffer_.size() > 0 || first_) { // the deadline of a first request counts from the start
    stream_.expires_after(limits().header_deadline);
    first_ = false;
    return read_header();
  }
  idle_ = true;
  stream_.expires_after(limits().idle_deadline);
  stream_.async_read_some(buffer_.prepare(4096),
                          [this, self = shared_from_this()](error_code ec, std::size_t size) {
                            idle_ = false;
                            if (ec)
                              return;
                            buffer_.commit(size);
                            stream_.expires_after(limits().header_deadline);
                            read_header();
                          });
}

void http_session::read_header() {
  http::async_read_header(stream_, buffer_, *parser_,
                          [this, self = shared_from_this()](error_code ec, std::size_t) {
                            on_header(ec);
                          });
}

void http_session::take_request() {
  const auto& message = parser_->get();
  request_ = {};
  request_.method = std::string{message.method_string()};
  request_.target = std::string{message.target()};
  request_.version = message.version();
  request_.remote = remote_;
  for (const auto& field : message)
    request_.fields.push_back({std::string{field.name_string()}, std::string{field.value()}});
  keep_alive_ = message.keep_alive();
}

void http_session::on_header(error_code ec) {
  if (ec) {
    keep_alive_ = false;
    request_ = {};
    if (auto refusal = response_of(ec))
      respond(std::move(*refusal));
    return;
  }
  take_request();
  if (auto refusal = check_head(request_))
    return respond(std::move(*refusal));
  if (parser_->is_done() || wants_websocket(request_))
    return handle();
  stream_.expires_after(limits().body_deadline);
  http::async_read(stream_, buffer_, *parser_,
                   [this, self = shared_from_this()](error_code failed, std::size_t) {
                     on_body(failed);
                   });
}

void http_session::on_body(error_code ec) {
  if (ec) {
    keep_alive_ = false;
    if (auto refusal = response_of(ec))
      respond(std::move(*refusal));
    return;
  }
  request_.body = std::move(parser_->get().body());
  handle();
}

// -- answering -----------------------------------------------------------------------------------

void http_session::handle() {
  // A body that an upgrade's refusal leaves unread would be taken for the next request.
  if (!parser_->is_done())
    keep_alive_ = false;
  stream_.expires_never();
  site_answer answer;
  try {
    answer = context_->site->handle(request_);
  } catch (const std::exception& e) {
    log(log_level::error, "request failed", {{"path", request_.path}, {"why", e.what()}});
    answer = to_response({500, "internal_error", "The server made a mistake."});
  }
  if (auto* response = std::get_if<http_response>(&answer))
    return respond(std::move(*response));
  if (auto* upgrade = std::get_if<http_upgrade>(&answer))
    return open_upgrade(std::move(*upgrade));
  std::get<http_later>(answer).start([self = shared_from_this()](http_response response) {
    asio::post(self->executor_, [self, response = std::move(response)]() mutable {
      self->respond(std::move(response));
    });
  });
}

void http_session::open_upgrade(http_upgrade upgrade) {
  upgrade.open(
    [self = shared_from_this(), protocol = upgrade.subprotocol](http_upgrade::outcome outcome) {
      asio::post(self->executor_, [self, protocol, outcome = std::move(outcome)]() mutable {
        self->on_upgrade(std::move(outcome), std::move(protocol));
      });
    });
}

void http_session::on_upgrade(http_upgrade::outcome outcome, std::string subprotocol) {
  if (stopping_)
    outcome = to_response({503, "restarting", "The server is about to restart."});
  if (auto* refusal = std::get_if<http_response>(&outcome))
    return respond(std::move(*refusal));
  ticket_.reset();
  stream_.put_back(beast::buffers_to_string(buffer_.data()));
  stream_.expires_never();
  upgrade_parts parts{.stream = std::make_unique<byte_stream>(std::move(stream_)),
                      .request = std::move(request_),
                      .subprotocol = std::move(subprotocol),
                      .bind = std::get<bind_sink>(std::move(outcome)),
                      .context = context_};
  start_websocket(std::move(parts));
}

void http_session::respond(http_response response) {
  if (response.status >= 400)
    context_->count->add(counter::requests_refused);
  keep_alive_ = keep_alive_ && !stopping_ && !response.close;
  const auto wall = context_->where->wall().time_since_epoch();
  out_ = to_wire(response,
                 {.keep_alive = keep_alive_,
                  .without_body = request_.method == "HEAD",
                  .unix_s = std::chrono::duration_cast<std::chrono::seconds>(wall).count()});
  stream_.expires_after(limits().write_deadline);
  asio::async_write(stream_, asio::buffer(out_),
                    [this, self = shared_from_this()](error_code ec, std::size_t) {
                      on_written(ec);
                    });
}

void http_session::on_written(error_code ec) {
  if (ec)
    return;
  if (keep_alive_ && !stopping_)
    return wait_for_request();
  linger();
}

/// Closes without a reset: bytes still unread would make the kernel throw away the response that
/// the client has not read yet.
void http_session::linger() {
  error_code ec;
  if (stream_.is_secure()) {
    stream_.expires_after(std::chrono::seconds{2});
    return stream_.async_shutdown(
      [this, self = shared_from_this()](error_code) { stream_.close(); });
  }
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  if (ec)
    return;
  stream_.expires_after(std::chrono::seconds{2});
  drain();
}

void http_session::drain() {
  constexpr std::size_t drain_bytes_max = 1 << 20;
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(16 << 10),
                          [this, self = shared_from_this()](error_code ec, std::size_t size) {
                            drained_ += size;
                            if (!ec && drained_ < drain_bytes_max)
                              drain();
                          });
}

} // namespace

void start_http(asio::ip::tcp::socket socket, port_context_ptr context) {
  const auto executor = socket.get_executor();
  auto session = std::make_shared<http_session>(std::move(socket), std::move(context));
  asio::dispatch(executor, [session] { session->start(); });
}

} // namespace sidevoice
