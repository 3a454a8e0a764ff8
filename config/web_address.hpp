#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>

namespace sidevoice {

/// An absolute http or https address, cut into what matters for who may be called.
struct web_address {
  bool secure = false;
  /// In small letters; an IPv6 address without its brackets.
  std::string host;
  std::uint16_t port = 0;
  /// Path and query, "/" at least.
  std::string target = "/";

  /// localhost, 127.0.0.0/8 or ::1, as they are written: a name is not resolved.
  [[nodiscard]] bool is_loopback() const;

  bool operator==(const web_address&) const = default;
};

/// Error `invalid` says what is wrong without repeating the text: no http or https, user name or
/// password, blanks or signs beyond ASCII, a fragment, no host, a port out of range.
result<web_address> parse_web_address(const std::string& text);

} // namespace sidevoice
