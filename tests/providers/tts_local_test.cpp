#include "providers/speech/flite_speaker.hpp"
#include "tests/providers/speech_fixture.hpp"
#include "tests/providers/tts_conformance.hpp"

#include <random>

namespace sidevoice {

using tts_conformance::saying;

TEST_CASE("flite keeps the contract of text to speech") {
  speech_fixture f{"no-models"};
  tts_conformance::run({f.turned, [&] { return f.tts(); }});
  CHECK(f.count.value(counter::speech_spoken) > 10);
}

TEST_CASE("each voice of flite speaks, and an unknown one is answered with their names") {
  speech_fixture f{"no-models"};
  const tts_conformance::subject s{f.turned, [&] { return f.tts(); }};
  CHECK(flite_voices() == std::vector<std::string>{"slt", "rms", "awb", "kal16"});
  for (const auto& voice : flite_voices()) {
    auto request = saying(tts_conformance::sentence);
    request.voice = voice;
    const auto got = tts_conformance::speak(s, request);
    CHECK(got.ms() > 1000);
    CHECK(got.all<tts_mark>().size() == 8);
    CHECK(got.all<tts_mark>().back().text_end == request.text.size());
  }
  auto request = saying("Hello.");
  request.voice = "nobody";
  const auto got = tts_conformance::speak(s, request);
  CHECK(got.all<tts_failed>().at(0).why.detail.find("slt, rms, awb, kal16") != std::string::npos);
}

TEST_CASE("the voice and speed of the options are the defaults of requests") {
  speech_fixture f{"no-models"};
  const tts_conformance::subject usual{f.turned, [&] { return f.tts(); }};
  const tts_conformance::subject slow{
    f.turned, [&] { return f.tts(R"({"vendor":"local","voice":"rms","speed":0.5})"); }};
  const auto plain = tts_conformance::speak(usual, saying("Good morning."));
  CHECK(tts_conformance::speak(slow, saying("Good morning.")).ms() > plain.ms() * 3 / 2);
  auto named = saying("Good morning.");
  named.voice = "slt";
  named.speed = 2.0;
  CHECK(tts_conformance::speak(slow, named).ms() == plain.ms());

  for (const auto* wrong : {"[]", "7", "{", R"({"voice":7})", R"({"speed":"fast"})",
                            R"({"speed":0.1})", R"({"speed":5})"}) {
    const auto made = make_tts_local(f.context(), wrong);
    REQUIRE(made.has_error());
    CHECK(made.error().code == errc::invalid);
  }
}

TEST_CASE("the first sound is audible at once, without the silence that flite begins with") {
  speech_fixture f{"no-models"};
  const tts_conformance::subject s{f.turned, [&] { return f.tts(); }};
  const auto got = tts_conformance::speak(s, saying(tts_conformance::sentence));
  std::size_t quiet = 0;
  for (const auto& one : got.all<tts_sound>()) {
    const auto& data = *one.piece.data;
    const auto loud = std::find_if(data.begin(), data.end(), [](int v) { return v > 300; });
    quiet += static_cast<std::size_t>(loud - data.begin());
    if (loud != data.end())
      break;
  }
  CHECK(sound_ms(quiet, speech_rate) < 120);
  // Later pieces are worth a message each.
  const auto sounds = got.all<tts_sound>();
  for (std::size_t i = 1; i + 1 < sounds.size(); ++i)
    CHECK(sounds[i].piece.data->size() >= speech_rate / 10);
}

TEST_CASE("texts that are too long or not English are refused at once") {
  speech_fixture f{"no-models"};
  const auto provider = f.tts();
  const auto sink = [](const tts_event&) {};
  CHECK(provider->open(saying(std::string(501, 'a')), sink).error().reason == "too_long");
  auto german = saying("Guten Tag");
  german.language = "de-DE";
  CHECK(provider->open(german, sink).error().reason == "language_unsupported");
  auto without = f.context();
  without.speech = nullptr;
  CHECK((*make_tts_local(without, ""))->open(saying("Hi."), sink).error().reason == "no_model");
}

TEST_CASE("flite survives whatever is thrown at it") {
  speech_fixture f{"no-models"};
  const tts_conformance::subject s{f.turned, [&] { return f.tts(); }};
  std::minstd_rand dice{7}; // NOLINT: the same texts each time
  const std::string letters = "aZ09 .,;:!?$%&*()-+/\\'\"@#^_<>{}[]|~`=\xc3\xa9\xe2\x82\xac\x80\n";
  for (int i = 0; i < 30; ++i) {
    std::string text;
    const auto length = dice() % 40;
    while (text.size() < length)
      text += letters[dice() % letters.size()];
    CHECK(tts_conformance::speak(s, saying(text)).ends() == 1);
  }
  for (const auto* text : {"$1.50 $1,000,000,000,000,000.99 1/2 3/4/2027 10:30pm 1e99 -5 +49 170",
                           "MMXXVII IV. Dr. Mr. St. e.g. U.S.A. a.m. NATO's 90s 1990s 3rd 101st",
                           "00000000000000000000000000000000000000000000000000000000000001",
                           "'''''''' a' 'b \"c\" ((((d)))) --- e--f ......g"})
    CHECK(tts_conformance::speak(s, saying(text)).all<tts_done>().size() == 1);
}

TEST_CASE("engines go away in the middle of a sentence without waiting for its end") {
  speech_fixture f{"no-models"};
  const auto provider = f.tts();
  const auto got = std::make_shared<tts_conformance::record>();
  std::string text;
  while (text.size() < 470)
    text += "We move the piano on Monday. ";
  const auto stream = tts_conformance::open(*provider, saying(text), got);
  REQUIRE(f.turned.until([&] { return !got->events.empty(); }));
  f.engines.reset();
  CHECK(got->ends() <= 1);
}

} // namespace sidevoice
