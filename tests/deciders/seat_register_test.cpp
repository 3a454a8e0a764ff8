#include "actors/seat_register.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace sidevoice;

TEST_CASE("an app has as many voice places as its limit, and a place given up is free") {
  seat_register seats;
  auto first = seats.take("moving", 2);
  auto second = seats.take("moving", 2);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(seats.take("moving", 2));
  // A copy is no place of its own, and keeps the one it is of.
  auto copy = first;
  first.reset();
  CHECK_FALSE(seats.take("moving", 2));
  copy.reset();
  CHECK(seats.take("moving", 2));
}

TEST_CASE("each app has places of its own, and without a limit all it wants") {
  seat_register seats;
  const auto moving = seats.take("moving", 1);
  CHECK_FALSE(seats.take("moving", 1));
  CHECK(seats.take("support", 1));
  CHECK_FALSE(seats.take("closed", 0));
  std::vector<seat_register::ticket> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(seats.take("moving", std::nullopt));
  CHECK(many.back());
  // A lower limit takes nobody's place away, and gives nobody a new one.
  CHECK_FALSE(seats.take("moving", 100));
}

TEST_CASE("a place may outlive the register") {
  seat_register::ticket kept;
  {
    seat_register seats;
    kept = seats.take("moving", 1);
  }
  CHECK(kept);
  kept.reset();
}

TEST_CASE("threads that take and give at once never have more than the limit") {
  seat_register seats;
  std::atomic<int> held{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round)
        if (const auto place = seats.take("moving", 2)) {
          if (++held > 2)
            over = true;
          --held;
        }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK_FALSE(over);
  const auto one = seats.take("moving", 2);
  const auto two = seats.take("moving", 2);
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(seats.take("moving", 2));
}
