#include "cli/fake_connection.hpp"

#include "cli/fake_sending.hpp"
#include "gateway/http.hpp"
#include "gateway/http_rules.hpp"
#include "providers/fake/reply.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <optional>

namespace sidevoice::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t header_bytes_max = 64U << 10U;
constexpr std::size_t body_bytes_max = 8U << 20U;
constexpr std::chrono::seconds idle_deadline{120};
constexpr std::chrono::seconds body_deadline{60};
constexpr std::chrono::seconds write_deadline{30};
constexpr std::chrono::seconds linger_deadline{2};
constexpr std::chrono::hours stall_max{1};

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(asio::ip::tcp::socket socket, fake_context& context)
      : stream_(std::move(socket)),
        pause_(stream_.get_executor()),
        context_(context),
        buffer_(header_bytes_max + body_bytes_max) {}

  void start() {
    error_code ignored;
    // Only peeks of ours are synchronous; they must not wait.
    stream_.socket().non_blocking(true, ignored);
    if (++context_.open > context_.open_max)
      return close();
    read_request();
  }

private:
  void read_request();
  void on_header(error_code ec);
  void read_body();
  void on_request();
  void refuse(error_code ec);

  void answer(fake_answer what);
  void send_due();
  void on_written(error_code ec);
  void finish();
  void watch();
  void on_readable(error_code ec);
  void leave(bool whole);
  void linger();
  void drain();
  void close();

  beast::tcp_stream stream_;
  asio::steady_timer pause_;
  fake_context& context_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http_request head_;

  /// While an answer is under way.
  std::optional<fake_sending> sending_;
  std::string out_;
  bool keep_alive_ = false;
  bool watching_ = false;
  bool closed_ = false;
  std::size_t drained_ = 0;
};

// -- reading -------------------------------------------------------------------------------------

void connection::read_request() {
  parser_.emplace();
  parser_->header_limit(header_bytes_max);
  parser_->body_limit(body_bytes_max);
  stream_.expires_after(idle_deadline);
  http::async_read_header(stream_, buffer_, *parser_,
                          [this, self = shared_from_this()](error_code ec, std::size_t) {
                            on_header(ec);
                          });
}

void connection::on_header(error_code ec) {
  if (ec)
    return refuse(ec);
  const auto& message = parser_->get();
  head_ = {};
  head_.method = std::string{message.method_string()};
  head_.target = std::string{message.target()};
  head_.version = message.version();
  bool asks = false;
  for (const auto& field : message) {
    if (equal_ignoring_case({field.name_string().data(), field.name_string().size()}, "Expect"))
      asks = true;
    else
      head_.fields.push_back({std::string{field.name_string()}, std::string{field.value()}});
  }
  keep_alive_ = message.keep_alive();
  if (auto refusal = check_head(head_)) {
    keep_alive_ = false;
    auto body = std::move(refusal->body);
    return answer(json_answer(refusal->status, std::move(body)));
  }
  if (!asks || parser_->is_done())
    return read_body();
  // libcurl asks before it sends more than a megabyte.
  out_ = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(write_deadline);
  asio::async_write(stream_, asio::buffer(out_),
                    [this, self = shared_from_this()](error_code failed, std::size_t) {
                      if (failed)
                        return close();
                      read_body();
                    });
}

void connection::read_body() {
  if (parser_->is_done())
    return on_request();
  stream_.expires_after(body_deadline);
  http::async_read(stream_, buffer_, *parser_,
                   [this, self = shared_from_this()](error_code ec, std::size_t) {
                     if (ec)
                       return refuse(ec);
                     on_request();
                   });
}

void connection::on_request() {
  fake_request request;
  request.method = head_.method;
  request.path = head_.path;
  request.query = head_.query;
  for (auto& field : head_.fields)
    request.fields.push_back({std::move(field.name), std::move(field.value)});
  request.body = std::move(parser_->get().body());
  request.unix_s = wall_ms(context_.where) / 1000;
  answer(context_.service.answer(request));
}

