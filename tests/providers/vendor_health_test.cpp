#include "providers/vendor_health.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;
using verdict = vendor_health::verdict;

const error stalled{errc::unavailable, "", {}, "stall"};
const vendor_health::account who{"moving", "openai", "key one"};
const vendor_health::time_point begin{1h};

} // namespace

TEST_CASE("a vendor that has failed is left out for a while, for that app and key alone") {
  vendor_health health;
  CHECK(health.judge(who, begin, 30s) == verdict::ask);
  CHECK(health.failed(who, stalled, begin));
  CHECK(health.judge(who, begin, 30s) == verdict::pass_over);
  CHECK(health.judge(who, begin + 29s, 30s) == verdict::pass_over);
  CHECK(health.judge(who, begin, 0s) == verdict::ask);
  for (const auto& other : {vendor_health::account{"moving", "openai", "key two"},
                            vendor_health::account{"moving", "azure", "key one"},
                            vendor_health::account{"shop", "openai", "key one"}})
    CHECK(health.judge(other, begin, 30s) == verdict::ask);
  CHECK(health.judge(who, begin + 30s, 30s) == verdict::probe);
  health.worked(who);
  CHECK(health.judge(who, begin, 30s) == verdict::ask);
}

TEST_CASE("after its pause one call tries the vendor, and the others wait for what it finds") {
  vendor_health health;
  health.failed(who, stalled, begin);
  CHECK(health.judge(who, begin + 31s, 30s) == verdict::probe);
  CHECK(health.judge(who, begin + 31s, 30s) == verdict::pass_over);
  CHECK(health.judge(who, begin + 300s, 30s) == verdict::pass_over);
  SUBCASE("it failed again: another pause") {
    health.failed(who, stalled, begin + 40s);
    CHECK(health.judge(who, begin + 69s, 30s) == verdict::pass_over);
    CHECK(health.judge(who, begin + 70s, 30s) == verdict::probe);
  }
  SUBCASE("it worked: all of them ask") {
    health.worked(who);
    CHECK(health.judge(who, begin + 40s, 30s) == verdict::ask);
    CHECK(health.judge(who, begin + 40s, 30s) == verdict::ask);
  }
  SUBCASE("it was given up: the next one tries") {
    health.left(who);
    CHECK(health.judge(who, begin + 40s, 30s) == verdict::probe);
    CHECK(health.judge(who, begin + 40s, 30s) == verdict::pass_over);
  }
  SUBCASE("it failed by its own fault: the next one tries") {
    CHECK_FALSE(health.failed(who, {errc::invalid, "", {}, "bad_request"}, begin + 40s));
    CHECK(health.judge(who, begin + 40s, 30s) == verdict::probe);
  }
}

TEST_CASE("only failures that say something about the next call leave a vendor out") {
  vendor_health health;
  for (const auto* reason :
       {"bad_request", "context_length_exceeded", "model_not_found", "too_large",
        "request_too_large", "content_filter", "overloaded", "vendor_busy", ""}) {
    INFO(reason);
    CHECK_FALSE(health.failed(who, {errc::unavailable, "", {}, reason}, {}));
    CHECK(health.judge(who, {}, 30s) == verdict::ask);
  }
  for (const auto* reason : {"invalid_api_key", "first_byte", "stall", "server_error", "rate_limit",
                             "insufficient_quota", "cut", "connect", "resolve", "tls"}) {
    INFO(reason);
    CHECK(health.failed(who, {errc::unavailable, "", {}, reason}, {}));
    CHECK(health.judge(who, {}, 30s) == verdict::pass_over);
    health.worked(who);
  }
}

TEST_CASE("marks are bounded: the oldest goes, the newest stays") {
  vendor_health health;
  for (int i = 0; i < 4200; ++i)
    health.failed({"app " + std::to_string(i), "openai", ""}, stalled,
                  begin + std::chrono::milliseconds{i});
  CHECK(health.judge({"app 0", "openai", ""}, begin, 30s) == verdict::ask);
  CHECK(health.judge({"app 4199", "openai", ""}, begin + 5s, 30s) == verdict::pass_over);
}

TEST_CASE("marks may be made and read from many threads") {
  vendor_health health;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const vendor_health::account own{"a" + std::to_string(t), "b", ""};
      for (int i = 0; i < 500; ++i) {
        health.failed(own, stalled, {});
        static_cast<void>(health.judge(own, begin, 1s));
        health.worked(own);
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(health.judge({"a0", "b", ""}, begin, 1s) == verdict::ask);
}

} // namespace sidevoice
