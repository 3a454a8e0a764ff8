#include "config/web_address.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sidevoice;

TEST_CASE("addresses are cut into what matters for who may be called") {
  CHECK(parse_web_address("https://Shop.Example/a?b=c").value()
        == web_address{true, "shop.example", 443, "/a?b=c"});
  CHECK(parse_web_address("http://127.0.0.1:8080").value()
        == web_address{false, "127.0.0.1", 8080, "/"});
  CHECK(parse_web_address("HTTP://[::1]:80/").value() == web_address{false, "::1", 80, "/"});
  CHECK(parse_web_address("https://a.example?x").value()
        == web_address{true, "a.example", 443, "/?x"});
  for (const std::string text : {"http://localhost", "http://127.9.9.9", "http://[::1]"})
    CHECK(parse_web_address(text)->is_loopback());
  for (const std::string text : {"http://localhost.example", "http://10.0.0.1", "http://[::2]"})
    CHECK_FALSE(parse_web_address(text)->is_loopback());
}

TEST_CASE("what is no web address is refused without being repeated") {
  for (const std::string text : {"",
                                 "a.example",
                                 "/path",
                                 "ftp://a.example",
                                 "https://",
                                 "https:///x",
                                 "https://:80",
                                 "https://me@a.example",
                                 "https://me:canary@a.example",
                                 "https://a.example:0",
                                 "https://a.example:70000",
                                 "https://a.example:x",
                                 "https://a b",
                                 "https://a.example/\n",
                                 "https://[::1",
                                 "https://[::1]x",
                                 "https://[nonsense]",
                                 "https://a.example/#top",
                                 "https://a.example\\@b.example",
                                 "javascript://a.example",
                                 "https://-a",
                                 "https://ü.example"}) {
    CAPTURE(text);
    const auto refused = parse_web_address(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::invalid);
    CHECK(refused.error().detail.find("canary") == std::string::npos);
  }
}
