#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// HTTP as plain values: what the rules, the router and their tables of tests speak. No library's
/// types.
namespace sidevoice {

struct http_field {
  std::string name;
  std::string value;

  bool operator==(const http_field&) const = default;
};

struct http_request {
  std::string method;
  /// As it was sent; never logged, since a query may hold what it should not.
  std::string target;
  /// 10 or 11.
  unsigned version = 11;
  std::vector<http_field> fields;
  std::string body;
  /// The peer's IP address without its port.
  std::string remote;

  // -- filled in by check_head --------------------------------------------------------------------

  /// Percent-decoded once; begins with a slash.
  std::string path;
  std::map<std::string, std::string> query;

  /// The first field of this name (any case); null without one.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// Whether a comma-separated field has this token (any case).
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
  /// A query value; empty without one.
  [[nodiscard]] std::string parameter(const std::string& name) const;
};

struct http_response {
  unsigned status = 200;
  std::vector<http_field> fields;
  std::string body;
  /// The connection must not be used for another request.
  bool close = false;

  /// The value of a field; empty without one.
  [[nodiscard]] std::string field(std::string_view name) const;
};

/// The error body of OpenAI's API: {"error":{"message","type","param","code"}}.
struct http_error {
  unsigned status = 400;
  std::string code;
  std::string message;
  /// Empty: null.
  std::string param = {};
};
http_response to_response(const http_error& e);

/// The code in the body of such a response; empty for another one.
std::string error_code_of(const http_response& response);

http_response json_response(unsigned status, std::string body);

struct wire_options {
  bool keep_alive = true;
  /// Of a HEAD request: the same header, no body.
  bool without_body = false;
  /// Seconds since 1970, for the Date field.
  std::int64_t unix_s = 0;
};
/// The response as bytes. Control bytes in field values become spaces.
std::string to_wire(const http_response& response, const wire_options& options);

/// Elements of a comma-separated field over all its lines, trimmed; empty ones are left out.
std::vector<std::string> list_of(const http_request& request, std::string_view name);

bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Decodes %XX. Unset for a broken escape.
std::optional<std::string> percent_decode(std::string_view text);

} // namespace sidevoice
