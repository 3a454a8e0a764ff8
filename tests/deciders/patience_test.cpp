#include "actors/patience.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

const patience::clock::time_point begin{100s};

} // namespace

TEST_CASE("patience ends when nothing has come") {
  patience one;
  CHECK(!one.is_waiting());
  one.begin(begin, 10s);
  CHECK(one.is_waiting());
  CHECK(!one.look(begin + 10s));
}

TEST_CASE("whatever comes makes it begin again, and the look sleeps for the rest") {
  patience one;
  one.begin(begin, 10s);
  one.extend(begin + 4s, 15s);
  const auto left = one.look(begin + 10s);
  REQUIRE(left);
  CHECK(*left == 9s);
  // A busy machine's timers are late as well.
  CHECK(!one.look(begin + 19s + 900ms));
}

TEST_CASE("a process that stood still reads first what came meanwhile") {
  patience one;
  one.begin(begin, 10s);
  const auto left = one.look(begin + 30s);
  REQUIRE(left);
  CHECK(*left == patience::grace);
  CHECK(!one.look(begin + 30s + patience::grace));
}

TEST_CASE("standing still takes nothing of what is left") {
  patience one;
  one.begin(begin, 10s);
  one.extend(begin + 9s, 30s);
  const auto left = one.look(begin + 12s);
  REQUIRE(left);
  CHECK(*left == 27s);
}

TEST_CASE("who waits for nothing is told so") {
  patience one;
  one.begin(begin, 10s);
  one.end();
  CHECK(!one.is_waiting());
}
