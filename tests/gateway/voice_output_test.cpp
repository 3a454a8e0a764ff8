#include "tests/gateway/voice_output_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

/// voice_output: frames, pace, order and orders. What is reported of it: voice_playing_test.cpp.

using namespace sidevoice;
using namespace std::chrono_literals;

TEST_CASE("sound goes out in frames that follow each other, the last one shorter") {
  output_fixture one;
  one.output.add(piece("a", 250, 20, true));
  one.tick();
  REQUIRE(one.frames.size() == 3);
  CHECK(one.frames[0].first);
  CHECK_FALSE(one.frames[0].last);
  CHECK(one.frames[0].response == "resp_a");
  CHECK(one.frames[0].from_ms == 0);
  CHECK(one.frames[1].from_ms == 100);
  CHECK_FALSE(one.frames[1].first);
  CHECK(one.frames[2].from_ms == 200);
  CHECK(one.frames[2].data.size() == 50 * 24);
  CHECK(one.frames[2].last);
  CHECK(one.output.sent_ms("a") == 250);
  CHECK(one.output.waiting_ms() == 0);
}

TEST_CASE("the client is kept ahead by the lead and no more") {
  output_fixture one{own_client};
  one.output.add(piece("a", 5000, 100, true));
  one.tick();
  CHECK(one.sent("a") == 200);
  REQUIRE(one.next);
  CHECK(*one.next == one.now + 100ms);
  one.now += 99ms;
  one.tick();
  CHECK(one.sent("a") == 200);
  one.now += 1ms;
  one.tick();
  CHECK(one.sent("a") == 300);
  output_fixture plain;
  plain.output.add(piece("a", 5000, 100, true));
  plain.tick();
  CHECK(plain.sent("a") == 1000);
}

