#pragma once

#include "config/result.hpp"
#include "gateway/http.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// The proxies before this server. What they say about where a request came from is believed, what
/// anybody else says is not.
class proxy_list {
public:
  proxy_list() = default;

  /// Addresses and networks: "10.0.0.7", "10.0.0.0/8", "fd00::/8". Error `invalid` names the one
  /// that is none.
  static result<proxy_list> read(const std::vector<std::string>& networks);

  [[nodiscard]] bool has(std::string_view address) const;

  /// The address that the request came from: the last one of X-Forwarded-For, or else of Forwarded,
  /// that is no proxy of the list. That of the socket where the socket is no proxy of the list,
  /// where the fields are no list of addresses, and where the two disagree.
  [[nodiscard]] std::string client_of(const http_request& request) const;

private:
  using bytes = std::array<unsigned char, 16>;
  struct network {
    bytes prefix{};
    unsigned bits = 128;
  };

  static bool read_address(std::string_view text, bytes& out, bool& is_v4);

  std::vector<network> networks_;
};

} // namespace sidevoice
