#pragma once

#include "gateway/client_link.hpp"
#include "gateway/http.hpp"

#include <functional>
#include <memory>
#include <string>
#include <variant>

/// What lies between the sockets and everything that answers them: sites know no sockets, sockets
/// know no routes and no actors.
namespace sidevoice {

/// Takes what a WebSocket receives. Called on the socket's strand; must not block.
class frame_sink {
public:
  virtual ~frame_sink() = default;

  /// One whole message. Each one costs the socket a credit that client_link::consumed gives back.
  /// `text` is empty for binary ones.
  virtual void frame(std::shared_ptr<const std::string> text, bool binary) = 0;

  /// The socket is gone; the last call.
  virtual void gone(const std::string& reason) = 0;
};

/// Binds an accepted socket to its receiver.
using bind_sink = std::function<std::unique_ptr<frame_sink>(std::shared_ptr<client_link>)>;

/// The response comes later: `start` is called once and calls back once, on any thread.
struct http_later {
  std::function<void(std::function<void(http_response)>)> start;
};

/// The request becomes a WebSocket unless `open` calls back with a refusal. Calls back once, on any
/// thread.
struct http_upgrade {
  using outcome = std::variant<http_response, bind_sink>;
  /// Echoed; empty: none.
  std::string subprotocol;
  std::function<void(std::function<void(outcome)>)> open;
};

using site_answer = std::variant<http_response, http_later, http_upgrade>;

/// What answers on one port. Any thread; must not block.
class http_site {
public:
  virtual ~http_site() = default;

  /// `request` has passed check_head.
  virtual site_answer handle(const http_request& request) = 0;
};

} // namespace sidevoice
