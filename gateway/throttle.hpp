#pragma once

#include "config/rate.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace sidevoice {

/// Slows down who guesses keys: each address may fail `burst` times, then once per `recovery`.
/// Bounded: beyond `addresses_max` the ones that have recovered are forgotten, and if none has, new
/// addresses share one account. Time comes in as an argument.
class failure_throttle {
public:
  using time_point = rate_time;

  struct options {
    std::size_t burst = 20;
    std::chrono::milliseconds recovery{3000};
    std::size_t addresses_max = 10'000;
  };

  explicit failure_throttle(options limits)
      : limit_{limits.burst, limits.recovery},
        failures_{limits.addresses_max, when_crowded::share} {}

  /// How long the address has to wait; zero when it may try.
  [[nodiscard]] std::chrono::milliseconds wait(const std::string& address, time_point now) const;

  void failed(const std::string& address, time_point now);

private:
  rate_limit limit_;
  keyed_rate failures_;
};

/// The address as accounts count it: an IPv6 one by its network of 64 bits, since a single host has
/// all of them; an IPv4 one mapped into IPv6 as itself.
std::string account_of(const std::string& address);

} // namespace sidevoice
