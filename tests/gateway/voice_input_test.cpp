#include "tests/gateway/voice_input_support.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

constexpr int loud = 8000;

} // namespace

TEST_CASE("speech becomes an utterance with the sound from before it was noticed") {
  input_fixture one;
  one.say(0, 1000);
  CHECK(one.feeds().empty());
  one.say(loud, 1000);
  REQUIRE(one.edges().size() == 1);
  const auto begun = one.edges()[0];
  CHECK(begun.kind == edge_kind::begun);
  CHECK(begun.stream == "mic");
  CHECK(begun.utterance.starts_with("item_"));
  // Its first frame is the one with the first loud sample.
  CHECK(begun.at_ms == 992);
  CHECK(begun.from_ms == 692);
  CHECK(one.feeds() == "begin " + begun.utterance + ", sound");
  CHECK(one.input.open_utterance() == begun.utterance);
  CHECK(one.input.in_speech());
  one.say(0, 1000);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[1].kind == edge_kind::paused);
  CHECK(one.edges()[1].tail == nullptr);
  const auto ended = one.edges()[2];
  CHECK(ended.kind == edge_kind::ended);
  CHECK(ended.from_ms == 692);
  CHECK(ended.at_ms >= 2500);
  CHECK(ended.at_ms <= 2560);
  CHECK(ended.voiced_ms >= 1000);
  CHECK(ended.voiced_ms <= 1040);
  CHECK(ended.silence_ms == 512);
  CHECK_FALSE(ended.manual);
  CHECK(one.feeds() == "begin " + begun.utterance + ", sound, end");
  // All of it, and nothing else, was fed.
  CHECK(one.fed_ms() == ended.at_ms - ended.from_ms);
  CHECK(one.input.open_utterance().empty());
  CHECK_FALSE(one.input.in_speech());
}

