#pragma once

#include "config/counters.hpp"
#include "config/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>

namespace sidevoice {

struct listen_options {
  /// "127.0.0.1:8080", "[::1]:0", "localhost:8080"; port 0 picks a free one.
  std::string address;
  /// The flag that names it, for error texts: "--listen".
  std::string flag;
  /// Counts `accepts_failed`; null: nobody asks.
  counters* count = nullptr;
};

/// Accepts TCP connections on one address. When the process has no descriptors left it closes what
/// waits, by a descriptor that it keeps for this, and tries again after a pause: old connections
/// are served on, no client hangs in the queue, and no core spins.
class listener {
public:
  /// Called with each accepted socket, on the context; the socket's executor is a strand of its
  /// own. TLS will be a handshake in between.
  using on_socket = std::function<void(boost::asio::ip::tcp::socket)>;

  /// Binds and listens. Errors: `invalid` for an address that is none, `conflict` for a port that
  /// is taken, `unavailable` for one that may not be used; all say what to do.
  static result<std::unique_ptr<listener>> open(boost::asio::io_context& io,
                                                const listen_options& options);

  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener();

  void start(on_socket f);
  /// No new connections; the port is free afterwards. On the context's thread.
  void stop();

  [[nodiscard]] std::uint16_t port() const;
  /// Takes connections from this machine only.
  [[nodiscard]] bool is_loopback() const;
  /// "127.0.0.1:8080", with the real port.
  [[nodiscard]] std::string address() const;

private:
  struct loop_state;

  explicit listener(std::shared_ptr<loop_state> state) : state_(std::move(state)) {}

  std::shared_ptr<loop_state> state_;
};

/// Splits "HOST:PORT" or "[HOST]:PORT". Error `invalid`.
struct host_and_port {
  std::string host;
  std::uint16_t port = 0;
};
result<host_and_port> split_address(const std::string& address);

} // namespace sidevoice
