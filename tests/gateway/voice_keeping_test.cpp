#include "tests/gateway/voice_input_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

/// voice_input: what is kept, fed again, settled, and how streams go on.

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

constexpr int loud = 8000;

/// What a new feed gets.
struct fed_again {
  explicit fed_again(const voice_input& input) {
    for (const auto& step : input.feed_again()) {
      if (const auto* begin = std::get_if<feed_begin>(&step))
        order += "b";
      else if (const auto* sound = std::get_if<feed_sound>(&step))
        ms += static_cast<double>(sound->data.size()) / 16;
      else if (std::get_if<feed_end>(&step) != nullptr)
        order += "e";
      else
        order += "?";
    }
  }
  std::string order;
  double ms = 0;
};

} // namespace

TEST_CASE("silence is settled at least every two seconds") {
  input_fixture one;
  std::uint64_t before = 0;
  for (int i = 0; i < 300 * 50; ++i) {
    one.say(0, 20);
    CHECK(one.settled >= before);
    before = one.settled;
    const auto now = one.input.position_ms();
    CHECK(one.settled + 2000 + 300 + 96 + 20 >= now);
    // A word that begins now still gets its padding.
    CHECK(one.settled + 300 <= std::max<std::uint64_t>(now, 300));
  }
  CHECK(one.input.kept_bytes() < 32 * 500);
}