TEST_CASE("what is fed is what was said, sample for sample") {
  input_fixture one;
  samples said;
  for (int i = 0; i < 16'000 * 3; ++i)
    said.push_back(static_cast<std::int16_t>(i % 997 + (i > 16'000 && i < 32'000 ? 4000 : 0)));
  for (std::size_t at = 0; at < said.size(); at += 320)
    one.take(one.input.push(samples_view{said}.subspan(at, 320), 16'000));
  REQUIRE(one.edges().size() == 3);
  const auto from = one.edges()[2].from_ms * 16;
  const auto to = one.edges()[2].at_ms * 16;
  CHECK(one.fed
        == samples(said.begin() + static_cast<std::ptrdiff_t>(from),
                   said.begin() + static_cast<std::ptrdiff_t>(to)));
}

TEST_CASE("a minute in one push gives the same as the same minute bit by bit") {
  samples minute;
  for (int second = 0; second < 60; ++second)
    minute.insert(minute.end(), 16'000, static_cast<std::int16_t>(second % 4 == 1 ? loud : 0));
  input_fixture slow;
  for (std::size_t at = 0; at < minute.size(); at += 320)
    slow.take(slow.input.push(samples_view{minute}.subspan(at, 320), 16'000));
  input_fixture fast;
  fast.take(fast.input.push(minute, 16'000));
  CHECK(fast.feeds() == slow.feeds());
  CHECK(fast.fed == slow.fed);
  REQUIRE(fast.edges().size() == slow.edges().size());
  CHECK(fast.edges().size() == 45);
  for (std::size_t i = 0; i < fast.edges().size(); ++i)
    CHECK(fast.edges()[i].at_ms == slow.edges()[i].at_ms);
  CHECK(fast.input.position_ms() == 60'000);
}

TEST_CASE("utterances do not share sound, however much padding there is") {
  input_fixture one;
  one.turns.prefix_padding = 3s;
  one.input.set_turns(one.turns);
  one.say(loud, 500).say(0, 700).say(loud, 500).say(0, 700);
  REQUIRE(one.edges().size() == 6);
  CHECK(one.edges()[0].from_ms == 0);
  CHECK(one.edges()[3].from_ms == one.edges()[2].at_ms);
}

TEST_CASE("a pause carries the newest eight seconds, for semantic turns only") {
  input_fixture one;
  one.turns.mode = turn_mode::semantic;
  one.input.set_turns(one.turns);
  one.say(loud, 10'000).say(0, 500);
  REQUIRE(one.edges().size() == 2);
  REQUIRE(one.edges()[1].tail != nullptr);
  CHECK(one.edges()[1].tail->size() == 8 * 16'000);
  CHECK(one.edges()[1].tail->front() == loud);
  CHECK(one.edges()[1].tail->back() == 0);
  one.say(loud, 500);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[2].kind == edge_kind::resumed);
  CHECK(one.edges()[2].tail == nullptr);
}

TEST_CASE("an end-of-turn model may end an utterance before its silence does") {
  input_fixture one;
  one.turns.mode = turn_mode::semantic;
  one.input.set_turns(one.turns);
  one.say(loud, 1000).say(0, 500);
  one.take(one.input.end_utterance("item_other"));
  CHECK(one.edges().size() == 2);
  one.take(one.input.end_utterance(one.input.open_utterance()));
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[2].kind == edge_kind::ended);
  CHECK_FALSE(one.edges()[2].manual);
  CHECK(one.edges()[2].silence_ms >= 448);
  CHECK(one.feeds().ends_with("end"));
  one.say(0, 5000);
  CHECK(one.edges().size() == 3);
}

TEST_CASE("manual turns take everything since the last commit, and tell nobody before") {
  input_fixture one{turn_mode::manual};
  one.say(0, 250).say(loud, 1000);
  CHECK(one.edges().empty());
  CHECK(one.feeds().starts_with("begin item_"));
  CHECK(one.input.in_speech());
  REQUIRE(one.commit());
  REQUIRE(one.edges().size() == 1);
  CHECK(one.edges()[0].kind == edge_kind::ended);
  CHECK(one.edges()[0].manual);
  CHECK(one.edges()[0].from_ms == 0);
  CHECK(one.edges()[0].at_ms == 1250);
  CHECK(one.edges()[0].voiced_ms >= 960);
  CHECK(one.fed_ms() == 1250);
  // The rest of the frame that the commit cut belongs to the next one.
  one.say(0, 333);
  REQUIRE(one.commit());
  CHECK(one.edges()[1].from_ms == 1250);
  CHECK(one.edges()[1].at_ms == 1583);
  CHECK(one.edges()[1].voiced_ms <= 32);
  CHECK(one.fed_ms() == 1583);
}

TEST_CASE("a commit of less than 100 ms is none") {
  input_fixture manual{turn_mode::manual};
  CHECK_FALSE(manual.commit());
  manual.say(loud, 99);
  CHECK_FALSE(manual.commit());
  manual.say(loud, 1);
  CHECK(manual.commit());
  CHECK_FALSE(manual.commit());
  input_fixture silent;
  silent.say(0, 5000);
  CHECK_FALSE(silent.commit());
}

TEST_CASE("with turns by silence, too, a commit ends what is being said") {
  input_fixture one;
  one.say(loud, 1000);
  REQUIRE(one.commit());
  REQUIRE(one.edges().size() == 2);
  CHECK(one.edges()[1].manual);
  CHECK(one.edges()[1].at_ms == 1000);
  one.say(loud, 200);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[2].kind == edge_kind::begun);
  CHECK(one.edges()[2].from_ms == 1000);
}

TEST_CASE("voice that goes on over a commit within a frame begins at the commit") {
  input_fixture one;
  one.say(loud, 1010);
  REQUIRE(one.commit());
  one.say(loud, 300);
  REQUIRE(one.edges().size() == 3);
  CHECK(one.edges()[2].from_ms == 1010);
  CHECK(one.edges()[2].at_ms == 1010);
}

TEST_CASE("what is cleared never was, and whoever heard of it hears of its end") {
  input_fixture one;
  one.say(loud, 1000);
  one.take(one.input.clear());
  REQUIRE(one.edges().size() == 2);
  CHECK(one.edges()[1].kind == edge_kind::ended);
  CHECK(one.edges()[1].voiced_ms == 0);
  CHECK_FALSE(one.edges()[1].manual);
  CHECK(one.feeds().find("cancel " + one.edges()[0].utterance) != std::string::npos);
  CHECK(one.input.feed_again().empty());
  CHECK(one.settled == 1000);
  input_fixture manual{turn_mode::manual};
  manual.say(loud, 1000);
  manual.take(manual.input.clear());
  CHECK(manual.edges().empty());
  CHECK_FALSE(manual.commit());
}

TEST_CASE("an utterance beyond its greatest length is ended, and the voice goes on in another") {
  input_fixture one;
  one.say(loud, 70'000);
  std::vector<speech_edge> ends;
  for (const auto& edge : one.edges())
    if (edge.kind == edge_kind::ended)
      ends.push_back(edge);
  REQUIRE(ends.size() == 2);
  CHECK(ends[0].at_ms - ends[0].from_ms >= 30'000);
  CHECK(ends[0].at_ms - ends[0].from_ms < 30'100);
  CHECK_FALSE(ends[0].manual);
  CHECK(ends[1].from_ms == ends[0].at_ms);
}

TEST_CASE("a long silence of a client that commits by hand is not kept") {
  input_fixture one{turn_mode::manual};
  one.say(0, 90'000);
  CHECK(one.edges().empty());
  CHECK(one.settled >= 60'000);
  CHECK(one.input.kept_bytes() <= 31'000 * 32);
}

TEST_CASE("turns that become automatic go on with what was said by hand") {
  input_fixture spoken{turn_mode::manual};
  spoken.say(loud, 500);
  spoken.set(turn_mode::silence);
  spoken.say(loud, 500).say(0, 700);
  REQUIRE(spoken.edges().size() == 3);
  CHECK(spoken.edges()[0].kind == edge_kind::begun);
  CHECK(spoken.edges()[0].from_ms == 0);
  CHECK(spoken.edges()[2].kind == edge_kind::ended);
  CHECK(spoken.edges()[2].voiced_ms >= 990);
  // Of silence nothing is worth going on with.
  input_fixture silent{turn_mode::manual};
  silent.say(0, 5000);
  silent.set(turn_mode::silence);
  silent.say(0, 5000);
  CHECK(silent.edges().empty());
  CHECK(silent.input.open_utterance().empty());
  CHECK(silent.feeds().find("cancel") != std::string::npos);
}

TEST_CASE("speech that is open when turns become manual waits for its commit") {
  input_fixture one;
  one.say(loud, 500);
  one.set(turn_mode::manual);
  one.say(0, 5000);
  CHECK(one.edges().size() == 1);
  REQUIRE(one.commit());
  CHECK(one.edges()[1].from_ms == 0);
  CHECK(one.edges()[1].at_ms == 5500);
}

TEST_CASE("a manual turn begins where turns became manual, not in the silence before") {
  input_fixture one;
  one.say(0, 20'000);
  one.set(turn_mode::manual);
  one.say(loud, 500);
  REQUIRE(one.commit());
  CHECK(one.edges()[0].from_ms == 20'000);
}

TEST_CASE("clipping and noise are sound like any other") {
  input_fixture one;
  samples wild;
  std::uint32_t noise = 7;
  for (int i = 0; i < 24'000 * 5; ++i) {
    noise = noise * 1664525 + 1013904223;
    wild.push_back((noise & 0x8000'0000U) != 0 ? 32767 : -32768);
  }
  one.take(one.input.push(wild, 24'000));
  REQUIRE(one.edges().size() == 1);
  CHECK(one.input.position_ms() >= 4999);
}

TEST_CASE("rates may change in the middle, and positions stay right") {
  input_fixture one;
  for (const std::uint32_t rate : {24'000U, 16'000U, 8000U, 48'000U, 24'000U})
    for (int i = 0; i < 50; ++i)
      one.take(one.input.push(samples(rate / 50, loud), rate));
  CHECK(one.input.position_ms() >= 4999);
  CHECK(one.input.position_ms() <= 5000);
  CHECK(one.edges().size() == 1);
}

TEST_CASE("probes come about ten times a second") {
  input_fixture one;
  one.say(0, 5000).say(loud, 5000);
  REQUIRE(one.probes.size() >= 95);
  CHECK(one.probes.size() <= 105);
  CHECK(one.probes[20].probability < 0.1);
  CHECK_FALSE(one.probes[20].speaking);
  CHECK(one.probes.back().probability > 0.9);
  CHECK(one.probes.back().speaking);
  CHECK(one.probes.back().at_ms > 9900);
}

TEST_CASE("sound before there is a stream is dropped") {
  amplitude_vad::tally tally;
  counted_ids ids;
  counters count;
  voice_input bare{std::make_unique<amplitude_vad>(tally), ids, count};
  CHECK(bare.push(samples(16'000, loud), 16'000).empty());
  CHECK(bare.position_ms() == 0);
  CHECK(bare.open_utterance().empty());
  voice_input::steps out;
  CHECK_FALSE(bare.commit(out));
  CHECK(bare.clear().empty());
}
