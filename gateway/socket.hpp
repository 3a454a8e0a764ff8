#pragma once

#include "gateway/http.hpp"
#include "gateway/port_context.hpp"
#include "gateway/site.hpp"

#include <memory>
#include <string>

namespace sidevoice {

class byte_stream;

/// A checked request that becomes a WebSocket.
struct upgrade_parts {
  /// With the bytes that came behind the request put back: the first frames of a client in a hurry.
  std::unique_ptr<byte_stream> stream;
  http_request request;
  /// Echoed; empty: none.
  std::string subprotocol;
  bind_sink bind;
  port_context_ptr context;
};

/// Accepts the WebSocket and runs it: a client_link that keeps itself alive until it is closed. One
/// write under way, the rest in a bounded queue; reading stops while the session is behind.
void start_websocket(upgrade_parts parts);

} // namespace sidevoice
