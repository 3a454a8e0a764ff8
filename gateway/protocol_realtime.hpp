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
};

/// OpenAI's Realtime protocol (GA) for text, with the sidevoice.* extension.
std::unique_ptr<client_codec> make_protocol_realtime(realtime_options options);

} // namespace sidevoice
