#include "gateway/http.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace sidevoice {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const auto small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

const char* reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

/// RFC 9110 §5.6.7, such as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const auto c : value)
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  out.append("\r\n");
}

} // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* http_request::find(std::string_view name) const {
  for (const auto& field : fields)
    if (equal_ignoring_case(field.name, name))
      return &field.value;
  return nullptr;
}

std::size_t http_request::count(std::string_view name) const {
  return static_cast<std::size_t>(
    std::count_if(fields.begin(), fields.end(),
                  [name](const auto& field) { return equal_ignoring_case(field.name, name); }));
}

bool http_request::has_token(std::string_view name, std::string_view token) const {
  const auto tokens = list_of(*this, name);
  return std::any_of(tokens.begin(), tokens.end(),
                     [token](const auto& t) { return equal_ignoring_case(t, token); });
}

std::string http_request::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string{} : found->second;
}

std::string http_response::field(std::string_view name) const {
  for (const auto& f : fields)
    if (equal_ignoring_case(f.name, name))
      return f.value;
  return {};
}

std::string error_code_of(const http_response& response) {
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  const nlohmann::json::json_pointer code{"/error/code"};
  return body.is_object() && body.contains(code) && body[code].is_string()
           ? body[code].get<std::string>()
           : std::string{};
}

http_response json_response(unsigned status, std::string body) {
  return {.status = status,
          .fields = {{"Content-Type", "application/json"},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

http_response to_response(const http_error& e) {
  auto param = e.param.empty() ? nlohmann::json(nullptr) : nlohmann::json(e.param);
  const auto* type = e.status >= 500 ? "server_error" : "invalid_request_error";
  const nlohmann::json body = {
    {"error", {{"message", e.message}, {"type", type}, {"param", param}, {"code", e.code}}}};
  // A message may quote what the client sent, which need not be UTF-8.
  return json_response(e.status,
                       body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string to_wire(const http_response& response, const wire_options& options) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_of(response.status)
                    + "\r\n";
  add_field(out, "Date", http_date(options.unix_s));
  for (const auto& field : response.fields)
    add_field(out, field.name, field.value);
  const auto bodyless = response.status == 204 || response.status == 304;
  if (!bodyless)
    add_field(out, "Content-Length", std::to_string(response.body.size()));
  if (response.field("Connection").empty())
    add_field(out, "Connection", options.keep_alive ? "keep-alive" : "close");
  out.append("\r\n");
  if (!bodyless && !options.without_body)
    out.append(response.body);
  return out;
}

std::vector<std::string> list_of(const http_request& request, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& field : request.fields) {
    if (!equal_ignoring_case(field.name, name))
      continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const auto element = trim(rest.substr(0, comma));
      if (!element.empty())
        found.emplace_back(element);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return found;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

} // namespace sidevoice
