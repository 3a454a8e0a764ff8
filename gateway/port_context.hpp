#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "gateway/flow.hpp"
#include "gateway/site.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace sidevoice {

/// Something with a socket of its own. Thread-safe.
class open_socket {
public:
  virtual ~open_socket() = default;
  /// The server stops: end soon, in the way that the protocol asks for.
  virtual void shut_down() = 0;
};

/// The sockets of a port: counts them, and reaches them when the server stops. Any thread.
class socket_register {
public:
  /// Keeps the socket in the register while the ticket lives, and a WebSocket alive: it has times
  /// without any handler that would. Null: there are too many already, or the server stops.
  using ticket = std::shared_ptr<void>;
  static ticket enter(const std::shared_ptr<socket_register>& self,
                      const std::shared_ptr<open_socket>& socket, bool websocket);

  explicit socket_register(std::size_t sockets_max) : sockets_max_(sockets_max) {}

  /// Shuts down all of them; whoever comes later is refused. `on_empty` is called once, when none
  /// is left, on the thread of the last one.
  void shut_down(std::function<void()> on_empty);
  /// Forgets all of them; for the end of a context that runs no more.
  void abandon();
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t websockets() const;

private:
  struct entry {
    std::weak_ptr<open_socket> socket;
    /// Of a WebSocket only.
    std::shared_ptr<open_socket> kept;
  };

  void leave(std::size_t key);

  const std::size_t sockets_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, entry> entries_;
  std::size_t next_ = 0;
  std::size_t websockets_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
};

struct port_limits {
  std::size_t header_bytes_max = 16 << 10;
  /// No route takes more.
  std::size_t body_bytes_max = 64 << 10;
  std::chrono::milliseconds header_deadline{10'000};
  std::chrono::milliseconds body_deadline{30'000};
  /// Between two requests of a connection.
  std::chrono::milliseconds idle_deadline{60'000};
  std::chrono::milliseconds write_deadline{30'000};
  /// From the decision to close a WebSocket to the end of its TCP connection.
  std::chrono::milliseconds close_deadline{5'000};
  /// A WebSocket that is silent this long is gone; half-way it is sent a ping.
  std::chrono::milliseconds silence{30'000};
  /// Realtime lets an audio append have 15 MiB.
  std::size_t message_bytes_max = 16 << 20;
  std::size_t sockets_max = 100'000;
  read_credit::options credit = {};
  send_bound::options send = {};
  traffic_watch::options traffic = {};
};

class tls_certificates;

/// All that a socket needs from outside. Outlives every socket of its port.
struct port_context {
  std::shared_ptr<http_site> site;
  std::shared_ptr<socket_register> sockets;
  port_limits limits;
  counters* count = nullptr;
  const loop* where = nullptr;
  /// Null: plain HTTP.
  std::shared_ptr<tls_certificates> tls = nullptr;
};
using port_context_ptr = std::shared_ptr<const port_context>;

} // namespace sidevoice
