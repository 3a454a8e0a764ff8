#include "config/web_address.hpp"

#include "config/topic_text.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <string_view>

namespace sidevoice {

namespace {

error wrong(std::string detail) {
  return {errc::invalid, std::move(detail), {}, "bad_url"};
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.'
         && std::all_of(host.begin(), host.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'
                     || c == '_';
            });
}

/// Digits as a port; 0 where they are none.
std::uint16_t port_of(std::string_view digits) {
  const auto good = !digits.empty() && digits.size() <= 5
                    && std::all_of(digits.begin(), digits.end(),
                                   [](char c) { return c >= '0' && c <= '9'; });
  const auto number = good ? std::stoi(std::string{digits}) : 0;
  return number <= 65'535 ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

} // namespace

bool web_address::is_loopback() const {
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(host, no_address);
  return no_address ? host == "localhost" : address.is_loopback();
}

result<web_address> parse_web_address(const std::string& text) {
  const auto visible = std::all_of(text.begin(), text.end(),
                                   [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
  if (!visible)
    return wrong("write an address without blanks, backslashes and signs beyond ASCII");
  web_address out;
  const auto scheme = text.find("://");
  const auto name = lower_ascii(text.substr(0, scheme == std::string::npos ? 0 : scheme));
  if (name != "http" && name != "https")
    return wrong("write a whole address, from \"https://\" or \"http://\" on");
  out.secure = name == "https";
  const auto rest = text.substr(scheme + 3);
  const auto slash = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = rest.substr(0, slash);
  if (rest.find('#') != std::string::npos)
    return wrong("leave out the part from # on: it never reaches a server");
  if (authority.find('@') != std::string::npos)
    return wrong("write the address without a user name or password");
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string::npos)
    return wrong("close the brackets of the IPv6 address");
  const auto colon = authority.find(':', bracket);
  const auto host = lower_ascii(authority.substr(0, colon));
  boost::system::error_code no_address;
  if (bracket > 0) {
    out.host = host.substr(1, host.size() - 2);
    boost::asio::ip::make_address_v6(out.host, no_address);
  } else {
    out.host = host;
  }
  if (no_address || (bracket > 0 && host.back() != ']') || (bracket == 0 && !is_host_name(host)))
    return wrong("name a host, such as \"https://shop.example/path\"");
  out.port = colon == std::string::npos ? static_cast<std::uint16_t>(out.secure ? 443 : 80)
                                        : port_of(std::string_view{authority}.substr(colon + 1));
  if (out.port == 0)
    return wrong("write a port between 1 and 65535, or none");
  if (slash < rest.size())
    out.target = (rest[slash] == '/' ? "" : "/") + rest.substr(slash);
  return out;
}

} // namespace sidevoice
