#include "config/rate.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

const rate_time start{1000h};
const auto per_minute = limit_per(4, 1min);

/// How many of `tries` at one moment are allowed.
int allowed(keyed_rate& rates, std::string_view key, rate_time now, int tries = 10) {
  int count = 0;
  for (int i = 0; i < tries; ++i)
    count += rates.take(key, per_minute, now).count() == 0 ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("a rate is a burst and then one per share of the period") {
  CHECK(limit_per(4, 1min) == rate_limit{.burst = 4, .recovery = 15s});
  CHECK(limit_per(0, 1h) == rate_limit{.burst = 0, .recovery = 1h});
}

TEST_CASE("a bucket allows its burst, then says how long to wait") {
  rate_bucket bucket;
  for (int i = 0; i < 4; ++i) {
    CHECK(bucket.wait(per_minute, start) == 0ms);
    CHECK(bucket.take(per_minute, start) == 0ms);
  }
  CHECK(bucket.wait(per_minute, start) == 15s);
  CHECK(bucket.take(per_minute, start) == 15s);
  // Being refused did not cost anything.
  CHECK(bucket.take(per_minute, start + 14s) == 1s);
  CHECK(bucket.take(per_minute, start + 15s) == 0ms);
  CHECK(bucket.take(per_minute, start + 15s) == 15s);
  CHECK_FALSE(bucket.recovered(start + 74s));
  CHECK(bucket.recovered(start + 75s));
}

TEST_CASE("waits are rounded up, so that who waits for so long is let in") {
  rate_bucket bucket;
  const auto limit = limit_per(3, 1s); // a third of a second each
  for (int i = 0; i < 3; ++i)
    REQUIRE(bucket.take(limit, start) == 0ms);
  const auto wait = bucket.take(limit, start);
  CHECK(wait == 334ms);
  CHECK(bucket.take(limit, start + wait) == 0ms);
}

TEST_CASE("over any period at most twice the count is allowed, and the count on average") {
  rate_bucket bucket;
  int first_minute = 0;
  int hour = 0;
  for (auto now = start; now < start + 1h; now += 500ms) {
    const auto taken = bucket.take(per_minute, now) == 0ms ? 1 : 0;
    hour += taken;
    first_minute += now < start + 1min ? taken : 0;
  }
  CHECK(first_minute <= 8);
  CHECK(hour == 4 + 4 * 60 - 1);
}

TEST_CASE("a limit of zero allows nothing, and a changed one holds at once") {
  rate_bucket bucket;
  CHECK(bucket.take(limit_per(0, 1min), start) == 1min);
  CHECK(bucket.take(per_minute, start) == 0ms);
  CHECK(bucket.take(limit_per(1, 1min), start) > 0ms);
  CHECK(bucket.take(limit_per(60, 1min), start) == 0ms);
}

TEST_CASE("each key has a bucket of its own") {
  keyed_rate rates;
  CHECK(allowed(rates, "a", start) == 4);
  CHECK(allowed(rates, "b", start) == 4);
  CHECK(allowed(rates, "a", start + 30s) == 2);
  CHECK(rates.wait("c", per_minute, start) == 0ms);
  CHECK(rates.size() == 2);
}

TEST_CASE("the key that was used least recently is forgotten") {
  keyed_rate rates{2};
  CHECK(allowed(rates, "a", start) == 4);
  CHECK(allowed(rates, "b", start) == 4);
  CHECK(allowed(rates, "a", start + 15s) == 1);
  CHECK(allowed(rates, "c", start + 15s) == 4);
  CHECK(rates.size() == 2);
  CHECK(allowed(rates, "a", start + 15s) == 0);
  CHECK(allowed(rates, "b", start + 15s) == 4);
}

TEST_CASE("who is refused pushes nobody out") {
  keyed_rate rates{1};
  CHECK(allowed(rates, "a", start) == 4);
  CHECK(rates.take("b", limit_per(0, 1min), start) > 0ms);
  CHECK(allowed(rates, "a", start) == 0);
}

TEST_CASE("where keys share, newcomers have one bucket while all the others owe something") {
  keyed_rate rates{2, when_crowded::share};
  rates.charge("a", per_minute, start);
  rates.charge("b", per_minute, start + 1s);
  CHECK(allowed(rates, "c", start + 1s) == 4);
  CHECK(allowed(rates, "d", start + 1s) == 0);
  CHECK(rates.size() == 2);
  // The first has recovered: there is room for one key.
  CHECK(rates.wait("d", per_minute, start + 15s) == 0ms);
  CHECK(allowed(rates, "d", start + 15s) == 4);
  CHECK(allowed(rates, "e", start + 15s) == 0);
  CHECK(rates.size() == 2);
}

TEST_CASE("what is charged is owed, however much it is") {
  keyed_rate rates;
  for (int i = 0; i < 10; ++i)
    rates.charge("a", per_minute, start);
  CHECK(rates.take("a", per_minute, start) == 7 * 15s);
}
