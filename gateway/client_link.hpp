#pragma once

#include <cstdint>
#include <string>

namespace sidevoice {

/// The way out to one client: a socket, or the lab's scripted client. Any thread; never blocks.
class client_link {
public:
  virtual ~client_link() = default;

  /// Queues one text frame. False when the client does not read and the bound is hit: the socket is
  /// then already being closed (1013), since text is never dropped.
  virtual bool send(std::string text) = 0;

  /// Finishes the closing handshake.
  virtual void close(std::uint16_t code, std::string reason) = 0;

  /// One frame given to the connection has been dealt with: its credit comes back.
  virtual void consumed() = 0;
};

} // namespace sidevoice
