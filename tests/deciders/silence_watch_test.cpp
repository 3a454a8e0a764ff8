#include "actors/silence_watch.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;
using what = silence_watch::what;

namespace {

/// A silence whose time is turned by hand.
struct quiet {
  silence_watch watch;
  silence_watch::time now{std::chrono::hours{1}};

  quiet() {
    watch.set({.dead_air = dead_air_settings{2500ms, "One moment."},
               .visitor_silent = visitor_silent_settings{20s, "Are you there?", 2},
               .idle_timeout = {}});
  }
  what after(std::chrono::milliseconds passed) {
    now += passed;
    return watch.on_time(now);
  }
};

} // namespace

TEST_CASE("nothing is due before anything has happened") {
  quiet q;
  CHECK(q.after(1h) == what::nothing);
  CHECK_FALSE(q.watch.next());
}

TEST_CASE("a filler breaks the silence before an answer, once") {
  quiet q;
  q.watch.on_asked("resp_1", false, q.now);
  REQUIRE(q.watch.next());
  CHECK(*q.watch.next() == q.now + 2500ms);
  CHECK(q.after(2499ms) == what::nothing);
  CHECK(q.after(1ms) == what::filler);
  CHECK(q.after(1h) == what::nothing);
  CHECK_FALSE(q.watch.next());
}

TEST_CASE("an answer that is heard in time needs no filler") {
  quiet q;
  q.watch.on_asked("resp_1", false, q.now);
  q.watch.on_agent();
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_asked("resp_1", false, q.now);
  q.watch.on_ended("resp_1", q.now);
  CHECK(q.after(1h) == what::nothing);
}

TEST_CASE("without dead_air, or without words for it, nothing fills the silence") {
  quiet q;
  q.watch.set({.dead_air = {}, .visitor_silent = {}, .idle_timeout = {}});
  q.watch.on_asked("resp_1", false, q.now);
  CHECK_FALSE(q.watch.next());
  q.watch.set({.dead_air = dead_air_settings{}, .visitor_silent = {}, .idle_timeout = {}});
  q.watch.on_asked("resp_1", false, q.now);
  CHECK(q.after(10s) == what::nothing);
}

TEST_CASE("a silent visitor is prompted as often as the app says, and then left alone") {
  quiet q;
  for (int times = 0; times < 2; ++times) {
    if (times > 0)
      q.watch.on_asked("resp_1", true, q.now);
    q.watch.on_ended("resp_1", q.now);
    q.watch.on_played(q.now);
    CHECK(q.after(19'999ms) == what::nothing);
    CHECK(q.after(1ms) == what::prompt);
    q.watch.on_agent();
    q.watch.on_ended("resp_1", q.now);
  }
  q.watch.on_played(q.now);
  CHECK_FALSE(q.watch.next());
  // Whoever speaks has the whole of it again.
  q.watch.on_visitor();
  q.watch.on_played(q.now);
  CHECK(q.after(20s) == what::prompt);
}

TEST_CASE("a visitor who speaks or writes is not prompted") {
  quiet q;
  q.watch.on_played(q.now);
  q.watch.on_voice();
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_visitor();
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_played(q.now);
  q.watch.on_asked("resp_1", false, q.now);
  CHECK(q.after(2500ms) == what::filler);
  CHECK(q.after(1h) == what::nothing);
}

TEST_CASE("a noise does not end the silence") {
  quiet q;
  q.watch.on_played(q.now);
  q.after(5s);
  q.watch.on_voice();
  CHECK_FALSE(q.watch.next());
  q.watch.on_voice();
  q.watch.on_noise();
  CHECK(q.after(14'999ms) == what::nothing);
  CHECK(q.after(1ms) == what::prompt);
  // A noise without a voice before it changes nothing.
  q.watch.on_noise();
  CHECK_FALSE(q.watch.next());
}

TEST_CASE("a noise while an answer is awaited keeps the filler, and its end forgets it") {
  quiet q;
  q.watch.on_asked("resp_1", false, q.now);
  q.watch.on_voice();
  q.watch.on_noise();
  CHECK(q.after(2500ms) == what::filler);
  q.watch.on_asked("resp_1", false, q.now);
  q.watch.on_voice();
  q.watch.on_ended("resp_1", q.now);
  q.watch.on_noise();
  CHECK(q.after(1h) == what::nothing);
}

TEST_CASE("an answer that has been played to its end during a noise is followed by silence") {
  quiet q;
  q.watch.on_voice();
  q.watch.on_played(q.now);
  CHECK_FALSE(q.watch.next());
  q.watch.on_noise();
  CHECK(q.after(20s) == what::prompt);
}

TEST_CASE("the end of an answer that is durable late leaves the prompt planned") {
  quiet q;
  q.watch.on_asked("resp_1", false, q.now);
  q.watch.on_agent();
  q.watch.on_played(q.now);
  q.watch.on_ended("resp_1", q.now);
  CHECK(q.after(20s) == what::prompt);
}

TEST_CASE("the end of another answer is not the end of the awaited one") {
  quiet q;
  q.watch.on_asked("resp_2", false, q.now);
  q.watch.on_ended("resp_1", q.now);
  CHECK(q.after(2500ms) == what::filler);
  // What was played belonged to an answer before it: the visitor waits, and not the agent.
  q.watch.on_played(q.now);
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_agent();
  q.watch.on_ended("resp_2", q.now);
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_played(q.now);
  CHECK(q.after(20s) == what::prompt);
}

TEST_CASE("the model speaks up once in a silence") {
  quiet q;
  q.watch.set({.dead_air = {}, .visitor_silent = {}, .idle_timeout = 5000ms});
  q.watch.on_played(q.now);
  CHECK(q.after(5s) == what::idle);
  q.watch.on_agent();
  q.watch.on_played(q.now);
  CHECK(q.after(1h) == what::nothing);
  q.watch.on_visitor();
  q.watch.on_played(q.now);
  CHECK(q.after(5s) == what::idle);
}

TEST_CASE("what is due at once comes one after the other") {
  quiet q;
  q.watch.set({.dead_air = {},
               .visitor_silent = visitor_silent_settings{5s, "Are you there?", 3},
               .idle_timeout = 5000ms});
  q.watch.on_played(q.now);
  CHECK(q.after(5s) == what::idle);
  CHECK(q.watch.on_time(q.now) == what::prompt);
  CHECK(q.watch.on_time(q.now) == what::nothing);
}
