#include "providers/speech/fake_engines.hpp"

#include "tests/providers/stt_conformance.hpp"
#include "tests/providers/tts_conformance.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

namespace {

/// The stream outlives the engines: the conformance suites make several providers of them.
struct lent_stt final : stt_provider {
  explicit lent_stt(stt_provider& to) : whose(to) {}
  result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) override {
    return whose.open(std::move(request), std::move(sink));
  }
  stt_provider& whose;
};

struct lent_tts final : tts_provider {
  explicit lent_tts(tts_provider& to) : whose(to) {}
  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override {
    return whose.open(std::move(request), std::move(sink));
  }
  tts_provider& whose;
};

struct fake_speech_fixture {
  virtual_turning turned;
  counters count;
  std::unique_ptr<speech_engines> engines = make_fake_speech({.models = "no/such/folder"},
                                                             turned.where(), count);
};

} // namespace

TEST_CASE_FIXTURE(fake_speech_fixture, "the fake recogniser keeps the contract") {
  stt_conformance::run({turned, [&] { return std::make_unique<lent_stt>(*engines->stt()); },
                        samples(std::size_t{2} * speech_rate, 1000), "berlin", false});
}

TEST_CASE_FIXTURE(fake_speech_fixture, "the fake voice keeps the contract") {
  tts_conformance::run({turned, [&] { return std::make_unique<lent_tts>(*engines->tts()); }});
}

TEST_CASE_FIXTURE(fake_speech_fixture, "words come 100 ms after the end of the utterance") {
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(*engines->stt(), got);
  const auto before = turned.where().now();
  stt_conformance::say(*stream, "u1", samples(speech_rate, 1000));
  REQUIRE(turned.until([&] { return got->ends("u1") > 0; }));
  CHECK(turned.where().now() - before == fake_stt_delay);
}

TEST_CASE_FIXTURE(fake_speech_fixture, "sound has 60 ms a byte and comes at 20 times real time") {
  const auto got = std::make_shared<tts_conformance::record>();
  const auto before = turned.where().now();
  const auto stream = tts_conformance::open(*engines->tts(), tts_conformance::saying("Hello you."),
                                            got);
  REQUIRE(turned.until([&] { return !got->all<tts_sound>().empty(); }));
  CHECK(turned.where().now() - before == fake_tts_pace);
  REQUIRE(turned.until([&] { return got->ends() > 0; }));
  CHECK(got->ms() == 600);
  CHECK(turned.where().now() - before == 7 * fake_tts_pace);
  const auto marks = got->all<tts_mark>();
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].text_end == 5);
  CHECK(marks[0].at_ms == 300);
}

TEST_CASE_FIXTURE(fake_speech_fixture, "without its model the voice activity is a gate, and told") {
  CHECK(engines->vad().name() == "energy");
  REQUIRE(engines->missing().size() == 1);
  CHECK(engines->missing()[0].part == "vad");
  CHECK(engines->end_of_turn() == nullptr);
}

} // namespace sidevoice
