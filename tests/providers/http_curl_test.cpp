#include "tests/providers/http_fixture.hpp"

#include <cstdlib>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;
using peer = scripted_server::peer;
using fixture = http_fixture;

} // namespace

TEST_CASE_FIXTURE(fixture, "an answer comes as one head, its bytes and one end") {
  std::string asked;
  scripted_server server{[&](peer& p) {
    asked = p.read_request();
    p.write("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
            "HTTP/1.1 201 Created\r\nX-Request-Id:  abc \r\nTransfer-Encoding: chunked\r\n\r\n"
            + http_chunk("Hel") + http_chunk("lo") + "0\r\nTrailer: 1\r\n\r\n");
    p.wait_for_close();
  }};
  auto call = to(server.url() + "/v1/things?a=b");
  call.fields = {{"Content-Type", "application/json"}, {"X-Empty", ""}, {"api-key", "secret"}};
  const auto got = run(call);
  CHECK(got.head.status == 201);
  CHECK(got.head.field("x-request-id") == "abc");
  CHECK(got.head.field("link").empty());
  CHECK(got.head.field("trailer").empty());
  CHECK(got.heads == 1);
  CHECK(got.body == "Hello");
  CHECK(got.failure.empty());
  CHECK(asked.starts_with("POST /v1/things?a=b HTTP/1.1\r\n"));
  CHECK(asked.find("api-key: secret\r\n") != std::string::npos);
  CHECK(asked.find("X-Empty:\r\n") != std::string::npos);
  CHECK(asked.find("Accept-Encoding") == std::string::npos);
  CHECK(asked.find("Expect") == std::string::npos);
  CHECK(asked.ends_with("\r\n\r\n{}"));
  CHECK(count.value(counter::http_calls) == 1);
  CHECK(count.value(counter::http_failed) == 0);
}

TEST_CASE_FIXTURE(fixture, "every method sends what it should") {
  for (const auto* method : {"GET", "POST", "PUT", "DELETE", "PATCH"})
    for (const auto* body : {"", "{}"}) {
      INFO(method, " with \"", body, "\"");
      std::string asked;
      scripted_server server{[&](peer& p) {
        asked = p.read_request();
        p.write(http_answer("ok"));
      }};
      auto call = to(server.url() + "/x");
      call.method = method;
      call.body = body;
      CHECK(run(call).body == "ok");
      CHECK(asked.starts_with(std::string{method} + " /x HTTP/1.1\r\n"));
      CHECK(asked.ends_with(std::string{"\r\n\r\n"} + body));
      CHECK(asked.find("Content-Type") == std::string::npos);
    }
}

TEST_CASE_FIXTURE(fixture, "a connection is used again, by calls one after the other") {
  scripted_server server{always(http_answer("ok"))};
  for (int i = 0; i < 5; ++i)
    CHECK(run(to(server.url())).body == "ok");
  CHECK(server.connections() == 1);
}

TEST_CASE_FIXTURE(fixture, "a kept connection that the server has closed is no failure") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.write(http_answer("ok"));
  }};
  for (std::size_t i = 1; i <= 3; ++i) {
    CHECK(run(to(server.url())).body == "ok");
    REQUIRE(server.wait_for_ended(i));
  }
  CHECK(server.connections() == 3);
}

TEST_CASE_FIXTURE(fixture, "redirects are never followed") {
  scripted_server other{always(http_answer("stolen"))};
  scripted_server server{
    always(http_answer("", "307 Temporary Redirect", "Location: " + other.url() + "/\r\n"))};
  auto call = to(server.url());
  call.fields = {{"api-key", "secret"}};
  const auto got = run(call);
  CHECK(got.head.status == 307);
  CHECK(got.failure.empty());
  CHECK(other.connections() == 0);
}

TEST_CASE_FIXTURE(fixture, "what breaks off is cut, with whatever had come") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& answer : {std::string{}, std::string{"HTTP/1.1 2"}, head, head + "12345",
                             chunked, chunked + http_chunk("1234"), chunked + "8\r\n123"})
    for (const bool with_reset : {false, true}) {
      INFO("answer: ", answer, " reset: ", with_reset);
      scripted_server server{[&](peer& p) {
        p.read_request();
        p.write(answer);
        if (with_reset)
          p.reset();
      }};
      const auto got = run(to(server.url()));
      CHECK(got.failure == "cut");
    }
  CHECK(count.value(counter::http_failed) == count.value(counter::http_calls));
}

