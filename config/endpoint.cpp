#include "config/settings.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace sidevoice {

result<endpoint> parse_endpoint(const std::string& text) {
  const error wrong{errc::invalid,
                    "write HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or localhost:0"};
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return wrong;
  const auto digits = text.substr(colon + 1);
  const auto numeric = !digits.empty() && digits.size() <= 5
                       && std::all_of(digits.begin(), digits.end(),
                                      [](char c) { return c >= '0' && c <= '9'; });
  if (!numeric || std::stoi(digits) > 65'535)
    return wrong;
  auto host = text.substr(0, colon);
  const auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  if (host != "localhost" && (failed || address.is_v6() != bracketed))
    return wrong;
  if (host == "localhost" && bracketed)
    return wrong;
  return endpoint{host, static_cast<std::uint16_t>(std::stoi(digits))};
}

std::string to_string(const endpoint& where) {
  const auto is_v6 = where.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + where.host + ']' : where.host) + ':' + std::to_string(where.port);
}

} // namespace sidevoice
