#include "gateway/admission.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

/// Samples every 100 ms, and questions at the same clock.
struct node_of_test {
  explicit node_of_test(admission_limits limits = {}) : gate{limits} {}

  load_sample calm() {
    load_sample sample;
    sample.at = now += 100ms;
    sample.loop_delay = 1ms;
    sample.cpu = 0.1;
    sample.sessions = sessions;
    return sample;
  }

  load_sample late(std::chrono::microseconds delay) {
    auto sample = calm();
    sample.actor_delay = delay;
    return sample;
  }

  void feed(int samples, std::chrono::microseconds delay = 0us) {
    for (int i = 0; i < samples; ++i)
      gate.take(delay == 0us ? calm() : late(delay));
  }

  void burn(int samples, double cpu) {
    for (int i = 0; i < samples; ++i) {
      auto sample = calm();
      sample.cpu = cpu;
      gate.take(sample);
    }
  }

  bool enters(newcomer who) {
    return gate.admit(who, now, sessions).count() == 0;
  }

  /// Who is let in becomes a session.
  int crowd(int size) {
    const auto before = sessions;
    for (int i = 0; i < size; ++i)
      sessions += enters(newcomer::keyed) ? 1 : 0;
    return static_cast<int>(sessions - before);
  }

  admission gate;
  std::size_t sessions = 0;
  rate_time now{1h};
};

} // namespace

TEST_CASE("a calm node lets everybody in and has head-room") {
  node_of_test node;
  node.feed(10);
  CHECK(node.enters(newcomer::stranger));
  CHECK(node.enters(newcomer::keyed));
  CHECK(node.gate.may_begin_to_talk());
  CHECK(node.gate.headroom() > 0.8);
}

TEST_CASE("one late timer is bad luck and refuses nobody") {
  node_of_test node;
  node.feed(10);
  node.gate.take(node.late(5s));
  CHECK(node.gate.level() == shedding::nothing);
  CHECK(node.gate.headroom() == 0);
  node.feed(1);
  CHECK(node.enters(newcomer::stranger));
}

TEST_CASE("strangers are refused first, then all who are new, and voices with them") {
  node_of_test node;
  node.feed(10);
  node.feed(3, 120ms);
  CHECK(node.gate.level() == shedding::strangers);
  CHECK_FALSE(node.enters(newcomer::stranger));
  CHECK(node.gate.may_begin_to_talk());
  node.feed(3, 120ms);
  CHECK(node.gate.level() == shedding::newcomers);
  CHECK_FALSE(node.enters(newcomer::keyed));
  CHECK_FALSE(node.gate.may_begin_to_talk());
}

TEST_CASE("far beyond the limit nobody waits for the second step") {
  node_of_test node;
  node.feed(3, 400ms);
  CHECK(node.gate.level() == shedding::newcomers);
}

TEST_CASE("a level falls a step a second once it is well below, and not by a single calm moment") {
  node_of_test node;
  node.feed(3, 400ms);
  node.feed(9);
  CHECK(node.gate.level() == shedding::newcomers);
  // Neither calm nor over: it stays.
  node.feed(30, 95ms);
  CHECK(node.gate.level() == shedding::newcomers);
  node.feed(10);
  CHECK(node.gate.level() == shedding::strangers);
  node.feed(10);
  CHECK(node.gate.level() == shedding::nothing);
}

TEST_CASE("a busy processor that nobody waits for refuses strangers and slows the others down") {
  node_of_test node;
  node.feed(30);
  node.burn(60, 0.95);
  CHECK(node.gate.level() == shedding::strangers);
  CHECK(node.gate.may_begin_to_talk());
  CHECK(node.gate.rate() < 1);
  CHECK(node.crowd(100) <= 1);
}

TEST_CASE("a second of work is no overload, and neither is a busy start") {
  node_of_test node;
  node.burn(10, 1.0);
  CHECK(node.gate.level() == shedding::nothing);
}

TEST_CASE("whoever is held back by its quota in every period is busy, whatever the share says") {
  node_of_test node;
  for (int i = 0; i < 5; ++i) {
    auto sample = node.calm();
    sample.throttled = 1.0;
    node.gate.take(sample);
  }
  CHECK(node.gate.level() == shedding::strangers);
  CHECK(node.gate.tightest() == "cpu");
}

TEST_CASE("store, memory and descriptors count like delays") {
  const auto level_by = [](auto set) {
    node_of_test node;
    for (int i = 0; i < 6; ++i) {
      auto sample = node.calm();
      set(sample);
      node.gate.take(sample);
    }
    return node.gate.level();
  };
  CHECK(level_by([](load_sample& s) { s.store_delay = 1500ms; }) == shedding::newcomers);
  CHECK(level_by([](load_sample& s) { s.memory = 0.95; }) == shedding::newcomers);
  CHECK(level_by([](load_sample& s) { s.descriptors = 0.95; }) == shedding::newcomers);
  CHECK(level_by([](load_sample& s) { s.store_delay = 500ms; }) == shedding::nothing);
}