TEST_CASE("called when it asks for it, it sends all in time, and asks only as often as needed") {
  for (const auto lead : {50ms, 100ms, 150ms, 200ms, 1000ms}) {
    CAPTURE(lead.count());
    output_fixture one{{.rate = 16'000, .lead = lead, .frame = 100ms, .reports = false}};
    one.output.add(piece("a", 10'000, 100, true, 16'000));
    const auto start = one.now;
    std::uint64_t sent = 0;
    while (one.tick(), one.next) {
      ++one.calls;
      REQUIRE(one.calls < 200);
      REQUIRE(*one.next > one.now);
      sent = one.sent("a", 16'000);
      const auto ahead = std::chrono::milliseconds{sent} - (one.now - start);
      CHECK(ahead <= std::max(lead, 100ms));
      if (sent < 10'000)
        CHECK(ahead >= std::max(lead, 100ms) - 100ms);
      one.now = *one.next;
    }
    CHECK(one.sent("a", 16'000) == 10'000);
    CHECK(one.now - start == 10s);
    CHECK(one.calls <= 130);
  }
}

TEST_CASE("a late call catches up, but the client never gets more than the lead") {
  output_fixture one;
  one.output.add(piece("a", 20'000, 100, true));
  one.tick();
  one.now += 730ms;
  one.tick();
  CHECK(one.sent("a") == 1700);
  // So late that the client had run dry: the lead begins anew.
  one.now += 10s;
  one.tick();
  CHECK(one.sent("a") == 2700);
}

TEST_CASE("sound that comes too late moves the clock on, not a burst") {
  output_fixture one{own_client};
  one.output.add(piece("a", 300, 10));
  one.run(5s);
  CHECK(one.sent("a") == 300);
  CHECK_FALSE(one.next);
  one.output.add(piece("a", 3000, 50, true));
  one.tick();
  CHECK(one.sent("a") == 500);
  CHECK(one.frames.back().from_ms == 400);
}

TEST_CASE("engine and client may have any rates, and rates may change within an item") {
  output_fixture one{{.rate = 8000}};
  one.output.add(piece("a", 500, 10, false, 22'050));
  one.output.add(piece("a", 500, 20, true, 16'000));
  one.tick();
  CHECK(one.sent("a", 8000) >= 998);
  CHECK(one.sent("a", 8000) <= 1001);
  CHECK(one.frames[0].data.size() == 800);
  CHECK(one.frames.back().last);
}

TEST_CASE("an item without any sound still has a first and last frame") {
  output_fixture one;
  one.output.add(piece("a", 0, 0, true));
  auto null = piece("b", 0, 5, true);
  null.piece.data = nullptr;
  one.output.add(null);
  one.tick();
  REQUIRE(one.frames.size() == 2);
  for (const auto& frame : one.frames) {
    CHECK(frame.first);
    CHECK(frame.last);
    CHECK(frame.data.empty());
  }
  CHECK_FALSE(one.next);
}

TEST_CASE("a last piece without sound ends what went out before") {
  output_fixture one;
  one.output.add(piece("a", 300, 30));
  one.tick();
  CHECK(one.frames.size() == 3);
  one.output.add(piece("a", 0, 30, true));
  one.tick();
  REQUIRE(one.frames.size() == 4);
  CHECK(one.frames[3].last);
  CHECK_FALSE(one.frames[3].first);
  CHECK(one.frames[3].data.empty());
  CHECK(one.frames[3].from_ms == 300);
}

TEST_CASE("an item waits until the one before it has gone out") {
  output_fixture one{own_client};
  one.output.add(piece("a", 300, 30));
  one.output.add(piece("b", 300, 30, true));
  one.run(2s);
  CHECK(one.sent("b") == 0);
  one.output.add(piece("a", 100, 40, true));
  one.tick();
  CHECK(one.sent("a") == 400);
  // The lead is that of both together.
  CHECK(one.sent("b") == 100);
  one.run(2s);
  CHECK(one.sent("b") == 300);
}

TEST_CASE("new settings count from the next item") {
  output_fixture one;
  one.output.add(piece("a", 100, 10));
  one.output.set({.rate = 8000});
  one.output.add(piece("a", 100, 20, true));
  one.output.add(piece("b", 100, 20, true));
  one.tick();
  REQUIRE(one.frames.size() == 3);
  CHECK(one.frames[1].data.size() == 2400);
  CHECK(one.frames[2].data.size() == 800);
}

TEST_CASE("held, nothing goes out; released, it goes on") {
  output_fixture one{own_client};
  one.output.add(piece("a", 2000, 100, true));
  one.run(500ms);
  const auto before = one.sent("a");
  one.output.hold("a", one.now);
  CHECK(one.output.is_held());
  one.run(3s);
  CHECK(one.sent("a") == before);
  CHECK_FALSE(one.next);
  one.output.release("b", one.now);
  CHECK(one.output.is_held());
  one.output.release("a", one.now);
  CHECK_FALSE(one.output.is_held());
  one.tick();
  // The client had paused with what it had.
  CHECK(one.sent("a") == before);
  one.run(100ms);
  CHECK(one.sent("a") == before + 100);
}

TEST_CASE("a plain client plays on while it is held, and gets its lead again") {
  output_fixture one;
  one.output.add(piece("a", 5000, 100, true));
  one.run(100ms);
  CHECK(one.sent("a") == 1100);
  one.output.hold("a", one.now);
  one.run(700ms);
  CHECK(one.output.point(one.now).played_ms == 800);
  one.output.release("a", one.now);
  one.tick();
  CHECK(one.sent("a") == 1800);
}

TEST_CASE("only what is played or going out can be held") {
  output_fixture one{own_client};
  one.output.hold("a", one.now);
  CHECK_FALSE(one.output.is_held());
  one.output.add(piece("a", 1000, 10));
  one.output.add(piece("b", 1000, 10, true));
  one.output.hold("b", one.now);
  CHECK_FALSE(one.output.is_held());
  one.output.hold("a", one.now);
  CHECK(one.output.is_held());
  one.tick();
  CHECK(one.frames.empty());
  one.output.drop("a");
  CHECK_FALSE(one.output.is_held());
  one.tick();
  CHECK(one.sent("b") == 200);
}

TEST_CASE("a hold is over with the item that was held") {
  output_fixture one;
  one.output.add(piece("a", 500, 10, true));
  one.tick();
  one.output.hold("a", one.now);
  CHECK(one.output.is_held());
  one.run(500ms);
  CHECK_FALSE(one.output.is_held());
}

TEST_CASE("what is dropped is not sent, and its late pieces neither") {
  output_fixture one{own_client};
  one.output.add(piece("a", 2000, 100));
  one.output.add(piece("b", 500, 10, true));
  one.tick();
  one.output.drop("a");
  one.output.add(piece("a", 2000, 200, true));
  CHECK(one.output.waiting_ms() == 500);
  one.run(2s);
  CHECK(one.sent("a") == 200);
  CHECK(one.sent("b") == 500);
  // Its account is still known.
  CHECK(one.output.sent_ms("a") == 200);
  CHECK(one.output.text_at("a", 200) == 10);
  CHECK(one.output.text_at("a", 100'000) == 10);
}

TEST_CASE("an item may be dropped before its first piece comes") {
  output_fixture one;
  one.output.drop("a");
  one.output.add(piece("a", 500, 10, true));
  one.tick();
  CHECK(one.frames.empty());
  CHECK(one.output.waiting_ms() == 0);
}

TEST_CASE("after all was dropped an open item goes on where its sound had come to") {
  output_fixture one{own_client};
  one.output.add(piece("a", 2000, 100));
  one.output.add(piece("b", 500, 10));
  one.tick();
  one.output.drop("");
  CHECK(one.output.waiting_ms() == 0);
  CHECK(one.output.point(one.now).item.empty());
  one.output.add(piece("a", 1000, 60, true));
  CHECK(one.output.added().item == "a");
  one.run(3s);
  CHECK(one.sent("a") == 1200);
  CHECK(std::count_if(one.frames.begin(), one.frames.end(),
                      [](const auto& frame) { return frame.first; })
        == 1);
  CHECK(one.output.text_at("a", 200) == 10);
  CHECK(one.output.text_at("a", 1200) == 60);
}

TEST_CASE("pieces of an earlier attempt are not spoken") {
  output_fixture one;
  auto second = piece("a", 200, 10);
  second.attempt = 2;
  one.output.add(second);
  one.output.add(piece("a", 200, 50, true));
  one.tick();
  REQUIRE(one.frames.size() == 2);
  CHECK(one.frames[0].attempt == 2);
  CHECK(one.output.added().text_end == 10);
}

TEST_CASE("pieces behind the last one change nothing") {
  output_fixture one;
  one.output.add(piece("a", 200, 10, true));
  one.output.add(piece("a", 200, 20, true));
  one.run(1s);
  one.output.add(piece("a", 200, 30, true));
  one.run(1s);
  CHECK(one.sent("a") == 200);
  CHECK(one.frames.size() == 2);
}

TEST_CASE("speech is wanted while less than two seconds wait") {
  output_fixture one;
  CHECK(one.tick().wants_more);
  one.output.add(piece("a", 3500, 100));
  CHECK_FALSE(one.tick().wants_more);
  CHECK(one.output.waiting_ms() == 2500);
  one.run(400ms);
  CHECK_FALSE(one.tick().wants_more);
  one.run(200ms);
  CHECK(one.tick().wants_more);
}

TEST_CASE("more than thirty seconds are counted and kept") {
  output_fixture one;
  one.output.add(piece("a", 29'000, 100));
  CHECK(one.count.value(counter::sound_excess_ms) == 0);
  one.output.add(piece("a", 3000, 110));
  one.output.add(piece("a", 1000, 120, true));
  CHECK(one.count.value(counter::sound_excess_ms) == 3000);
  one.run(40s);
  CHECK(one.sent("a") == 33'000);
}
