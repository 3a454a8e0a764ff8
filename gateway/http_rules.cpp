#include "gateway/http_rules.hpp"

#include "config/base64.hpp"

#include <algorithm>
#include <cctype>

namespace sidevoice {

namespace {

http_response refuse(unsigned status, std::string code, std::string message) {
  auto response = to_response({status, std::move(code), std::move(message)});
  response.close = true;
  return response;
}

http_response bad_request(std::string message) {
  return refuse(400, "bad_request", std::move(message));
}

/// reg-name, address or [address], with an optional port; nothing that could be user info, a path
/// or a list.
bool is_host(const std::string& value) {
  return !value.empty() && value.size() <= 255
         && std::all_of(value.begin(), value.end(), [](unsigned char c) {
              return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':'
                     || c == '[' || c == ']';
            });
}

/// The parser also takes "3, 3"; a proxy before us may read that as something else.
bool is_number(const std::string& value) {
  return !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
}

std::optional<http_response> check_framing(const http_request& request) {
  const auto encodings = request.count("Transfer-Encoding");
  const auto lengths = request.count("Content-Length");
  if (lengths > 1)
    return bad_request("There is more than one Content-Length.");
  if (lengths == 1 && !is_number(*request.find("Content-Length")))
    return bad_request("The Content-Length is not a number.");
  if (encodings == 0)
    return std::nullopt;
  if (encodings > 1 || !equal_ignoring_case(*request.find("Transfer-Encoding"), "chunked"))
    return bad_request("The only Transfer-Encoding understood here is one `chunked`.");
  if (lengths > 0)
    return bad_request("Transfer-Encoding and Content-Length exclude each other.");
  if (request.version < 11)
    return bad_request("Transfer-Encoding needs HTTP/1.1.");
  return std::nullopt;
}

bool read_query(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (part.empty())
      continue;
    const auto equal = part.find('=');
    const auto name = percent_decode(part.substr(0, equal));
    const auto value = percent_decode(equal == std::string_view::npos ? std::string_view{}
                                                                      : part.substr(equal + 1));
    if (!name || !value || !query.emplace(*name, *value).second)
      return false;
  }
  return true;
}

std::optional<http_response> read_target(http_request& request) {
  const std::string_view target = request.target;
  const auto printable = std::all_of(target.begin(), target.end(),
                                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (target.empty() || target.front() != '/' || !printable)
    return bad_request("The request target must be a path that begins with a slash.");
  const auto mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark));
  if (!path || path->find('\0') != std::string::npos)
    return bad_request("The path holds a broken percent escape.");
  request.path = *path;
  request.query.clear();
  const auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  if (!read_query(query, request.query))
    return bad_request("The query holds a broken percent escape or a parameter twice.");
  return std::nullopt;
}

/// RFC 6455 §4.1: base64 of 16 bytes.
bool is_websocket_key(const std::string& value) {
  const auto bytes = read_base64(value, base64_kind::standard);
  return bytes && bytes->size() == 16;
}

http_response upgrade_required(std::string message) {
  auto response = to_response({426, "upgrade_required", std::move(message)});
  response.fields.push_back({"Upgrade", "websocket"});
  response.fields.push_back({"Connection", "Upgrade, close"});
  response.fields.push_back({"Sec-WebSocket-Version", "13"});
  response.close = true;
  return response;
}

} // namespace

std::optional<http_response> check_head(http_request& request) {
  if (request.count("Host") != 1)
    return bad_request("There must be exactly one Host.");
  if (!is_host(*request.find("Host")))
    return bad_request("The Host is not a host name with an optional port.");
  if (auto refused = check_framing(request))
    return refused;
  if (request.find("Expect") != nullptr)
    return refuse(417, "expectation_failed", "Send the body at once, without Expect.");
  if (request.count("Authorization") > 1)
    return bad_request("There is more than one Authorization.");
  if (request.count("Origin") > 1)
    return bad_request("There is more than one Origin.");
  return read_target(request);
}

bool wants_websocket(const http_request& request) {
  return request.has_token("Connection", "upgrade") && request.has_token("Upgrade", "websocket");
}

std::optional<http_response> check_upgrade(const http_request& request) {
  if (!wants_websocket(request))
    return upgrade_required("This address speaks WebSocket: connect with a ws:// or wss:// URL.");
  if (request.method != "GET" || request.version < 11)
    return bad_request("A WebSocket begins with GET and HTTP/1.1.");
  const auto* length = request.find("Content-Length");
  if (request.find("Transfer-Encoding") != nullptr || (length != nullptr && *length != "0"))
    return bad_request("A request for a WebSocket has no body.");
  if (request.count("Sec-WebSocket-Version") != 1 || *request.find("Sec-WebSocket-Version") != "13")
    return upgrade_required("The WebSocket version spoken here is 13.");
  if (request.count("Sec-WebSocket-Key") != 1
      || !is_websocket_key(*request.find("Sec-WebSocket-Key")))
    return bad_request("Sec-WebSocket-Key must be there once and be 16 bytes in base64.");
  return std::nullopt;
}

} // namespace sidevoice
