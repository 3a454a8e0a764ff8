#include "gateway/forwarded.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sidevoice {

namespace {

constexpr std::size_t hops_max = 32;

/// "203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:4711", with or without quotes: the address.
std::string address_in(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.starts_with('['))
    return text.substr(1, text.find(']') == std::string::npos ? 0 : text.find(']') - 1);
  if (std::count(text.begin(), text.end(), ':') == 1)
    return text.substr(0, text.find(':'));
  return text;
}

/// The `for` of one element of Forwarded (RFC 7239); empty without one.
std::string for_of(const std::string& element) {
  std::size_t at = 0;
  while (at < element.size()) {
    const auto end = std::min(element.find(';', at), element.size());
    auto pair = element.substr(at, end - at);
    pair.erase(0, std::min(pair.find_first_not_of(" \t"), pair.size()));
    const auto mark = pair.find('=');
    if (mark != std::string::npos && equal_ignoring_case(pair.substr(0, mark), "for"))
      return address_in(pair.substr(mark + 1));
    at = end + 1;
  }
  return {};
}

/// From the first to the last hop; unset without the field.
std::optional<std::vector<std::string>> hops_of(const http_request& request, const char* field,
                                                std::string (*read)(const std::string&)) {
  if (request.find(field) == nullptr)
    return std::nullopt;
  std::vector<std::string> hops;
  for (const auto& element : list_of(request, field))
    hops.push_back(read(element));
  return hops;
}

} // namespace

bool proxy_list::read_address(std::string_view text, bytes& out, bool& is_v4) {
  const std::string zero_ended{text};
  in_addr v4{};
  is_v4 = ::inet_pton(AF_INET, zero_ended.c_str(), &v4) == 1;
  if (!is_v4)
    return ::inet_pton(AF_INET6, zero_ended.c_str(), out.data()) == 1;
  out = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto* raw = reinterpret_cast<const unsigned char*>(&v4.s_addr);
  std::copy(raw, raw + 4, out.begin() + 12);
  return true;
}

result<proxy_list> proxy_list::read(const std::vector<std::string>& networks) {
  proxy_list list;
  for (const auto& text : networks) {
    const error wrong{errc::invalid, "trusted proxy \"" + text
                                       + "\" is neither an address nor a network, such as "
                                         "10.0.0.7, 10.0.0.0/8 or fd00::/8."};
    const auto slash = text.find('/');
    network net;
    bool is_v4 = false;
    if (!read_address(text.substr(0, slash), net.prefix, is_v4))
      return wrong;
    const unsigned most = is_v4 ? 32 : 128;
    unsigned bits = most;
    if (slash != std::string::npos) {
      const auto* begin = text.data() + slash + 1;
      const auto* end = text.data() + text.size();
      const auto [rest, failed] = std::from_chars(begin, end, bits);
      if (failed != std::errc{} || rest != end || begin == end || bits > most)
        return wrong;
    }
    net.bits = bits + (128 - most);
    list.networks_.push_back(net);
  }
  return list;
}

bool proxy_list::has(std::string_view address) const {
  bytes raw{};
  bool is_v4 = false;
  if (networks_.empty() || !read_address(address, raw, is_v4))
    return false;
  return std::any_of(networks_.begin(), networks_.end(), [&raw](const network& net) {
    for (unsigned bit = 0; bit < net.bits; ++bit) {
      const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
      if (((raw[bit / 8] ^ net.prefix[bit / 8]) & mask) != 0)
        return false;
    }
    return true;
  });
}

std::string proxy_list::client_of(const http_request& request) const {
  if (!has(request.remote))
    return request.remote;
  const auto last_stranger =
    [&](const std::optional<std::vector<std::string>>& hops) -> std::optional<std::string> {
    if (!hops || hops->empty() || hops->size() > hops_max)
      return std::nullopt;
    auto found = request.remote;
    for (auto hop = hops->rbegin(); hop != hops->rend(); ++hop) {
      bytes raw{};
      bool is_v4 = false;
      if (!read_address(*hop, raw, is_v4))
        return found == request.remote ? std::nullopt : std::optional{found};
      found = *hop;
      if (!has(*hop))
        break;
    }
    return found;
  };
  const auto old_style = last_stranger(
    hops_of(request, "X-Forwarded-For", [](const auto& element) { return address_in(element); }));
  const auto new_style = last_stranger(
    hops_of(request, "Forwarded", [](const auto& element) { return for_of(element); }));
  // A proxy writes one of the two and passes the other on as the visitor wrote it.
  if (old_style && new_style && *old_style != *new_style)
    return request.remote;
  return old_style ? *old_style : new_style.value_or(request.remote);
}

} // namespace sidevoice
