#include "config/fair_line.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using sidevoice::fair_line;

namespace {

std::vector<int> drain(fair_line<int>& line) {
  std::vector<int> out;
  while (const auto next = line.pop())
    out.push_back(*next);
  return out;
}

} // namespace

TEST_CASE("apps are served by turns, each in its own order") {
  fair_line<int> line{100};
  for (int i = 0; i < 4; ++i)
    REQUIRE(line.push("flood", 10 + i));
  REQUIRE(line.push("calm", 1));
  REQUIRE(line.push("other", 20));
  REQUIRE(line.push("calm", 2));
  CHECK(line.size() == 7);
  CHECK(drain(line) == std::vector<int>{10, 1, 20, 11, 2, 12, 13});
  CHECK(line.empty());
}

TEST_CASE("who comes behind a flood waits for one piece of it, not for all") {
  fair_line<int> line{1000};
  for (int i = 0; i < 1000; ++i)
    REQUIRE(line.push("flood", int{i}));
  CHECK(line.pop() == 0);
  REQUIRE(line.push("calm", -1));
  CHECK(line.pop() == 1);
  CHECK(line.pop() == -1);
  CHECK(line.pop() == 2);
}

TEST_CASE("a full line is the app's own: others still find room") {
  fair_line<std::unique_ptr<int>> line{2};
  REQUIRE(line.push("flood", std::make_unique<int>(1)));
  REQUIRE(line.push("flood", std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  CHECK_FALSE(line.push("flood", std::move(third)));
  // NOLINTNEXTLINE(bugprone-use-after-move): what was refused is as it was.
  REQUIRE(third != nullptr);
  CHECK(*third == 3);
  CHECK(line.push("calm", std::make_unique<int>(4)));
  CHECK(line.waiting("flood") == 2);
  CHECK(line.waiting("calm") == 1);
}

TEST_CASE("what is dropped leaves the line as if it had never come") {
  fair_line<int> line{100};
  for (const auto number : {1, 2, 3})
    REQUIRE(line.push("a", int{number}));
  REQUIRE(line.push("b", 9));
  CHECK(line.any_of("a", [](int number) { return number == 2; }));
  line.drop("a", [](int number) { return number == 2; });
  CHECK_FALSE(line.any_of("a", [](int number) { return number == 2; }));
  CHECK(line.size() == 3);
  line.drop("b", [](int) { return true; });
  line.drop("nobody", [](int) { return true; });
  CHECK_FALSE(line.any_of("b", [](int) { return true; }));
  // Its turn is gone with it, and comes back with new work.
  REQUIRE(line.push("b", 8));
  CHECK(drain(line) == std::vector<int>{1, 8, 3});
}