TEST_CASE_FIXTURE(fixture, "what is no HTTP is a failure") {
  scripted_server server{always("SSH-2.0-OpenSSH_9\r\n")};
  auto call = to(server.url());
  call.first_byte_deadline = 5s;
  CHECK(run(call).failure == "cut");
}

TEST_CASE_FIXTURE(fixture, "an answer that does not begin in time is given up") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.wait_for_close();
  }};
  auto call = to(server.url());
  call.first_byte_deadline = 50ms;
  CHECK(run(call).failure == "first_byte");
  CHECK(server.wait_for_ended(1));
}

TEST_CASE_FIXTURE(fixture, "the whole exchange has a deadline, the first byte none behind it") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    p.wait_for_close();
  }};
  auto call = to(server.url());
  call.first_byte_deadline = 10s;
  call.deadline = 100ms;
  const auto got = run(call);
  CHECK(got.failure == "deadline");
  CHECK(got.body == "abc");
  CHECK(server.wait_for_ended(1));
}

TEST_CASE_FIXTURE(fixture, "an answer beyond its bound is cut off, one of that size is not") {
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{100'001}}) {
    scripted_server server{always(http_answer(std::string(size, 'x')))};
    auto call = to(server.url());
    call.answer_bytes_max = 100'000;
    const auto got = run(call);
    CHECK(got.failure == (size > 100'000 ? "too_large" : ""));
    CHECK(got.body.size() <= 100'000);
  }
}

TEST_CASE_FIXTURE(fixture, "a head without end is too large") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\n");
    while (p.write("X-Filler: " + std::string(1000, 'x') + "\r\n")) {}
  }};
  CHECK(run(to(server.url())).failure == "too_large");
}

TEST_CASE_FIXTURE(fixture, "an address in a private network is refused before anything is sent") {
  scripted_server server{always(http_answer("secret"))};
  const auto port = server.url().substr(server.url().rfind(':'));
  for (const auto& host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0",
                           "169.254.169.254", "2130706433", "0x7f.1"}) {
    INFO(host);
    auto call = to("http://" + std::string{host} + port + "/");
    call.private_addresses = false;
    call.connect_deadline = 5s;
    CHECK(run(call).failure == "private_address");
  }
  CHECK(server.connections() == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a connection of a call that may go there is none for one that may not") {
  scripted_server server{always(http_answer("ok"))};
  CHECK(run(to(server.url())).body == "ok");
  auto call = to(server.url());
  call.private_addresses = false;
  CHECK(run(call).failure == "private_address");
  CHECK(run(to(server.url())).body == "ok");
}

TEST_CASE_FIXTURE(fixture, "a port that nobody listens on, and a name that nobody has") {
  std::string gone;
  {
    scripted_server server{always("")};
    gone = server.url();
  }
  CHECK(run(to(gone)).failure == "connect");
  CHECK(run(to("http://no-such-host.invalid/")).failure == "resolve");
}

TEST_CASE_FIXTURE(fixture, "calls that cannot be made fail, and say so on the loop") {
  for (const auto* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "127.0.0.1:80",
                          "http://user:secret@127.0.0.1/", "http://a b/", "gopher://x/"}) {
    INFO(url);
    CHECK(run(to(url)).failure == "bad_url");
  }
  for (const auto& field : {http_call::field{"X-A", "b\r\nX-Evil: 1"}, http_call::field{"", "x"},
                            http_call::field{"X Y", "z"}, http_call::field{"X:", "z"}}) {
    auto call = to("http://127.0.0.1:9/");
    call.fields = {field};
    CHECK(run(call).failure == "bad_field");
  }
  auto call = to("http://127.0.0.1:9/");
  call.method = "GET /\r\n";
  CHECK(run(call).failure == "bad_field");
}

TEST_CASE_FIXTURE(fixture, "TLS against a server that speaks none fails as such") {
  scripted_server server{[](peer& p) { p.write("220 hello\r\n"); }};
  CHECK(run(to("https" + server.url().substr(4))).failure == "tls");
}

TEST_CASE_FIXTURE(fixture, "the environment's proxy is not asked") {
  scripted_server proxy{always(http_answer("proxied"))};
  scripted_server server{always(http_answer("direct"))};
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  const auto got = run(to(server.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  CHECK(got.body == "direct");
  CHECK(proxy.connections() == 0);
}

} // namespace sidevoice
