#include "tests/gateway/voice_output_support.hpp"

#include <doctest/doctest.h>

/// voice_output: what has been played and heard, and what is reported of it.

using namespace sidevoice;
using namespace std::chrono_literals;

TEST_CASE("by the clock, what was sent is played from its first frame on") {
  output_fixture one;
  CHECK(one.output.point(one.now).item.empty());
  one.output.add(piece("a", 3000, 300, true));
  CHECK(one.output.point(one.now).item.empty());
  one.tick();
  auto point = one.output.point(one.now);
  CHECK(point.item == "a");
  CHECK(point.sent_ms == 1000);
  CHECK(point.played_ms == 0);
  CHECK(point.heard_text == 0);
  CHECK(point.audible);
  point = one.output.point(one.now + 400ms);
  CHECK(point.played_ms == 400);
  CHECK(point.heard_text == 40);
  // Nobody came to send more: the client has run dry.
  point = one.output.point(one.now + 5s);
  CHECK(point.played_ms == 1000);
  CHECK(point.heard_text == 100);
  CHECK_FALSE(point.audible);
}

TEST_CASE("text and sound are linear between the pieces' ends") {
  output_fixture one;
  one.output.add(piece("a", 500, 10));
  one.output.add(piece("a", 300, 10));
  one.output.add(piece("a", 200, 50));
  one.output.add(piece("a", 0, 60, true));
  CHECK(one.output.text_at("a", 0) == 0);
  CHECK(one.output.text_at("a", 250) == 5);
  CHECK(one.output.text_at("a", 500) == 10);
  CHECK(one.output.text_at("a", 700) == 10);
  CHECK(one.output.text_at("a", 900) == 35);
  CHECK(one.output.text_at("a", 1000) == 60);
  CHECK(one.output.text_at("a", 2000) == 60);
  CHECK_FALSE(one.output.text_at("b", 0));
  CHECK_FALSE(one.output.sent_ms("b"));
}

TEST_CASE("a text that goes back changes nothing, and many pieces keep their places") {
  output_fixture one;
  for (std::size_t i = 1; i <= 3000; ++i)
    one.output.add(piece("a", 20, i % 7 == 0 ? 0 : 2 * i));
  CHECK(one.output.added().text_end == 6000);
  for (std::uint32_t ms = 1000; ms <= 60'000; ms += 1000) {
    const auto text = static_cast<double>(*one.output.text_at("a", ms));
    CHECK(text == doctest::Approx(ms / 10.0).epsilon(0.02));
  }
}

TEST_CASE("a client that reports is believed, and the clock goes on from its word") {
  output_fixture one{own_client};
  one.output.add(piece("a", 3000, 300, true));
  one.run(300ms);
  // It may not have begun to play.
  CHECK(one.output.point(one.now).played_ms == 0);
  one.output.played("a", 150, one.now);
  CHECK(one.output.point(one.now).played_ms == 150);
  CHECK(one.output.point(one.now + 100ms).played_ms == 250);
  one.run(200ms);
  CHECK(one.output.point(one.now).played_ms == 350);
  // It stumbled.
  one.output.played("a", 200, one.now);
  CHECK(one.output.point(one.now).played_ms == 200);
  CHECK(one.output.point(one.now).heard_text == 20);
}

TEST_CASE("reports of more than was sent, or of something else, change nothing") {
  output_fixture one{own_client};
  one.output.add(piece("a", 3000, 300, true));
  one.output.add(piece("b", 3000, 300, true));
  one.run(100ms);
  one.output.played("a", 100, one.now);
  one.output.played("a", 302, one.now);
  one.output.played("b", 50, one.now);
  one.output.played("c", 50, one.now);
  CHECK(one.output.point(one.now).played_ms == 100);
  // Its last millisecond may be rounded up.
  one.output.played("a", 300, one.now);
  CHECK(one.output.point(one.now).played_ms == 300);
  output_fixture plain;
  plain.output.add(piece("a", 3000, 300, true));
  plain.tick();
  plain.output.played("a", 700, plain.now);
  CHECK(plain.output.point(plain.now).played_ms == 0);
}

TEST_CASE("a held client that reports is paused") {
  output_fixture one{own_client};
  one.output.add(piece("a", 3000, 300, true));
  one.run(300ms);
  one.output.played("a", 250, one.now);
  one.output.hold("a", one.now);
  one.run(2s);
  auto point = one.output.point(one.now);
  CHECK(point.played_ms == 250);
  CHECK(point.audible);
  CHECK(one.output.point(one.now + 1s).played_ms == 250);
  one.output.release("a", one.now);
  CHECK(one.output.point(one.now + 100ms).played_ms == 350);
}

TEST_CASE("whoever plays an item has played those before it") {
  output_fixture one{own_client};
  one.output.add(piece("a", 300, 30, true));
  one.output.add(piece("b", 300, 30, true));
  one.run(300ms);
  CHECK(one.output.point(one.now).item == "a");
  one.output.played("b", 50, one.now);
  const auto point = one.output.point(one.now);
  CHECK(point.item == "b");
  CHECK(point.played_ms == 50);
  one.tick();
  CHECK(one.reports.back().point.item == "b");
}

