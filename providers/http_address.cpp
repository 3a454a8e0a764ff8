#include "providers/http_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sidevoice {

namespace {

struct v4_range {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// IANA's registry of special-purpose addresses.
constexpr std::array v4_not_public{
  v4_range{v4(0, 0, 0, 0), 8},      v4_range{v4(10, 0, 0, 0), 8},
  v4_range{v4(100, 64, 0, 0), 10},  v4_range{v4(127, 0, 0, 0), 8},
  v4_range{v4(169, 254, 0, 0), 16}, v4_range{v4(172, 16, 0, 0), 12},
  v4_range{v4(192, 0, 0, 0), 24},   v4_range{v4(192, 0, 2, 0), 24},
  v4_range{v4(192, 88, 99, 0), 24}, v4_range{v4(192, 168, 0, 0), 16},
  v4_range{v4(198, 18, 0, 0), 15},  v4_range{v4(198, 51, 100, 0), 24},
  v4_range{v4(203, 0, 113, 0), 24}, v4_range{v4(224, 0, 0, 0), 3},
};

bool is_public_v4(std::uint32_t address) {
  return std::none_of(v4_not_public.begin(), v4_not_public.end(), [address](const v4_range& range) {
    return (address ^ range.first) >> (32 - range.bits) == 0;
  });
}

using v6_bytes = std::array<std::uint8_t, 16>;

std::uint32_t v4_in(const v6_bytes& a, std::size_t at) {
  return v4(a[at], a[at + 1], a[at + 2], a[at + 3]);
}

bool is_zero(const v6_bytes& a, std::size_t from, std::size_t to) {
  return std::all_of(a.begin() + static_cast<std::ptrdiff_t>(from),
                     a.begin() + static_cast<std::ptrdiff_t>(to),
                     [](auto byte) { return byte == 0; });
}

bool is_public_v6(const v6_bytes& a) {
  // IPv4-mapped (::ffff:a.b.c.d) and translated (64:ff9b::a.b.c.d): what counts is inside.
  if (is_zero(a, 0, 10) && a[10] == 0xFF && a[11] == 0xFF)
    return is_public_v4(v4_in(a, 12));
  if (a[0] == 0 && a[1] == 0x64 && a[2] == 0xFF && a[3] == 0x9B)
    return is_zero(a, 4, 12) && is_public_v4(v4_in(a, 12));
  // 6to4 carries its router's IPv4 address.
  if (a[0] == 0x20 && a[1] == 0x02)
    return is_public_v4(v4_in(a, 2));
  // Only 2000::/3 is given out; Teredo (2001::/32) and documentation are of it.
  if ((a[0] & 0xE0) != 0x20)
    return false;
  const bool is_teredo = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0;
  const bool is_documentation = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8;
  return !is_teredo && !is_documentation && !(a[0] == 0x3F && a[1] == 0xFF && a[2] < 0x10);
}

} // namespace

bool is_public_address(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return is_public_v4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    v6_bytes bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return is_public_v6(bytes);
  }
  return false;
}

bool is_public_address(const std::string& text) {
  sockaddr_in v4_address{};
  v4_address.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &v4_address.sin_addr) == 1)
    return is_public_address(reinterpret_cast<const sockaddr*>(&v4_address));
  sockaddr_in6 v6_address{};
  v6_address.sin6_family = AF_INET6;
  // A zone ("fe80::1%eth0") belongs to link-local addresses only, which inet_pton refuses.
  if (inet_pton(AF_INET6, text.c_str(), &v6_address.sin6_addr) == 1)
    return is_public_address(reinterpret_cast<const sockaddr*>(&v6_address));
  return false;
}

} // namespace sidevoice
