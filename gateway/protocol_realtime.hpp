#pragma once

#include "config/ids.hpp"
#include "gateway/codec.hpp"
#include "gateway/session_rights.hpp"

#include <memory>

namespace sidevoice {

struct realtime_options {
  app_ptr app;
  std::string session;
  /// sidevoice.* events: only for connections that ask for them.
  bool extensions = false;
  /// What this connection's credential may set by session.update and response.create, and what it
  /// brought with it.
  session_rights rights = {};
  /// Sealed key with which an anonymous visitor may come back to this session; given in the
  /// snapshot of connections with extensions. Empty: none.
  std::string client_key;
  id_source* ids = nullptr;
  /// What this node and this app can do: understand sound, and answer with it. Clients that ask for
  /// sound where there is none get text.
  bool hears = false;
  bool speaks = false;
};

/// OpenAI's Realtime protocol (GA) for text and voice, with the sidevoice.* extension. Sessions of
/// type "transcription" and the names of the beta are not part of it.
std::unique_ptr<client_codec> make_protocol_realtime(realtime_options options);

} // namespace sidevoice
