#include "persistence/stores.hpp"
#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

const session_key key{.app = "moving", .id = "sess_1"};

/// A loop whose tasks the test runs itself.
class hand_loop final : public loop {
public:
  [[nodiscard]] clock::time_point now() const override {
    return {};
  }
  [[nodiscard]] wall_clock::time_point wall() const override {
    return {};
  }
  void post(task f) override {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(f));
    arrived_.notify_one();
  }
  [[nodiscard]] std::unique_ptr<timer> after(clock::duration, task) override {
    throw std::logic_error("a store needs no timer");
  }

  /// Waits for the next task and runs it.
  void run_one() {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [this] { return !tasks_.empty(); });
    const auto next = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    next();
  }

  [[nodiscard]] std::size_t waiting() {
    const std::lock_guard lock{mutex_};
    return tasks_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<task> tasks_;
};

/// Notes the size of each group, and holds the first one until the test lets it go.
class held_writer final : public store_writer {
public:
  explicit held_writer(std::vector<std::size_t>& groups) : groups_(groups) {}

  std::vector<store_completion> run(std::vector<store_job> jobs) override {
    if (groups_.empty()) {
      entered.set_value();
      let_go.get_future().wait();
    }
    groups_.push_back(jobs.size());
    return inner_->run(std::move(jobs));
  }
  [[nodiscard]] std::string incarnation() const override {
    return "held";
  }

  std::promise<void> entered;
  std::promise<void> let_go;

private:
  std::vector<std::size_t>& groups_;
  std::unique_ptr<store_writer> inner_ = make_memory_store();
};

/// A threaded store whose first group is held.
struct held_store {
  explicit held_store(threaded_store_options options) {
    auto made = std::make_unique<held_writer>(groups);
    writer = made.get();
    store = make_threaded_store(std::move(made), where, count, options);
    store->ask(claim_session{.key = key, .node = "n", .create = true}, [](auto) {});
    writer->entered.get_future().wait();
  }

  std::vector<std::size_t> groups;
  hand_loop where;
  counters count;
  held_writer* writer = nullptr;
  std::unique_ptr<sidevoice::store> store;
};

} // namespace

TEST_CASE("answers come on the loop, not before it turns") {
  hand_loop where;
  counters count;
  const auto store = make_threaded_store(make_memory_store("mem"), where, count);
  CHECK(store->incarnation() == "mem");
  const auto here = std::this_thread::get_id();
  bool answered = false;
  store->ask(claim_session{.key = key, .node = "n", .create = true}, [&](auto answer) {
    answered = answer.has_value() && std::this_thread::get_id() == here;
  });
  CHECK_FALSE(answered);
  where.run_one();
  CHECK(answered);
}

TEST_CASE("what waits becomes one group, its answers one task") {
  held_store held{{}};
  std::vector<std::uint64_t> heads;
  for (std::uint64_t head = 0; head < 10; ++head)
    held.store->ask(append(key, 1, head, messages(head, 1), std::to_string(head)),
                    [&heads](auto answer) { heads.push_back(answer.value().head); });
  held.writer->let_go.set_value();
  held.where.run_one();
  held.where.run_one();
  CHECK(heads == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(held.groups == std::vector<std::size_t>{1, 10});
  CHECK(held.count.value(counter::store_appends) == 10);
  CHECK(held.count.value(counter::store_groups) == 1);
}

TEST_CASE("a group has a bound") {
  held_store held{{.group_max = 4}};
  for (std::uint64_t head = 0; head < 10; ++head)
    held.store->ask(append(key, 1, head, messages(head, 1), std::to_string(head)), [](auto) {});
  held.writer->let_go.set_value();
  held.store.reset();
  CHECK(held.groups == std::vector<std::size_t>{1, 4, 4, 2});
}

TEST_CASE("beyond the queue's bound jobs are refused at once") {
  held_store held{{.queue_max = 3}};
  std::vector<std::string> answers;
  for (std::uint64_t head = 0; head < 5; ++head)
    held.store->ask(append(key, 1, head, messages(head, 1), std::to_string(head)),
                    [&answers](auto answer) {
                      answers.push_back(answer ? "stored" : to_string(answer.error().code));
                    });
  // The writer is still held: only refusals can have been posted.
  CHECK(held.where.waiting() == 2);
  held.where.run_one();
  held.where.run_one();
  CHECK(answers == std::vector<std::string>{"overloaded", "overloaded"});
  CHECK(held.count.value(counter::store_refused) == 2);
  held.writer->let_go.set_value();
  held.store.reset();
  while (held.where.waiting() > 0)
    held.where.run_one();
  CHECK(answers.size() == 5);
  CHECK(held.count.value(counter::store_appends) == 3);
}

TEST_CASE("an app that floods the store makes another wait for one group, and leaves it room") {
  held_store held{{.queue_max = 32, .group_max = 4}};
  std::vector<std::string> order;
  const auto ask = [&](const std::string& app) {
    held.store->ask(list_sessions{.app = app}, [&order, app](const auto& answer) {
      order.push_back(answer ? app : app + " refused");
    });
  };
  for (int i = 0; i < 40; ++i)
    ask("flood");
  ask("calm");
  ask("calm");
  // The writer is still held: only refusals can have been posted.
  while (held.where.waiting() > 0)
    held.where.run_one();
  CHECK(order.size() == 12);
  held.writer->let_go.set_value();
  held.store.reset();
  while (held.where.waiting() > 0)
    held.where.run_one();
  REQUIRE(order.size() == 42);
  // Within the first group of all that waited.
  CHECK(std::count(order.begin() + 12, order.begin() + 16, "calm") == 2);
  CHECK(std::count(order.begin(), order.end(), "flood") == 28);
}

TEST_CASE("conflicts are counted apart") {
  hand_loop where;
  counters count;
  const auto store = make_threaded_store(make_memory_store(), where, count);
  store->ask(append(key, 1, 0, messages(0, 1)), [](auto) {});
  where.run_one();
  CHECK(count.value(counter::store_conflicts) == 1);
  CHECK(count.value(counter::store_appends) == 0);
  CHECK(count.value(counter::store_refused) == 0);
}

TEST_CASE("closing a store finishes what was submitted") {
  hand_loop where;
  counters count;
  auto store = make_threaded_store(make_memory_store(), where, count);
  std::size_t answered = 0;
  store->ask(claim_session{.key = key, .node = "n", .create = true},
             [&answered](auto) { ++answered; });
  for (std::uint64_t head = 0; head < 100; ++head)
    store->ask(append(key, 1, head, messages(head, 1), std::to_string(head)),
               [&answered](auto answer) { answered += answer.has_value() ? 1 : 0; });
  store.reset();
  while (where.waiting() > 0)
    where.run_one();
  CHECK(answered == 101);
}
