#include "gateway/speech_edges.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace sidevoice;
using namespace std::chrono_literals;
using kind = speech_edges::edge::kind;

namespace {

/// Pushes the same probability some times and collects the edges.
struct listener {
  explicit listener(turn_mode mode = turn_mode::silence, std::string eagerness = "auto") {
    settings.mode = mode;
    settings.eagerness = std::move(eagerness);
    edges.set(settings);
  }

  listener& hear(float probability, int frames = 1) {
    for (int i = 0; i < frames; ++i)
      if (const auto edge = edges.push(probability))
        seen.push_back(*edge);
    return *this;
  }

  std::vector<kind> kinds() const {
    std::vector<kind> out;
    for (const auto& edge : seen)
      out.push_back(edge.what);
    return out;
  }

  turn_settings settings;
  speech_edges edges;
  std::vector<speech_edges::edge> seen;
};

} // namespace

TEST_CASE("speech begins with two voiced frames, dated at the first") {
  listener one;
  one.hear(0.1F, 10).hear(0.6F);
  CHECK(one.seen.empty());
  CHECK_FALSE(one.edges.in_speech());
  one.hear(0.5F);
  REQUIRE(one.kinds() == std::vector{kind::begun});
  CHECK(one.seen[0].at_ms == 320);
  CHECK(one.seen[0].voiced_ms == 64);
  CHECK(one.edges.in_speech());
  CHECK(one.edges.now_ms() == 12 * 32);
}

TEST_CASE("one frame alone is a click, unless it is sure") {
  listener one;
  for (int i = 0; i < 50; ++i)
    one.hear(0.9F).hear(0.49F);
  CHECK(one.seen.empty());
  one.hear(0.95F);
  REQUIRE(one.kinds() == std::vector{kind::begun});
  CHECK(one.seen[0].at_ms == 3200);
  CHECK(one.seen[0].voiced_ms == 32);
}

TEST_CASE("speech pauses after 200 ms and ends after the silence that is set") {
  listener one;
  one.hear(0.8F, 10).hear(0.1F, 6);
  CHECK(one.kinds() == std::vector{kind::begun});
  one.hear(0.1F);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::paused});
  CHECK(one.seen[1].at_ms == 17 * 32);
  CHECK(one.seen[1].voiced_ms == 320);
  CHECK(one.seen[1].silence_ms == 224);
  one.hear(0.1F, 8);
  CHECK(one.edges.in_speech());
  one.hear(0.1F);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
  CHECK(one.seen[2].at_ms == 26 * 32);
  CHECK(one.seen[2].voiced_ms == 320);
  CHECK(one.seen[2].silence_ms == 512);
  CHECK_FALSE(one.edges.in_speech());
  one.hear(0.1F, 1000);
  CHECK(one.seen.size() == 3);
}

TEST_CASE("between the thresholds things stay as they are") {
  listener one;
  one.hear(0.4F, 100);
  CHECK(one.seen.empty());
  // Voice goes on at 0.4; silence goes on at 0.4, too.
  one.hear(0.8F, 2).hear(0.4F, 100);
  CHECK(one.kinds() == std::vector{kind::begun});
  CHECK(one.edges.voiced_ms() == 102 * 32);
  one.hear(0.3F).hear(0.4F, 6);
  CHECK(one.kinds() == std::vector{kind::begun, kind::paused});
  one.hear(0.4F, 9);
  CHECK(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
}

TEST_CASE("a short silence within speech is no pause, and counts as silence only") {
  listener one;
  one.hear(0.8F, 5);
  for (int i = 0; i < 10; ++i)
    one.hear(0.1F, 6).hear(0.7F);
  CHECK(one.kinds() == std::vector{kind::begun});
  CHECK(one.edges.voiced_ms() == 15 * 32);
  CHECK(one.edges.silence_ms() == 0);
}

TEST_CASE("a pause ends by two voiced frames, and a click does not prolong it") {
  listener one;
  one.hear(0.8F, 5).hear(0.1F, 10);
  // 320 ms of silence; the click is a frame of it.
  one.hear(0.7F).hear(0.1F, 4);
  CHECK(one.kinds() == std::vector{kind::begun, kind::paused});
  one.hear(0.1F);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
  CHECK(one.seen[2].silence_ms == 512);
  CHECK(one.seen[2].voiced_ms == 160);
}

TEST_CASE("a word that begins where the silence would have ended goes on with the speech") {
  listener one;
  one.hear(0.8F, 5).hear(0.1F, 15).hear(0.7F, 2);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::paused, kind::resumed});
  CHECK(one.seen[2].voiced_ms == 7 * 32);
  CHECK(one.seen[2].silence_ms == 0);
  CHECK(one.seen[2].at_ms == 22 * 32);
}

TEST_CASE("a silence shorter than a pause ends without one") {
  listener one;
  one.settings.silence_duration = 100ms;
  one.edges.set(one.settings);
  one.hear(0.8F, 5).hear(0.1F, 4);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::ended});
  CHECK(one.seen[1].silence_ms == 128);
}

TEST_CASE("a semantic turn waits as long as its eagerness says") {
  const std::vector<std::pair<std::string, int>> waits{
    {"low", 8000}, {"medium", 4000}, {"auto", 4000}, {"high", 2000}};
  for (const auto& eager : waits) {
    CAPTURE(eager.first);
    listener one{turn_mode::semantic, eager.first};
    one.hear(0.8F, 5).hear(0.0F, (eager.second + 31) / 32 - 1);
    CHECK(one.kinds() == std::vector{kind::begun, kind::paused});
    one.hear(0.0F, 1);
    CHECK(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
  }
}

TEST_CASE("manual turns have no edges, but their voice is counted") {
  listener one{turn_mode::manual};
  one.hear(0.99F, 50).hear(0.0F, 50);
  CHECK_FALSE(one.edges.in_speech());
  CHECK(one.edges.voiced_ms() == 0);
  one.edges.open();
  one.hear(0.0F, 10).hear(0.99F, 20).hear(0.0F, 300);
  CHECK(one.seen.empty());
  CHECK(one.edges.in_speech());
  CHECK(one.edges.voiced_ms() == 20 * 32);
  CHECK(one.edges.silence_ms() == 300 * 32);
  one.edges.close();
  CHECK(one.edges.voiced_ms() == 0);
}

TEST_CASE("closing is back to waiting; voice that goes on is new speech") {
  listener one;
  one.hear(0.8F, 5);
  one.edges.close();
  CHECK_FALSE(one.edges.in_speech());
  one.hear(0.8F);
  CHECK(one.seen.size() == 1);
  one.hear(0.8F);
  REQUIRE(one.kinds() == std::vector{kind::begun, kind::begun});
  CHECK(one.seen[1].at_ms == 160);
}

TEST_CASE("new settings count from the next frame, in the middle of speech, too") {
  listener one;
  one.hear(0.8F, 5).hear(0.0F, 10);
  one.settings.silence_duration = 320ms;
  one.edges.set(one.settings);
  one.hear(0.0F);
  CHECK(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
  one.settings.threshold = 0.2;
  one.edges.set(one.settings);
  one.hear(0.3F, 2);
  CHECK(one.edges.in_speech());
}

TEST_CASE("the lowest threshold still knows silence") {
  listener one;
  one.settings.threshold = 0.05;
  one.edges.set(one.settings);
  one.hear(0.06F, 2).hear(0.0F, 16);
  CHECK(one.kinds() == std::vector{kind::begun, kind::paused, kind::ended});
}