TEST_CASE("an utterance is kept until it is settled, and so is the stream behind it") {
  input_fixture one;
  one.say(0, 5000).say(loud, 1000).say(0, 10'000);
  const auto first = one.edges()[0];
  CHECK(one.settled <= first.from_ms);
  CHECK(fed_again{one.input}.order == "be");
  one.take(one.input.settle("item_unknown"));
  CHECK(one.settled <= first.from_ms);
  one.take(one.input.settle(first.utterance));
  CHECK(one.settled >= 15'000);
  CHECK(fed_again{one.input}.order.empty());
  CHECK(one.input.edges_again().empty());
  CHECK(one.input.kept_bytes() < 32 * 500);
}

TEST_CASE("the oldest unsettled utterance holds the stream, whichever is settled first") {
  input_fixture one;
  one.say(loud, 1000).say(0, 1000).say(loud, 1000).say(0, 1000);
  REQUIRE(one.edges().size() == 6);
  const auto first = one.edges()[0];
  const auto second = one.edges()[3];
  one.take(one.input.settle(second.utterance));
  CHECK(one.settled == 0);
  one.take(one.input.settle(first.utterance));
  CHECK(one.settled > second.from_ms);
}

TEST_CASE("a new feed and a new listener get everything that is not settled") {
  input_fixture one;
  one.say(loud, 1000).say(0, 1000).say(loud, 1000).say(0, 300);
  REQUIRE(one.edges().size() == 5);
  const auto again = fed_again{one.input};
  CHECK(again.order == "beb");
  CHECK(again.ms == doctest::Approx(static_cast<double>(one.fed.size()) / 16));
  const auto steps = one.input.edges_again();
  REQUIRE(steps.size() == 4);
  const std::vector<edge_kind> kinds{edge_kind::begun, edge_kind::ended, edge_kind::begun,
                                     edge_kind::paused};
  for (std::size_t i = 0; i < steps.size(); ++i)
    CHECK(std::get<speech_edge>(steps[i]).kind == kinds[i]);
  CHECK(std::get<speech_edge>(steps[1]).at_ms == one.edges()[2].at_ms);
  // Voice that goes on is no pause any more.
  one.say(loud, 200);
  CHECK(one.input.edges_again().size() == 3);
}

TEST_CASE("a pause that is told again has its tail again") {
  input_fixture one;
  one.turns.mode = turn_mode::semantic;
  one.input.set_turns(one.turns);
  one.say(loud, 1000).say(0, 500);
  const auto steps = one.input.edges_again();
  REQUIRE(steps.size() == 2);
  const auto& pause = std::get<speech_edge>(steps[1]);
  REQUIRE(pause.tail != nullptr);
  CHECK(pause.tail->size() >= 1400 * 16);
}

TEST_CASE("beyond a minute the oldest sound goes and is counted; the utterance stays") {
  input_fixture one;
  for (int i = 0; i < 20; ++i)
    one.say(loud, 4000).say(0, 1000);
  const auto kept = fed_again{one.input};
  CHECK(kept.ms == doctest::Approx(60'000).epsilon(0.001));
  const auto all = static_cast<double>(one.fed.size()) / 16;
  CHECK(static_cast<double>(one.count.value(counter::sound_dropped_ms))
        == doctest::Approx(all - 60'000).epsilon(0.001));
  std::string order;
  for (int i = 0; i < 20; ++i)
    order += "be";
  CHECK(kept.order == order);
  CHECK(one.settled <= one.edges()[0].from_ms);
}

TEST_CASE("the bound holds for an utterance that is longer than it") {
  input_fixture one{turn_mode::silence, {.kept_ms = 1000, .utterance_ms = 5000}};
  one.say(loud, 4000);
  CHECK(fed_again{one.input}.ms == doctest::Approx(1000));
  CHECK(one.count.value(counter::sound_dropped_ms) >= 2900);
  CHECK(one.input.kept_bytes() <= (1000 + 100) * 32);
}

TEST_CASE("what was settled as no speech while it was open is over without a word") {
  input_fixture one;
  one.say(loud, 300);
  const auto open = one.input.open_utterance();
  one.forget();
  one.take(one.input.settle(open));
  CHECK(one.edges().empty());
  CHECK(one.feeds() == "cancel " + open);
  CHECK(one.input.open_utterance().empty());
  one.say(loud, 300);
  REQUIRE(one.edges().size() == 1);
  CHECK(one.edges()[0].utterance != open);
  CHECK(one.edges()[0].from_ms >= 270);
}

TEST_CASE("a stream that goes on after a break is heard from where it was dealt with") {
  input_fixture one;
  one.begin("mic_b", 5000, 8000);
  CHECK(one.settled == 8000);
  CHECK(one.input.stream() == "mic_b");
  // Repeated sound makes no speech, however loud.
  one.say(loud, 3000);
  CHECK(one.edges().empty());
  CHECK(one.input.position_ms() == 8000);
  one.say(loud, 500);
  REQUIRE(one.edges().size() == 1);
  CHECK(one.edges()[0].from_ms == 8000);
  CHECK(one.edges()[0].at_ms == 8000);
  CHECK(one.input.position_ms() == 8500);
}

TEST_CASE("what this stream has brought before is not heard twice") {
  input_fixture one;
  one.say(0, 1000).say(loud, 1000);
  one.begin("mic", 500, 0);
  // The same again, and then what is new.
  one.say(0, 500).say(loud, 1000);
  CHECK(one.input.position_ms() == 2000);
  one.say(0, 1000);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.fed_ms() == one.edges()[2].at_ms - one.edges()[2].from_ms);
  CHECK(one.edges()[2].voiced_ms <= 1056);
}

TEST_CASE("a gap within a stream ends what was said before it") {
  input_fixture one;
  one.say(loud, 1000);
  one.begin("mic", 5000, 0);
  REQUIRE(one.edges().size() == 2);
  CHECK(one.edges()[1].kind == edge_kind::ended);
  CHECK(one.edges()[1].at_ms == 1000);
  CHECK(one.edges()[1].voiced_ms >= 960);
  CHECK(one.feeds().ends_with("end"));
  CHECK(one.input.position_ms() == 5000);
  CHECK(one.tally.resets == 2);
}

TEST_CASE("what was open of another stream, or has been dealt with elsewhere, is forgotten") {
  input_fixture other;
  other.say(loud, 1000);
  other.begin("mic_2", 0, 0);
  REQUIRE(other.edges().size() == 2);
  CHECK(other.edges()[1].voiced_ms == 0);
  CHECK(other.edges()[1].stream == "mic");
  CHECK(other.feeds().find("cancel") != std::string::npos);
  CHECK(other.input.open_utterance().empty());
  input_fixture dealt;
  dealt.say(loud, 1000);
  dealt.begin("mic", 0, 2000);
  CHECK(dealt.edges().back().voiced_ms == 0);
  CHECK(dealt.input.position_ms() == 2000);
}

TEST_CASE("what has been dealt with behind open speech is not heard again") {
  input_fixture one;
  one.begin("mic_2", 0, 0, {{2000, 4000}, {5'000'000'000'000, 6'000'000'000'000}});
  one.say(loud, 1000).say(0, 1000).say(loud, 2000).say(0, 1000).say(loud, 1000).say(0, 1000);
  std::vector<std::uint64_t> begun;
  for (const auto& edge : one.edges())
    if (edge.kind == edge_kind::begun)
      begun.push_back(edge.from_ms);
  REQUIRE(begun.size() == 2);
  CHECK(begun[0] < 100);
  CHECK(begun[1] > 4500);
}

TEST_CASE("utterances of a former stream are kept, but do not hold the new one") {
  input_fixture one;
  one.say(loud, 1000).say(0, 1000);
  one.begin("mic_2", 0, 0);
  CHECK(fed_again{one.input}.order == "be");
  one.say(0, 10'000);
  CHECK(one.settled >= 7000);
}

TEST_CASE("no position of a client makes the counting go wrong") {
  input_fixture one;
  one.begin("far", ~std::uint64_t{0}, 0);
  one.say(loud, 1000).say(0, 1000);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[2].at_ms > one.edges()[2].from_ms);
  one.begin("far", 0, ~std::uint64_t{0});
  CHECK(one.input.position_ms() >= one.edges()[2].at_ms);
}

TEST_CASE("hundreds of utterances that nobody settles do not pile up") {
  input_fixture one;
  for (int i = 0; i < 400; ++i) {
    one.say(loud, 120);
    REQUIRE(one.commit());
  }
  const auto kept = fed_again{one.input};
  CHECK(kept.order.size() <= 2 * 256);
  CHECK(kept.ms <= 60'000);
}
