#include "providers/vendor_places.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using sidevoice::vendor_health;
using sidevoice::vendor_places;

namespace {

using ticket_ptr = std::unique_ptr<vendor_places::ticket>;
constexpr auto answer = vendor_places::urgency::answer;
constexpr auto analysis = vendor_places::urgency::analysis;

const vendor_health::account mine{"mine", "openai", "key"};
const vendor_health::account theirs{"theirs", "openai", "key"};

/// Who waits, and in which order they were called.
struct line {
  std::shared_ptr<vendor_places> places = std::make_shared<vendor_places>();
  std::vector<std::string> called;

  ticket_ptr wait(const std::string& name, vendor_places::urgency how = answer,
                  std::uint32_t most = 2) {
    return places->wait(mine, most, how, [this, name] { called.push_back(name); });
  }
};

using names = std::vector<std::string>;

} // namespace

TEST_CASE("an account has so many places, and another account has its own") {
  line l;
  auto first = l.places->try_take(mine, 2, answer);
  auto second = l.places->try_take(mine, 2, answer);
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  CHECK(l.places->try_take(mine, 2, answer) == nullptr);
  CHECK(l.places->try_take(theirs, 2, answer) != nullptr);
  CHECK(l.places->taken(mine) == 2);
  CHECK(l.places->taken(theirs) == 0);
  first.reset();
  CHECK(l.places->taken(mine) == 1);
  CHECK(l.places->try_take(mine, 2, answer) != nullptr);
}

TEST_CASE("a place that is let go of goes to who has waited longest, and analyses come last") {
  line l;
  auto first = l.places->try_take(mine, 2, answer);
  const auto second = l.places->try_take(mine, 2, answer);
  auto late = l.wait("analysis", analysis);
  auto one = l.wait("one");
  auto two = l.wait("two");
  CHECK(l.called.empty());
  CHECK(l.places->waiting(mine) == 3);
  first.reset();
  CHECK(l.called == names{"one"});
  CHECK(l.places->taken(mine) == 2);
  one.reset();
  CHECK(l.called == names{"one", "two"});
  two.reset();
  CHECK(l.called == names{"one", "two", "analysis"});
  late.reset();
  CHECK(l.places->taken(mine) == 1);
}

TEST_CASE("who gives up leaves the line, and its place is not given to it") {
  line l;
  auto first = l.places->try_take(mine, 1, answer);
  auto gone = l.wait("gone", answer, 1);
  auto next = l.wait("next", answer, 1);
  gone.reset();
  first.reset();
  CHECK(l.called == names{"next"});
  CHECK(l.places->waiting(mine) == 0);
  next.reset();
  CHECK(l.places->taken(mine) == 0);
}

TEST_CASE("nobody overtakes who waits, and a place that came free meanwhile is had at once") {
  line l;
  auto first = l.places->try_take(mine, 1, answer);
  const auto waits = l.wait("waits", answer, 1);
  // The bound was raised: those who wait are still first.
  CHECK(l.places->try_take(mine, 5, answer) == nullptr);
  CHECK(l.places->try_take(mine, 5, analysis) == nullptr);
  first.reset();
  CHECK(l.called == names{"waits"});
  const auto at_once = l.wait("at once", answer, 5);
  CHECK(l.called == names{"waits", "at once"});
}

TEST_CASE("a bound that was lowered holds as places come free, a raised one lets more in") {
  line l;
  std::vector<ticket_ptr> held;
  for (int i = 0; i < 3; ++i)
    held.push_back(l.places->try_take(mine, 3, answer));
  const auto waits = l.wait("waits", answer, 2);
  held.pop_back();
  CHECK(l.called.empty());
  held.pop_back();
  CHECK(l.called == names{"waits"});
  const auto other = l.wait("other", answer, 2);
  const auto third = l.wait("third", answer, 4);
  held.pop_back();
  CHECK(l.called == names{"waits", "other", "third"});
}

TEST_CASE("tickets may outlive whoever gave them, and a bound of nothing is one place") {
  line l;
  auto only = l.places->try_take(mine, 0, answer);
  REQUIRE(only != nullptr);
  CHECK(l.places->try_take(mine, 0, answer) == nullptr);
  l.places.reset();
  only.reset();
  CHECK(only == nullptr);
}

TEST_CASE("places are neither lost nor doubled by many threads") {
  const auto places = std::make_shared<vendor_places>();
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::atomic<int> called{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        if (auto place = places->try_take(mine, 3, answer)) {
          const auto now = ++inside;
          auto most = most_inside.load();
          while (now > most && !most_inside.compare_exchange_weak(most, now)) {}
          --inside;
        } else {
          auto waits = places->wait(mine, 3, analysis, [&] { ++called; });
        }
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(most_inside <= 3);
  CHECK(places->taken(mine) == 0);
  CHECK(places->waiting(mine) == 0);
}
