#include "config/asio_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

/// A context, its loop, and what was called.
struct fixture {
  boost::asio::io_context context;
  asio_loop loop{context};
  std::vector<int> calls;

  loop::task note(int n) {
    return [this, n] { calls.push_back(n); };
  }
};

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "posted tasks run in the order of the calls, none before the loop turns") {
  for (int i = 0; i < 100; ++i)
    loop.post(note(i));
  CHECK(calls.empty());
  context.run();
  REQUIRE(calls.size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(calls[static_cast<std::size_t>(i)] == i);
}

TEST_CASE_FIXTURE(fixture, "a task that posts is finished before what it posted") {
  loop.post([this] {
    loop.post(note(2));
    calls.push_back(1);
  });
  context.run();
  CHECK(calls == std::vector{1, 2});
}

TEST_CASE_FIXTURE(fixture, "timers call in the order of their times") {
  const auto late = loop.after(2ms, note(2));
  const auto early = loop.after(1ms, note(1));
  const auto at_once = loop.after(0ms, note(0));
  context.run();
  CHECK(calls == std::vector{0, 1, 2});
}

TEST_CASE_FIXTURE(fixture, "a destroyed timer does not call, and the loop does not wait for it") {
  auto never = loop.after(24h, note(1));
  never.reset();
  // Without work run() returns; with a pending wait of a day it would not.
  context.run();
  CHECK(calls.empty());
}

TEST_CASE_FIXTURE(fixture,
                  "a timer that was destroyed after its time but before its call is quiet") {
  auto due = loop.after(0ms, note(1));
  const auto deadline = loop.now() + 1ms;
  while (loop.now() < deadline)
    std::this_thread::yield();
  due.reset();
  context.run();
  CHECK(calls.empty());
}

TEST_CASE_FIXTURE(fixture, "what a destroyed timer holds is freed when the loop turns") {
  auto held = std::make_shared<int>(1);
  auto never = loop.after(24h, [held] { CHECK(*held == 2); });
  CHECK(held.use_count() == 2);
  never.reset();
  context.run();
  CHECK(held.use_count() == 1);
}

TEST_CASE_FIXTURE(fixture, "a timer may be destroyed in its own call") {
  std::unique_ptr<timer> self;
  self = loop.after(0ms, [&] {
    self.reset();
    calls.push_back(1);
  });
  context.run();
  CHECK(calls == std::vector{1});
}

TEST_CASE_FIXTURE(fixture, "timers may be made and destroyed by any thread while the loop runs") {
  auto work =
    std::make_unique<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>>(
      context.get_executor());
  std::thread runner{[this] { context.run(); }};
  std::atomic<int> called{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, &called] {
      for (int i = 0; i < 500; ++i) {
        auto soon = loop.after(std::chrono::microseconds{i % 7}, [&called] { ++called; });
        const auto never = loop.after(24h, [&called] { called += 1'000'000; });
        if (i % 2 == 0)
          soon.reset();
        std::promise<void> turned;
        loop.post([&turned] { turned.set_value(); });
        turned.get_future().wait();
      }
    });
  for (auto& thread : threads)
    thread.join();
  work.reset();
  runner.join();
  CHECK(called.load() <= 2'000);
}

TEST_CASE("timers may outlive their loop and its context") {
  auto context = std::make_unique<boost::asio::io_context>();
  auto loop = std::make_unique<asio_loop>(*context);
  bool called = false;
  auto left = loop->after(0ms, [&called] { called = true; });
  loop.reset();
  context.reset();
  left.reset();
  CHECK_FALSE(called);
}

TEST_CASE_FIXTURE(fixture, "elapsed time never runs back, and the time of day is this century's") {
  const auto before = loop.now();
  CHECK(loop.now() >= before);
  CHECK(wall_ms(loop) > 1'700'000'000'000);
}
