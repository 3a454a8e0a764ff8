#include "gateway/listener.hpp"

#include "config/log.hpp"
#include "config/rate.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace sidevoice {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds pause_first{50};
constexpr std::chrono::milliseconds pause_max{1000};
/// Once, and once more for those who come later.
constexpr rate_limit lines{1, std::chrono::seconds{30}};

/// Connections that are turned away at a time, with the one descriptor there is.
constexpr int turned_away_max = 256;

/// That one connection was gone before it was taken; the next one may be well. Anything else is
/// about this process, and would come again at once.
bool is_about_peer(error_code ec) {
  return ec == asio::error::connection_aborted || ec == asio::error::connection_reset
         || ec == asio::error::interrupted || ec == asio::error::try_again
         || ec == error_code{EPROTO, boost::system::system_category()};
}

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

error bind_error(const listen_options& options, error_code ec) {
  const auto& where = options.address;
  if (ec == asio::error::address_in_use)
    return {errc::conflict, where + " is taken: another program, perhaps another sidevoice, "
                              + "listens there. Stop it, or choose another port with "
                              + options.flag + " HOST:PORT (port 0 picks a free one)."};
  if (ec == asio::error::access_denied)
    return {errc::unavailable, where + " may not be used: ports below 1024 need the right "
                                 + "CAP_NET_BIND_SERVICE. Choose a higher port with " + options.flag
                                 + ", and put a proxy before it."};
  if (ec == boost::system::errc::address_not_available)
    return {errc::invalid, where + " is not an address of this machine. Use 127.0.0.1 for this "
                             + "machine only, or 0.0.0.0 for all networks, with " + options.flag
                             + "."};
  return {errc::unavailable, where + " cannot be listened on: " + ec.message() + ". Choose another "
                               + "address with " + options.flag + "."};
}

} // namespace

result<host_and_port> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  const auto wrong = error{errc::invalid, "\"" + address
                                            + "\" is not HOST:PORT, such as 127.0.0.1:8080 or "
                                              "[::1]:8080."};
  if (colon == std::string::npos)
    return wrong;
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string::npos)
    return wrong;
  host_and_port parts{std::move(host), 0};
  const auto* begin = address.data() + colon + 1;
  const auto* end = address.data() + address.size();
  const auto [rest, failed] = std::from_chars(begin, end, parts.port);
  if (parts.host.empty() || failed != std::errc{} || rest != end || begin == end)
    return wrong;
  return parts;
}

/// Shared with the pending accept, which may outlive the listener by one handler.
struct listener::loop_state : std::enable_shared_from_this<listener::loop_state> {
  loop_state(asio::io_context& context, counters* counted)
      : io(context),
        acceptor(context),
        pause(context),
        count(counted),
        spare(open_spare()) {}
  loop_state(const loop_state&) = delete;
  loop_state& operator=(const loop_state&) = delete;
  ~loop_state() {
    if (spare >= 0)
      ::close(spare);
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(io),
                          [self = shared_from_this()](error_code ec, tcp::socket socket) {
                            self->on_accept(ec, std::move(socket));
                          });
  }

  void on_accept(error_code ec, tcp::socket socket) {
    if (!acceptor.is_open())
      return;
    if (ec && is_about_peer(ec))
      return accept();
    if (ec)
      return wait(ec);
    wait_next = pause_first;
    socket.set_option(tcp::no_delay(true), ec); // small frames must not wait for acknowledgements
    if (!ec)
      taken(std::move(socket));
    accept();
  }

  void wait(error_code why) {
    if (told.take(lines, std::chrono::steady_clock::now()).count() == 0)
      log(log_level::warning, "cannot accept connections, trying again",
          {{"why", why.message()}, {"remedy", "raise `ulimit -n`"}});
    const auto away = turn_away();
    if (count != nullptr)
      count->add(counter::accepts_failed, std::max<std::uint64_t>(1, away));
    pause.expires_after(wait_next);
    wait_next = std::min(2 * wait_next, pause_max);
    pause.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && self->acceptor.is_open())
        self->accept();
    });
  }

  /// Closes what waits: a client that is refused can go elsewhere, one in the queue cannot.
  std::uint64_t turn_away() {
    if (spare < 0)
      spare = open_spare();
    if (spare < 0)
      return 0;
    ::close(std::exchange(spare, -1));
    std::uint64_t away = 0;
    for (int i = 0; i < turned_away_max; ++i) {
      const auto one = ::accept4(acceptor.native_handle(), nullptr, nullptr,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (one < 0)
        break;
      ::close(one);
      ++away;
    }
    spare = open_spare();
    return away;
  }

  asio::io_context& io;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::chrono::milliseconds wait_next = pause_first;
  rate_bucket told;
  counters* count;
  /// Given up for a moment where there are no others; -1: none.
  int spare;
  tcp::endpoint bound;
  on_socket taken;
};

result<std::unique_ptr<listener>> listener::open(asio::io_context& io,
                                                 const listen_options& options) {
  const auto parts = split_address(options.address);
  if (!parts)
    return error{errc::invalid, options.flag + ": " + parts.error().detail};
  error_code ec;
  tcp::resolver resolver{io};
  const auto found = resolver.resolve(parts->host, std::to_string(parts->port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty())
    return error{errc::invalid, options.flag + ": \"" + parts->host
                                  + "\" is no address of this machine: " + ec.message() + "."};
  const auto endpoint = found.begin()->endpoint();
  auto state = std::make_shared<loop_state>(io, options.count);
  state->acceptor.open(endpoint.protocol(), ec);
  if (!ec)
    state->acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec)
    state->acceptor.bind(endpoint, ec);
  if (!ec)
    state->acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec)
    state->acceptor.native_non_blocking(true, ec); // turn_away takes what there is
  if (ec)
    return bind_error(options, ec);
  state->bound = state->acceptor.local_endpoint();
  return std::unique_ptr<listener>{new listener{std::move(state)}};
}

listener::~listener() {
  stop();
}

void listener::start(on_socket f) {
  state_->taken = std::move(f);
  state_->accept();
}

void listener::stop() {
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
}

std::uint16_t listener::port() const {
  return state_->bound.port();
}

bool listener::is_loopback() const {
  const auto address = state_->bound.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

std::string listener::address() const {
  const auto host = state_->bound.address().to_string();
  return (state_->bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

} // namespace sidevoice