TEST_CASE("a burst of ten thousand between two samples is bounded") {
  node_of_test node{{.start_rate = 250}};
  node.feed(10);
  const auto in = node.crowd(10'000);
  CHECK(in >= 8);
  CHECK(in <= 25);
}

TEST_CASE("the ramp grows with demand while there is head-room") {
  node_of_test node{{.start_rate = 100, .cores = 100}};
  for (int i = 0; i < 30; ++i) {
    node.feed(1);
    node.crowd(500);
  }
  CHECK(node.gate.rate() > 300);
}

TEST_CASE("a demand that the ramp never refuses does not make it grow") {
  node_of_test node{{.start_rate = 100}};
  for (int i = 0; i < 30; ++i) {
    node.feed(1);
    node.crowd(2);
  }
  CHECK(node.gate.rate() <= 100);
}

TEST_CASE("no more come in than fit by what a session costs, until their load is measured") {
  node_of_test node{{.start_rate = 1000}};
  // A hundred sessions take 40 %: another eighty fit below the bound, and a few more for the guess.
  node.sessions = 100;
  node.burn(60, 0.4);
  int in = 0;
  for (int i = 0; i < 10; ++i) {
    in += node.crowd(500);
    node.burn(1, 0.4);
  }
  CHECK(in >= 80);
  CHECK(in <= 110);
  CHECK_FALSE(node.enters(newcomer::keyed));
  // They turned out to cost nothing: there is room for as many again.
  node.burn(50, 0.4);
  CHECK(node.enters(newcomer::keyed));
}

TEST_CASE("clients that come back to a session which runs take no room from newcomers") {
  node_of_test node;
  node.sessions = 3;
  node.burn(60, 0.35);
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 20; ++k)
      CHECK(node.enters(newcomer::keyed));
    node.burn(1, 0.35);
  }
}

TEST_CASE("a node that has measured nothing yet guesses what a session costs") {
  node_of_test small{{.start_rate = 1000, .cores = 0.33}};
  node_of_test large{{.start_rate = 1000, .cores = 4}};
  const auto fill = [](node_of_test& node) {
    int in = 0;
    for (int i = 0; i < 20; ++i) {
      node.burn(1, 0);
      in += node.crowd(1000);
    }
    return in;
  };
  const auto in_small = fill(small);
  CHECK(in_small >= 50);
  CHECK(in_small <= 150);
  CHECK(fill(large) > 8 * in_small);
}

TEST_CASE("the more are refused, the later they are told to come again") {
  node_of_test node;
  const auto refused_for = [&] {
    return node.gate.admit(newcomer::keyed, node.now, node.sessions);
  };
  while (node.enters(newcomer::keyed)) {}
  CHECK(refused_for() == 1s);
  node.crowd(600);
  CHECK(refused_for() >= 10s);
  node.crowd(10'000);
  CHECK(refused_for() == 30s);
  // Who is refused in the next second is told anew.
  node.feed(10, 1ms);
  node.crowd(1000);
  CHECK(refused_for() < 20s);
}

TEST_CASE("each late sample halves the ramp, and it comes back by itself") {
  node_of_test node{{.start_rate = 400}};
  node.feed(3);
  node.feed(1, 150ms);
  CHECK(node.gate.rate() < 210);
  node.feed(1, 150ms);
  CHECK(node.gate.rate() < 110);
  node.feed(200);
  CHECK(node.gate.rate() > 350);
}

TEST_CASE("whoever is refused is told to wait; the ramp's wait is the shorter one") {
  node_of_test node{{.start_rate = 20}};
  node.feed(1);
  node.crowd(1000);
  const auto ramp = node.gate.admit(newcomer::keyed, node.now, node.sessions);
  node.feed(3, 400ms);
  const auto shed = node.gate.admit(newcomer::keyed, node.now, node.sessions);
  CHECK(ramp.count() > 0);
  CHECK(shed > ramp);
}

TEST_CASE("switched off it refuses nobody") {
  node_of_test node{{.enabled = false}};
  node.feed(10, 10s);
  CHECK(node.crowd(1000) == 1000);
}

TEST_CASE("the level says what it refuses") {
  CHECK(to_string(shedding::nothing) == "nothing");
  CHECK(to_string(shedding::strangers) == "strangers");
  CHECK(to_string(shedding::newcomers) == "newcomers");
}
