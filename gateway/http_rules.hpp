#pragma once

#include "gateway/http.hpp"

#include <optional>

/// The rules that the HTTP library leaves to us: what is refused before anything is routed, so that
/// no proxy before us and no parser of ours can disagree about where a request ends (RFC 9112 §6,
/// RFC 6455 §4.2.1).
namespace sidevoice {

/// Checks the header of a request and fills in `path` and `query`. A response: send it and close.
/// Exactly one Host; Transfer-Encoding only as one `chunked`, never beside Content-Length; a target
/// that begins with a slash and holds neither controls nor repeated parameters.
std::optional<http_response> check_head(http_request& request);

/// Checks a request for a WebSocket on a path that offers one. A response: refuse with it.
std::optional<http_response> check_upgrade(const http_request& request);

/// The client asks to switch to the WebSocket protocol.
bool wants_websocket(const http_request& request);

} // namespace sidevoice
