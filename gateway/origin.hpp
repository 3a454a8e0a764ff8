#pragma once

#include "config/live.hpp"
#include "gateway/http.hpp"

#include <string>
#include <string_view>

namespace sidevoice {

/// How the server is reached; decides which pages count as its own.
struct own_address {
  /// As visitors see it, such as "https://talk.example"; may be empty.
  std::string public_url;
  /// The listener takes connections from this machine only.
  bool bound_to_loopback = true;
};

/// Decides which pages may open connections (Origin, RFC 6454). Exact: scheme, host and port.
enum class origin_verdict {
  /// The app lists it, or it is the server's own page.
  listed,
  /// Some other page, or `null`.
  foreign,
  /// No Origin, and nothing says that the request came over a proxy: a program on this machine.
  local_program,
  /// No Origin: a program somewhere.
  remote_program,
};
origin_verdict judge_origin(const http_request& request, const live_settings& live,
                            const own_address& own);

/// "localhost", 127.0.0.0/8, ::1; with or without port and brackets.
bool is_loopback_host(std::string_view host);

/// A lower-case origin without path and default port; empty for what is none.
std::string normal_origin(std::string_view url);

} // namespace sidevoice
