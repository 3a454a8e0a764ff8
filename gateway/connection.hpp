#pragma once

#include "actors/interfaces.hpp"
#include "config/counters.hpp"
#include "gateway/client_link.hpp"
#include "gateway/codec.hpp"

#include <memory>

namespace sidevoice {

/// A frame from the client. `binary` frames carry no text.
struct client_frame {
  std::shared_ptr<const std::string> text;
  bool binary = false;
};

/// The socket is gone.
struct client_gone {
  std::string reason;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(client_frame)
SIDEVOICE_LOCAL_MESSAGE(client_gone)

namespace sidevoice {

/// One client attached to a session: turns its frames into commands and events into frames (by its
/// codec), outlives restarts of its session, attaches again with the last number it has seen.
using connection_actor =
  listener_actor::extend<caf::reacts_to<client_frame>, caf::reacts_to<client_gone>>;

struct connection_parts {
  directory_actor directory;
  find_session where;
  /// Given by whoever found the session first, so that the upgrade could be refused.
  session_actor session;
  std::unique_ptr<client_codec> codec;
  std::shared_ptr<client_link> link;
  counters* count = nullptr;
};
using connection_parts_ptr = std::shared_ptr<connection_parts>;

connection_actor spawn_connection(caf::actor_system& sys, connection_parts_ptr parts);

} // namespace sidevoice