TEST_CASE("first, every half second, at the end of sending and of playing: reports") {
  output_fixture one;
  one.output.add(piece("a", 2500, 250, true));
  const auto start = one.now;
  one.run(4s);
  REQUIRE(one.reports.size() >= 6);
  CHECK(one.reports.front().first_sent);
  CHECK(one.reports.front().first_played);
  CHECK_FALSE(one.reports.front().sent_all);
  int firsts = 0;
  int heard = 0;
  int ends = 0;
  for (std::size_t i = 0; i < one.reports.size(); ++i) {
    const auto& report = one.reports[i];
    firsts += report.first_sent ? 1 : 0;
    heard += report.first_played ? 1 : 0;
    ends += report.played_all ? 1 : 0;
    CHECK(report.point.item == "a");
    CHECK(report.sent_all == (report.point.sent_ms == 2500));
    if (i > 0)
      CHECK(report.point.played_ms >= one.reports[i - 1].point.played_ms);
    if (i > 0)
      CHECK(report.point.played_ms <= one.reports[i - 1].point.played_ms + 500);
  }
  CHECK(firsts == 1);
  CHECK(heard == 1);
  CHECK(ends == 1);
  CHECK(one.reports.back().played_all);
  CHECK(one.reports.back().point.played_ms == 2500);
  CHECK(one.reports.back().point.heard_text == 250);
  CHECK(one.reports.size() <= 8);
  CHECK(one.output.point(start + 4s).item.empty());
}

TEST_CASE("sound is reported as played when the client says so, and sent when it goes out") {
  output_fixture one{own_client};
  one.output.add(piece("a", 400, 40, true));
  one.tick();
  REQUIRE(one.reports.size() == 1);
  CHECK(one.reports[0].first_sent);
  CHECK_FALSE(one.reports[0].first_played);
  one.run(200ms);
  REQUIRE(one.reports.size() == 2);
  CHECK(one.reports[1].sent_all);
  CHECK_FALSE(one.reports[1].played_all);
  one.output.played("a", 120, one.now);
  one.tick();
  REQUIRE(one.reports.size() == 3);
  CHECK(one.reports[2].first_played);
  CHECK(one.reports[2].point.played_ms == 120);
  one.run(279ms);
  CHECK_FALSE(one.reports.back().played_all);
  one.run(1ms);
  CHECK(one.reports.back().played_all);
  CHECK_FALSE(one.next);
}

TEST_CASE("an answer ends, even if its client never reports") {
  output_fixture one{own_client};
  one.output.add(piece("a", 3000, 40, true));
  one.run(3s);
  CHECK(one.reports.back().played_all);
  output_fixture brief{own_client};
  brief.output.add(piece("a", 100, 40, true));
  brief.run(900ms);
  CHECK_FALSE(brief.reports.back().played_all);
  CHECK(brief.calls < 10);
  brief.run(100ms);
  CHECK(brief.reports.back().played_all);
}

TEST_CASE("the second item is first heard when the first one is over") {
  output_fixture one;
  one.output.add(piece("a", 300, 30, true));
  one.output.add(piece("b", 300, 30, true));
  const auto start = one.now;
  one.tick();
  CHECK(one.sent("b") == 300);
  REQUIRE(one.reports.size() == 2);
  CHECK(one.reports[1].first_sent);
  CHECK_FALSE(one.reports[1].first_played);
  CHECK(one.output.point(start + 200ms).item == "a");
  CHECK(one.output.point(start + 350ms).item == "b");
  CHECK(one.output.point(start + 350ms).played_ms == 50);
  one.run(300ms);
  REQUIRE(one.reports.size() == 4);
  CHECK(one.reports[2].played_all);
  CHECK(one.reports[3].point.item == "b");
  CHECK(one.reports[3].first_played);
  one.run(300ms);
  CHECK(one.reports.back().played_all);
  CHECK(one.reports.back().point.item == "b");
}

TEST_CASE("an item without sound is sent and played at once") {
  output_fixture one{own_client};
  one.output.add(piece("a", 0, 7, true));
  one.tick();
  REQUIRE(one.reports.size() == 1);
  CHECK(one.reports[0].first_sent);
  CHECK(one.reports[0].sent_all);
  CHECK(one.reports[0].played_all);
  CHECK_FALSE(one.reports[0].first_played);
}

TEST_CASE("of what was dropped nothing more is reported") {
  output_fixture one;
  one.output.add(piece("a", 3000, 300, true));
  one.run(300ms);
  const auto before = one.reports.size();
  one.output.drop("a");
  one.run(5s);
  CHECK(one.reports.size() == before);
  CHECK_FALSE(one.next);
  CHECK(one.output.point(one.now).item.empty());
}

TEST_CASE("where a new speaker goes on is where sound has come to") {
  output_fixture one;
  CHECK(one.output.added().item.empty());
  one.output.add(piece("a", 500, 33));
  one.output.add(piece("a", 500, 66));
  CHECK(one.output.added().item == "a");
  CHECK(one.output.added().text_end == 66);
  one.output.add(piece("b", 500, 5));
  CHECK(one.output.added().item == "b");
  one.tick();
  one.output.drop("");
  // Only what is with the client counts now.
  CHECK(one.output.added().item == "b");
  CHECK(one.output.added().text_end == 0);
}

TEST_CASE("the accounts of sixteen late items are kept") {
  output_fixture one;
  for (int i = 0; i < 20; ++i) {
    one.output.add(piece("item_" + std::to_string(i), 100, 10, true));
    one.run(200ms);
  }
  CHECK_FALSE(one.output.sent_ms("item_3"));
  CHECK(one.output.sent_ms("item_4") == 100);
  CHECK(one.output.text_at("item_19", 50) == 5);
}
