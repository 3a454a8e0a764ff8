#pragma once

#include "actors/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A client protocol: one pure class each (protocol_NAME). No clock, no socket, no actor.
namespace sidevoice {

/// Write one text frame.
struct send_frame {
  std::string text;
  /// It answers a client's frame with an error; for the counters.
  bool refusal = false;
};

/// Finish the closing handshake with this code.
struct close_socket {
  std::uint16_t code = 1000;
  std::string reason;
};

/// Attach to the session; its answer comes to on_attached, a refusal to on_attach_refused.
struct attach_session {
  std::uint64_t after = 0;
  bool snapshot = true;
};

/// Send a command to the session; its answer comes back with the token. A connection repeats it
/// after a restart of the session until it is answered.
struct send_command {
  std::uint64_t token = 0;
  session_command command;
};

/// Offer to run these tools of the app, instead of those offered before; a connection repeats it
/// whenever it attaches.
struct offer_names {
  std::vector<std::string> names;
};

using codec_action =
  std::variant<send_frame, close_socket, attach_session, send_command, offer_names>;
using codec_actions = std::vector<codec_action>;

class client_codec {
public:
  virtual ~client_codec() = default;

  /// The socket is open and its session is known.
  virtual codec_actions on_open() = 0;
  virtual codec_actions on_frame(std::string_view text) = 0;
  virtual codec_actions on_binary() = 0;

  virtual codec_actions on_attached(const attached& state) = 0;
  virtual codec_actions on_attach_refused(const error& why) = 0;
  virtual codec_actions on_published(const published& batch) = 0;
  virtual codec_actions on_delta(const answer_delta& delta) = 0;
  virtual codec_actions on_notice(const notice& what) = 0;
  virtual codec_actions on_tool_call(const tool_call& call) = 0;
  virtual codec_actions on_tool_cancelled(const tool_cancelled& call) = 0;
  virtual codec_actions on_accepted(std::uint64_t token, const accepted& answer) = 0;
  virtual codec_actions on_refused(std::uint64_t token, const error& why) = 0;
  /// No answer within the deadline, and it is not known whether the command took effect.
  virtual codec_actions on_lost(std::uint64_t token) = 0;

  /// Number of the newest durable event this client has been given: where to attach again.
  [[nodiscard]] virtual std::uint64_t last_seq() const = 0;
};

} // namespace sidevoice
