#include "gateway/throttle.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace sidevoice {

std::string account_of(const std::string& address) {
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1)
    return address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    ::inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
    return text.data();
  }
  std::fill(std::begin(v6.s6_addr) + 8, std::end(v6.s6_addr), std::uint8_t{0});
  ::inet_ntop(AF_INET6, &v6, text.data(), text.size());
  return std::string{text.data()} + "/64";
}

std::chrono::milliseconds failure_throttle::wait(const std::string& address, time_point now) const {
  return failures_.wait(account_of(address), limit_, now);
}

void failure_throttle::failed(const std::string& address, time_point now) {
  failures_.charge(account_of(address), limit_, now);
}

} // namespace sidevoice
