#pragma once

#include "gateway/realtime_wire.hpp"

#include <cstdint>
#include <string>
#include <variant>

/// POST /v1/realtime/client_secrets: what a backend asks a client key to be.
namespace sidevoice {

struct secret_request {
  /// Life of the key.
  std::int64_t seconds = 600;
  /// The app, perhaps with a release, as `sidevoice.app` or `session.model` names it; may be empty.
  std::string model;
  std::string release;
  /// Empty: a new session.
  std::string session;
  std::string user;
  /// Session fields that hold for the key's connections; empty: none.
  json_text preset;
};

/// Reads the body; an empty one asks for nothing in particular. Takes what OpenAI's API takes, and
/// `sidevoice`: {app, session, user, release}; anything that would have no effect is refused.
std::variant<secret_request, realtime_fault> read_secret_request(const std::string& body);

struct secret_answer {
  std::string value;
  std::int64_t expires_s = 0;
  /// The session as the key's connections find it.
  json_text session;
  std::string id;
  std::string app;
  std::string session_id;
};

json_text to_json(const secret_answer& answer);

} // namespace sidevoice
