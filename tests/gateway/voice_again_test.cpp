#include "tests/gateway/voice_input_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

/// voice_input: speech whose words are awaited, when its sound comes again.

using namespace sidevoice;

namespace {

constexpr int loud = 8000;

/// What was heard, such as "a 0 to 1400, b 1500 to 2600".
std::string heard(const input_fixture& one) {
  std::string out;
  for (const auto& edge : one.edges())
    if (edge.kind == edge_kind::ended)
      out += (out.empty() ? "" : ", ") + edge.utterance + " " + std::to_string(edge.from_ms)
             + " to " + std::to_string(edge.at_ms);
  return out;
}

} // namespace

TEST_CASE("speech that would fall apart the second time stays one") {
  input_fixture one;
  one.begin("again", 0, 0, {}, {{"item_a", "again", 100, 3000}});
  one.say(0, 100).say(loud, 1000).say(0, 900).say(loud, 1000).say(0, 100);
  CHECK(heard(one) == "item_a 100 to 3000");
  CHECK(one.feeds() == "begin item_a, sound, end");
  CHECK(one.fed_ms() == 2900);
  CHECK(one.edges().front().kind == edge_kind::begun);
  // Not its silence, but what was voice in it.
  CHECK(one.edges().back().voiced_ms >= 1900);
  CHECK(one.edges().back().voiced_ms <= 2100);
}

TEST_CASE("speech that was ended by a model is ended there again, and what comes next is another") {
  input_fixture one;
  one.begin("again", 0, 0, {}, {{"item_b", "again", 1000, 2200}, {"item_a", "again", 0, 1000}});
  one.say(loud, 2200).say(0, 300).say(loud, 700).say(0, 1000);
  const auto all = heard(one);
  CHECK(all.rfind("item_a 0 to 1000, item_b 1000 to 2200, item_s", 0) == 0);
  CHECK(one.edges().back().from_ms >= 2200);
  CHECK(one.fed_ms() > 2200 + 700);
}

TEST_CASE("what began by ear ends where awaited speech begins") {
  input_fixture one;
  one.begin("again", 0, 0, {}, {{"item_a", "again", 1000, 2000}});
  one.say(loud, 2000).say(0, 1000);
  CHECK(heard(one).find(" 0 to 1000, item_a 1000 to 2000") != std::string::npos);
}

TEST_CASE("awaited speech whose beginning does not come again begins with what there is") {
  input_fixture one;
  one.begin("again", 500, 0, {}, {{"item_a", "again", 100, 1500}, {"item_0", "again", 0, 90}});
  one.say(loud, 1000).say(0, 1000);
  CHECK(heard(one) == "item_a 500 to 1500");
}

TEST_CASE("words that come meanwhile make of the rest sound like any other") {
  input_fixture one;
  one.begin("again", 0, 0, {}, {{"item_a", "again", 0, 2000}});
  one.say(loud, 500);
  one.take(one.input.settle("item_a"));
  one.forget();
  one.say(loud, 1500).say(0, 1000);
  REQUIRE(one.edges().size() >= 2);
  CHECK(one.edges()[0].utterance != "item_a");
  CHECK(one.edges()[0].from_ms >= 480);
  CHECK(one.edges().back().kind == edge_kind::ended);
}

TEST_CASE("who commits by hand decides again what is one speech") {
  input_fixture one{turn_mode::manual};
  one.begin("again", 0, 0, {}, {{"item_a", "again", 0, 2000}});
  one.say(loud, 1000);
  CHECK(one.commit());
  CHECK(one.edges().back().utterance != "item_a");
  CHECK(one.edges().back().at_ms == 1000);
}
