#pragma once

#include <cstdint>
#include <string>

struct sockaddr;

namespace sidevoice {

/// False for an address that outgoing calls to strangers must not reach: loopback, private,
/// link-local, shared (carrier NAT), multicast, broadcast, documentation, unspecified and reserved
/// ones, of IPv4, of IPv6, and of IPv4 inside IPv6. Families other than these two are not public.
bool is_public_address(const sockaddr* address);

/// The same for an address in text, without brackets; false for what is none.
bool is_public_address(const std::string& text);

} // namespace sidevoice