/// What cannot be read ends the connection, where possible with a word.
void connection::refuse(error_code ec) {
  keep_alive_ = false;
  const auto is_gone = ec == http::error::end_of_stream || ec == http::error::partial_message;
  if (is_gone || ec.category() != http::make_error_code(http::error::end_of_stream).category())
    return close();
  const auto is_large = ec == http::error::body_limit || ec == http::error::header_limit
                        || ec == http::error::buffer_overflow;
  answer(is_large ? error_answer({413, "The request is too large.", "", "", ""})
                  : error_answer({400, "This is not an HTTP/1.1 request.", "", "", ""}));
}

// -- answering -----------------------------------------------------------------------------------

void connection::answer(fake_answer what) {
  stream_.expires_never();
  sending_.emplace(std::move(what), head_.version, keep_alive_, context_.where.now());
  watch();
  send_due();
}

/// Writes everything whose time has come, or waits for the next.
void connection::send_due() {
  if (closed_)
    return;
  const auto now = context_.where.now();
  if (sending_->due() > now) {
    pause_.expires_after(sending_->due() - now);
    pause_.async_wait([this, self = shared_from_this()](error_code ec) {
      if (!ec)
        send_due();
    });
    return;
  }
  out_ = sending_->take_due(now);
  stream_.expires_after(write_deadline);
  asio::async_write(stream_, asio::buffer(out_),
                    [this, self = shared_from_this()](error_code ec, std::size_t) {
                      on_written(ec);
                    });
}

void connection::on_written(error_code ec) {
  if (closed_)
    return;
  if (ec)
    return leave(false);
  stream_.expires_never();
  if (!sending_->is_sent())
    return send_due();
  finish();
}

void connection::finish() {
  if (sending_->ending() == fake_ending::cut)
    return leave(true);
  if (sending_->ending() == fake_ending::stall) {
    pause_.expires_after(stall_max);
    pause_.async_wait([this, self = shared_from_this()](error_code ec) {
      if (!ec)
        leave(true);
    });
    return;
  }
  context_.service.ended(sending_->number(), true);
  keep_alive_ = sending_->keeps_alive();
  sending_.reset();
  if (keep_alive_)
    return read_request();
  linger();
}

// -- the client leaves ---------------------------------------------------------------------------

/// Sees the client go while nothing is written.
void connection::watch() {
  if (std::exchange(watching_, true))
    return;
  stream_.socket().async_wait(asio::ip::tcp::socket::wait_read,
                              [this, self = shared_from_this()](error_code ec) {
                                on_readable(ec);
                              });
}

void connection::on_readable(error_code ec) {
  watching_ = false;
  if (ec || !sending_ || closed_)
    return;
  char byte = 0;
  stream_.socket().receive(asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, ec);
  // What could be read may have been this request, which was read meanwhile.
  if (ec == asio::error::would_block)
    return watch();
  // A byte is the next request, come early: it hides whether the client is there.
  if (ec)
    leave(false);
}

void connection::leave(bool whole) {
  context_.service.ended(sending_->number(), whole);
  close();
}

/// Closes without a reset: bytes still unread would make the kernel throw away the answer that the
/// client has not read yet.
void connection::linger() {
  error_code ec;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  if (ec)
    return close();
  stream_.expires_after(linger_deadline);
  drain();
}

void connection::drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(16U << 10U),
                          [this, self = shared_from_this()](error_code ec, std::size_t size) {
                            drained_ += size;
                            if (ec || drained_ > 4 * body_bytes_max)
                              return close();
                            drain();
                          });
}

void connection::close() {
  if (std::exchange(closed_, true))
    return;
  --context_.open;
  pause_.cancel();
  stream_.close();
}

} // namespace

void start_fake_connection(asio::ip::tcp::socket socket, fake_context& context) {
  const auto executor = socket.get_executor();
  auto one = std::make_shared<connection>(std::move(socket), context);
  asio::dispatch(executor, [one] { one->start(); });
}

} // namespace sidevoice::cli
