#pragma once

#include "actors/voice_messages.hpp"
#include "gateway/sound_format.hpp"
#include "gateway/voice_input.hpp"
#include "gateway/voice_output.hpp"

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

/// How this client talks from now on. Changes of a seat that is held, and the terms of one that is
/// taken later.
struct set_voice {
  seat_terms terms;
  sound_format out;
  voice_output_settings pace;
  /// on_probe is wanted.
  bool watch = false;
};

/// Ask for the voice seat (again) and begin a microphone's stream, or go on with it, at this
/// position.
struct ask_seat {
  std::string stream;
  std::uint64_t from_ms = 0;
};

/// Give the seat back.
struct give_seat {};

/// Sound from the client.
struct sound_in {
  samples data;
  std::uint32_t rate = 24'000;
};

/// input_audio_buffer.commit; answered by on_commit_refused where too little was there.
struct commit_sound {
  std::string event_id;
};

/// input_audio_buffer.clear
struct clear_sound {};

/// The client has played so much of this item.
struct client_played {
  std::string item;
  std::uint32_t ms = 0;
};

/// conversation.item.truncate: becomes hear_item with the text position that the connection knows;
/// its answer comes back with the token. on_refused with reason "not_sent" where more is named than
/// was sent.
struct truncate_item {
  std::uint64_t token = 0;
  std::string item;
  std::uint32_t ms = 0;
};

using codec_action = std::variant<send_frame, close_socket, attach_session, send_command,
                                  offer_names, set_voice, ask_seat, give_seat, sound_in,
                                  commit_sound, clear_sound, client_played, truncate_item>;
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
  /// The connection is closed behind it.
  virtual codec_actions on_move(const move_away& where) = 0;
  virtual codec_actions on_tool_call(const tool_call& call) = 0;
  virtual codec_actions on_tool_cancelled(const tool_cancelled& call) = 0;
  virtual codec_actions on_accepted(std::uint64_t token, const accepted& answer) = 0;
  virtual codec_actions on_refused(std::uint64_t token, const error& why) = 0;
  /// No answer within the deadline, and it is not known whether the command took effect.
  virtual codec_actions on_lost(std::uint64_t token) = 0;

  // -- voice

  /// The seat: "yours", "elsewhere", "free" or "unavailable"; `why` says what is missing or what
  /// happened.
  virtual codec_actions on_seat(const std::string& state, const error& why) = 0;
  /// Begun and ended; pauses are not for clients.
  virtual codec_actions on_speech(const speech_edge& edge) = 0;
  virtual codec_actions on_commit_refused(const std::string& event_id) = 0;
  virtual codec_actions on_cleared() = 0;
  virtual codec_actions on_sound(const sound_frame& frame) = 0;
  virtual codec_actions on_held(const std::string& item, bool held) = 0;
  virtual codec_actions on_live_words(const live_words& words) = 0;
  virtual codec_actions on_turn_over(const turn_over& turn) = 0;
  virtual codec_actions on_acknowledged(const std::string& stream, std::uint64_t to_ms) = 0;
  virtual codec_actions on_probe(const speech_probe& probe) = 0;

  /// Number of the newest durable event this client has been given: where to attach again.
  [[nodiscard]] virtual std::uint64_t last_seq() const = 0;
};

} // namespace sidevoice
