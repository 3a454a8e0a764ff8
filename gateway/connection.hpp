#pragma once

#include "actors/interfaces.hpp"
#include "config/counters.hpp"
#include "gateway/client_link.hpp"
#include "gateway/codec.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace sidevoice {

/// A frame from the client. `binary` frames carry no text.
struct client_frame {
  std::shared_ptr<const std::string> text;
  bool binary = false;
};

/// The server goes away: send the client to the next one.
struct leave_server {
  std::chrono::milliseconds reconnect_in{0};
  /// Unset: only if no session is awake that would say so itself, at the end of its turn.
  bool attached = false;
};

/// The socket is gone.
struct client_gone {
  std::string reason;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(client_frame)
SIDEVOICE_LOCAL_MESSAGE(client_gone)
SIDEVOICE_LOCAL_MESSAGE(leave_server)

namespace sidevoice {

/// One client attached to a session: turns its frames into commands and events into frames (by its
/// codec), outlives restarts of its session, attaches again with the last number it has seen.
using connection_actor = listener_actor::extend<
  caf::reacts_to<client_frame>, caf::reacts_to<client_gone>, caf::reacts_to<leave_server>,
  // The voice seat's side: `seat_actor`.
  caf::reacts_to<voice_team>, caf::reacts_to<voice_feed>, caf::reacts_to<live_words>,
  caf::reacts_to<speech_sound>, caf::reacts_to<playout_order>, caf::reacts_to<utterance_settled>,
  caf::reacts_to<turn_over>, caf::reacts_to<seat_lost>>;

struct connection_parts {
  directory_actor directory;
  find_session where;
  /// Given by whoever found the session first, so that the upgrade could be refused.
  session_actor session;
  std::unique_ptr<client_codec> codec;
  std::shared_ptr<client_link> link;
  counters* count = nullptr;
  /// Null: this node has no speech engines; the client is told so when it asks for the seat.
  const vad_engine* vad = nullptr;
  /// There is an end-of-turn model; else semantic turns end by their silence.
  bool judges_turns = false;
  id_source* ids = nullptr;
  /// The clock of the pace; null: no voice.
  loop* clock = nullptr;
  /// Whether the node has room for the voice of a session that has not talked yet; empty: it has.
  std::function<bool()> may_begin_to_talk = {};
};
using connection_parts_ptr = std::shared_ptr<connection_parts>;

connection_actor spawn_connection(caf::actor_system& sys, connection_parts_ptr parts);

} // namespace sidevoice
