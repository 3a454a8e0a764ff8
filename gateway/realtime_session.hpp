#pragma once

#include "actors/voice_messages.hpp"
#include "gateway/realtime_wire.hpp"
#include "gateway/session_rights.hpp"
#include "gateway/sound_format.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

/// The session object of one connection: what the client has set, over our defaults. It lives with
/// the connection and is not journaled.
namespace sidevoice {

/// What a response object repeats of how it was asked for. JSON texts.
struct response_echo {
  json_text metadata = "null";
  json_text max_output_tokens = "\"inf\"";
  /// It asked for sound, or for text, whatever the session is set to.
  std::optional<bool> speaks = {};
};

/// What a session can do beside text.
struct session_voice {
  /// This node and this app can speak; else every client gets text, whatever it asks for.
  bool speaks = false;
  /// Clients with extensions begin with text: their microphone is off.
  bool extensions = false;
};

class realtime_session {
public:
  realtime_session(const app_definition& app, std::string id, session_rights rights,
                   session_voice voice = {});

  /// The full effective session object.
  [[nodiscard]] const json_text& text() const {
    return text_;
  }

  /// {"output": {"format": ..., "voice": ...}}: what responses repeat of it.
  [[nodiscard]] const json_text& audio() const {
    return audio_;
  }

  /// Merges `session` of session.update: absent fields stay, null and empty ones clear, objects
  /// under `audio` merge field by field, turn_detection and tools are taken whole. All of it or,
  /// with a fault, nothing: also where one field is not this connection's to set. `model` is
  /// ignored: the address fixed it.
  std::optional<realtime_fault> update(const nlohmann::json& session);

  /// What responses of this connection are made with.
  [[nodiscard]] const response_options_ptr& options() const {
    return options_;
  }

  /// What one response is made with: `response` of response.create over the session's.
  std::optional<realtime_fault> override_once(const nlohmann::json& response,
                                              response_options_ptr& options,
                                              response_echo& echo) const;

  [[nodiscard]] response_echo echo() const;

  // -- voice

  /// Answers are wanted as sound.
  [[nodiscard]] bool speaks() const {
    return speaks_;
  }
  /// The client wants to be told what was understood.
  [[nodiscard]] bool transcribes() const {
    return transcribes_;
  }
  [[nodiscard]] const sound_format& input() const {
    return input_;
  }
  [[nodiscard]] const sound_format& output() const {
    return output_;
  }
  /// How this client talks, were it to hold the voice seat.
  [[nodiscard]] seat_terms terms() const;

private:
  [[nodiscard]] std::optional<realtime_fault>
  set_field(const std::string& key, const nlohmann::json& value, nlohmann::json& out) const;
  [[nodiscard]] std::optional<realtime_fault>
  set_modalities(const nlohmann::json& value, const std::string& path, nlohmann::json& out) const;
  void keep(const nlohmann::json& session);
  void apply_preset(nlohmann::json& session) const;

  session_rights rights_;
  session_voice voice_;
  turn_settings turns_;
  json_text text_;
  json_text audio_;
  json_text max_output_tokens_;
  response_options_ptr options_;
  bool speaks_ = false;
  bool transcribes_ = false;
  sound_format input_;
  sound_format output_;
};

} // namespace sidevoice
