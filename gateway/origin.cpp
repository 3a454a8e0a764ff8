#include "gateway/origin.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

namespace sidevoice {

namespace {

struct origin_parts {
  std::string scheme;
  /// Host and port as written, lower case, default port left out.
  std::string authority;
};

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string without_default_port(std::string authority, std::string_view scheme) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(port) && !authority.ends_with("]" + std::string{port.substr(1)}))
    authority.resize(authority.size() - port.size());
  return authority;
}

origin_parts parse(std::string_view url) {
  const auto mark = url.find("://");
  if (mark == std::string_view::npos)
    return {};
  auto scheme = lower(url.substr(0, mark));
  auto rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find('/'));
  const auto plain = std::all_of(rest.begin(), rest.end(), [](unsigned char c) {
    return std::isalnum(c) != 0
           || std::string_view{".-_:[]"}.find(static_cast<char>(c)) != std::string_view::npos;
  });
  if ((scheme != "http" && scheme != "https") || rest.empty() || !plain)
    return {};
  auto authority = without_default_port(lower(rest), scheme);
  return {std::move(scheme), std::move(authority)};
}

std::string host_of(std::string_view authority) {
  if (authority.starts_with('['))
    return std::string{authority.substr(1, authority.find(']') - 1)};
  if (std::count(authority.begin(), authority.end(), ':') > 1)
    return std::string{authority}; // a bare IPv6 address
  return std::string{authority.substr(0, authority.find(':'))};
}

bool came_over_a_proxy(const http_request& request) {
  for (const auto* name : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"})
    if (request.find(name) != nullptr)
      return true;
  return false;
}

/// A page that this server itself gave out. The Host is believed only where a page elsewhere cannot
/// choose it: for loopback names (a name of the page's own that resolves to us is none of them) and
/// for the address that the operator has configured.
bool is_own_page(const http_request& request, const origin_parts& origin, const own_address& own) {
  if (!own.public_url.empty()
      && normal_origin(own.public_url) == origin.scheme + "://" + origin.authority)
    return true;
  const auto* host = request.find("Host");
  return host != nullptr && is_loopback_host(*host)
         && without_default_port(lower(*host), origin.scheme) == origin.authority;
}

} // namespace

bool is_loopback_host(std::string_view host) {
  const auto name = lower(host_of(host));
  if (name == "localhost" || name == "::1")
    return true;
  in_addr v4{};
  return ::inet_pton(AF_INET, name.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24U) == 127U;
}

std::string normal_origin(std::string_view url) {
  const auto parts = parse(url);
  return parts.scheme.empty() ? std::string{} : parts.scheme + "://" + parts.authority;
}

origin_verdict judge_origin(const http_request& request, const live_settings& live,
                            const own_address& own) {
  const auto* origin = request.find("Origin");
  if (origin == nullptr) {
    const auto* host = request.find("Host");
    const auto local = own.bound_to_loopback && host != nullptr && is_loopback_host(*host)
                       && !came_over_a_proxy(request);
    return local ? origin_verdict::local_program : origin_verdict::remote_program;
  }
  const auto parts = parse(*origin);
  if (parts.scheme.empty())
    return origin_verdict::foreign;
  const auto sent = parts.scheme + "://" + parts.authority;
  const auto listed = std::any_of(live.origins.begin(), live.origins.end(),
                                  [&sent](const auto& o) { return normal_origin(o) == sent; });
  return listed || is_own_page(request, parts, own) ? origin_verdict::listed
                                                    : origin_verdict::foreign;
}

} // namespace sidevoice
