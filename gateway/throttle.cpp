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

std::string failure_throttle::account(const std::string& address) const {
  auto name = account_of(address);
  if (clear_at_.size() >= options_.addresses_max && !clear_at_.contains(name))
    return "others";
  return name;
}

std::chrono::milliseconds failure_throttle::wait(const std::string& address, time_point now) const {
  const auto found = clear_at_.find(account(address));
  if (found == clear_at_.end())
    return std::chrono::milliseconds{0};
  const auto debt = std::chrono::ceil<std::chrono::milliseconds>(found->second - now);
  const auto allowed = options_.recovery * (static_cast<long>(options_.burst) - 1);
  return std::max(debt - allowed, std::chrono::milliseconds{0});
}

void failure_throttle::failed(const std::string& address, time_point now) {
  if (clear_at_.size() >= options_.addresses_max)
    std::erase_if(clear_at_, [now](const auto& entry) { return entry.second <= now; });
  auto& clear_at = clear_at_[account(address)];
  clear_at = std::max(clear_at, now) + options_.recovery;
}

} // namespace sidevoice
