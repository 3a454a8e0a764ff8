#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

/// The status of the refusal; 0 when the request passes.
unsigned refusal(http_request request) {
  const auto response = check_head(request);
  return response ? response->status : 0;
}

http_request without(http_request request, std::string_view name) {
  std::erase_if(request.fields, [name](const auto& f) { return f.name == name; });
  return request;
}

} // namespace

TEST_CASE("a request needs exactly one Host that is a host") {
  CHECK(refusal(raw_request("GET", "/")) == 0);
  CHECK(refusal(without(raw_request("GET", "/"), "Host")) == 400);
  CHECK(refusal(raw_request("GET", "/", {{"host", "127.0.0.1:8080"}})) == 400);
  for (const auto* host : {"", "a b", "a/b", "user@host", "a,b", "a\tb"})
    CHECK_MESSAGE(refusal(at_host(raw_request("GET", "/"), host)) == 400, std::string{host});
  CHECK(refusal(at_host(raw_request("GET", "/"), "[::1]:8080")) == 0);
}

TEST_CASE("the end of a request cannot be argued about") {
  struct row {
    std::vector<http_field> fields;
    unsigned status;
  };
  const std::vector<row> table = {
    {{{"Transfer-Encoding", "chunked"}}, 0},
    {{{"Transfer-Encoding", "Chunked"}}, 0},
    {{{"Content-Length", "3"}}, 0},
    {{{"Transfer-Encoding", "chunked, identity"}}, 400},
    {{{"Transfer-Encoding", "gzip, chunked"}}, 400},
    {{{"Transfer-Encoding", "chunked, chunked"}}, 400},
    {{{"Transfer-Encoding", "xchunked"}}, 400},
    {{{"Transfer-Encoding", "identity"}}, 400},
    {{{"Transfer-Encoding", ""}}, 400},
    {{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}, 400},
    {{{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}, 400},
    {{{"Content-Length", "3"}, {"Content-Length", "3"}}, 400},
    {{{"Content-Length", "3, 3"}}, 400},
    {{{"Content-Length", "+3"}}, 400},
    {{{"Content-Length", ""}}, 400},
    {{{"Expect", "100-continue"}, {"Content-Length", "3"}}, 417},
  };
  for (const auto& row : table) {
    auto request = raw_request("POST", "/");
    request.fields.insert(request.fields.end(), row.fields.begin(), row.fields.end());
    CHECK_MESSAGE(refusal(request) == row.status, row.fields.front().value);
    const auto response = check_head(request);
    if (response)
      CHECK(response->close);
  }
  auto old = raw_request("POST", "/", {{"Transfer-Encoding", "chunked"}});
  old.version = 10;
  CHECK(refusal(old) == 400);
}

TEST_CASE("a target is a path, and its query names nothing twice") {
  for (const auto* target : {"", "*", "http://other/x", "x", "/a b", "/%", "/%g0", "/%0", "/%00",
                             "/\x80", "/?a=1&a=2", "/?a=%x"})
    CHECK_MESSAGE(refusal(raw_request("GET", target)) == 400, std::string{target});
  auto request = checked_request("GET", "/a%20b/%2e%2e?model=moving%40stable&flag&x=a+b");
  CHECK(request.path == "/a b/..");
  CHECK(request.parameter("model") == "moving@stable");
  CHECK(request.parameter("x") == "a+b");
  CHECK(request.parameter("flag").empty());
}

TEST_CASE("a WebSocket begins with one good key, version 13 and no body") {
  const auto status = [](const http_request& request) {
    const auto response = check_upgrade(request);
    return response ? response->status : 0U;
  };
  const auto good = upgrade_request("/v1/realtime");
  CHECK(status(good) == 0);
  const auto with = [&good](const std::string& name, const std::string& value) {
    auto request = without(good, name);
    request.fields.push_back({name, value});
    return request;
  };
  const auto also = [&good](const std::string& name, const std::string& value) {
    auto request = good;
    request.fields.push_back({name, value});
    return request;
  };
  for (const auto* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ",
                          "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25jZQ=!",
                          "dGhlIHNhbXBsZSBub25jZTEyMw==", " dGhlIHNhbXBsZSBub25jZQ=="})
    CHECK_MESSAGE(status(with("Sec-WebSocket-Key", key)) == 400, std::string{key});
  CHECK(status(also("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")) == 400);
  CHECK(status(without(good, "Sec-WebSocket-Key")) == 400);
  for (const auto* version : {"8", "12", "14", "013", ""})
    CHECK_MESSAGE(status(with("Sec-WebSocket-Version", version)) == 426, std::string{version});
  CHECK(check_upgrade(with("Sec-WebSocket-Version", "8"))->field("Sec-WebSocket-Version") == "13");
  CHECK(status(with("Upgrade", "h2c")) == 426);
  CHECK(status(with("Connection", "close")) == 426);
  CHECK(status(with("Upgrade", "h2c, WebSocket")) == 0);
  CHECK(status(also("Content-Length", "5")) == 400);
  CHECK(status(also("Transfer-Encoding", "chunked")) == 400);
  auto old = good;
  old.version = 10;
  CHECK(status(old) == 400);
}

TEST_CASE("a response cannot be split by what it quotes") {
  http_response response{.status = 404, .fields = {{"X-Quote", "a\r\nSet-Cookie: b"}}, .body = "x"};
  const auto wire = to_wire(response, {.keep_alive = false, .without_body = false, .unix_s = 0});
  CHECK(wire
        == "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
           "X-Quote: a  Set-Cookie: b\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
  const auto head = to_wire(response, {.keep_alive = true, .without_body = true, .unix_s = 0});
  CHECK(head.ends_with("Content-Length: 1\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("an error has the body that OpenAI's clients read") {
  CHECK(to_response({401, "invalid_api_key", "No \"key\"."}).body
        == R"({"error":{"code":"invalid_api_key","message":"No \"key\".","param":null,)"
           R"("type":"invalid_request_error"}})");
}
