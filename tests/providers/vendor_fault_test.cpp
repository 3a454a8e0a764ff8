#include "providers/vendor_fault.hpp"

#include "providers/http_address.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace sidevoice {

using namespace std::chrono_literals;

TEST_CASE("error bodies of many servers are read") {
  struct row {
    std::string body;
    vendor_fault fault;
  };
  for (
    const auto& row : std::vector<struct row>{
      {R"({"error":{"message":"m","type":"t","code":"c","param":"p"}})", {"m", "t", "c", "p"}},
      {R"({"error":"plain"})", {"plain", "", "", ""}},
      {R"({"message":"m","type":"t","code":404})", {"m", "t", "404", ""}},
      {R"({"statusCode":404,"message":"m"})", {"m", "", "404", ""}},
      {R"({"error":{"code":"401","message":"m"}})", {"m", "", "401", ""}},
      {R"([{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}])",
       {"m", "", "429", ""}},
      {R"({"error":{"message":"m","code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
       {"m", "", "content_filter", ""}},
      {R"({"detail":"Not Found"})", {"Not Found", "", "", ""}},
      {"Bad Gateway", {"Bad Gateway", "", "", ""}},
      {"", {"", "", "", ""}},
      {R"({"error":null})", {R"({"error":null})", "", "", ""}},
      {R"({"error":[1]})", {R"({"error":[1]})", "", "", ""}},
      {R"({"error":{"message":7,"type":[],"code":{},"param":null}})",
       {R"({"error":{"message":7,"type":[],"code":{},"param":null}})", "", "", ""}},
    }) {
    INFO(row.body);
    const auto read = read_vendor_fault(std::string_view{row.body});
    CHECK(read.message == row.fault.message);
    CHECK(read.type == row.fault.type);
    CHECK(read.code == row.fault.code);
    CHECK(read.param == row.fault.param);
  }
  CHECK(read_vendor_fault(std::string_view{std::string(9000, 'x')}).message.size() == 500);
}

TEST_CASE("an error says what to mend, and nothing that the vendor wrote but codes") {
  const vendor_fault fault{"Incorrect key sk-Canary12345678, visitor said hello", "t",
                           "unsupported_parameter", "max_tokens"};
  const auto why = vendor_error(400, fault, "openai", "sk-Canary12345678");
  CHECK(why.reason == "bad_request");
  CHECK(why.detail.find("unsupported_parameter, max_tokens") != std::string::npos);
  CHECK(why.detail.find("Canary") == std::string::npos);
  CHECK(why.detail.find("hello") == std::string::npos);
  for (const auto* code :
       {"sk-Canary12345678", "xx-sk-Canary12345678-x", "Canary12345", "a b\r\n"}) {
    const auto odd = vendor_error(401, {"", "", code, ""}, "azure", "sk-Canary12345678");
    CHECK(odd.detail == "azure refused the request (401): mend live.vendors.azure.key");
  }
  CHECK(
    vendor_error(400, {"This model's maximum context length is 8 tokens", "", "", ""}, "x").reason
    == "context_length_exceeded");
}

TEST_CASE("the wait before a retry is the server's, within a minute, else it doubles") {
  struct row {
    std::vector<http_call::field> fields;
    unsigned retry;
    std::uint64_t random;
    std::chrono::milliseconds wait;
  };
  // 2027-03-01 10:00:00 UTC.
  const loop::wall_clock::time_point wall{std::chrono::seconds{1'803'895'200}};
  for (const auto& row : std::vector<struct row>{
         {{{"retry-after-ms", "123.4"}, {"retry-after", "9"}}, 0, 0, 123ms},
         {{{"retry-after", "2"}}, 0, 0, 2s},
         {{{"retry-after", "0"}}, 1, 0, 0ms},
         {{{"retry-after", "60"}}, 0, 0, 60s},
         {{{"retry-after", "61"}}, 0, 0, 500ms},
         {{{"retry-after", "-1"}}, 0, 0, 500ms},
         {{{"retry-after", "nan"}}, 0, 0, 500ms},
         {{{"retry-after", "soon"}}, 0, 0, 500ms},
         {{{"retry-after-ms", "1e9"}, {"retry-after", "3"}}, 0, 0, 3s},
         {{{"retry-after", "Mon, 01 Mar 2027 10:00:07 GMT"}}, 0, 0, 7s},
         {{{"retry-after", "Mon, 01 Mar 2027 09:59:00 GMT"}}, 0, 0, 500ms},
         {{}, 0, 0, 500ms},
         {{}, 1, 0, 1s},
         {{}, 4, 0, 8s},
         {{}, 99, 0, 8s},
         {{}, 1, 1000, 750ms},
       }) {
    const auto what = row.fields.empty() ? std::string{} : row.fields[0].value;
    INFO(what);
    CHECK(retry_wait({429, row.fields}, row.retry, row.random, wall) == row.wait);
  }
  for (std::uint64_t random = 0; random < 5000; random += 7) {
    const auto wait = retry_wait({}, 0, random, wall);
    CHECK(wait >= 375ms);
    CHECK(wait <= 500ms);
  }
}

TEST_CASE("addresses that strangers must not make us call are not public") {
  for (const auto* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.9.9.9",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.51.100.7",
                           "203.0.113.7",
                           "224.0.0.1",
                           "239.1.1.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "64:ff9b::a00:1",
                           "64:ff9b:1::808:808",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "2001:db8::1",
                           "2001::1",
                           "2002:7f00:1::",
                           "2002:a00:1::",
                           "3fff::1",
                           "4000::1",
                           "",
                           "localhost",
                           "127.1",
                           "fe80::1%eth0",
                           "1.2.3.4.5"}) {
    INFO(text);
    CHECK_FALSE(is_public_address(text));
  }
  for (const auto* text :
       {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.1.1", "192.169.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"}) {
    INFO(text);
    CHECK(is_public_address(text));
  }
}

} // namespace sidevoice
