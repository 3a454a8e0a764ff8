#include "tests/providers/speech_fixture.hpp"
#include "tests/providers/stt_conformance.hpp"
#include "tests/providers/tts_conformance.hpp"
#include "tests/support/word_errors.hpp"

#include <array>

namespace sidevoice {

namespace {

/// What visitors and agents of the example app say; numbers as the recogniser writes them.
constexpr std::array sentences{
  "Hello! Where are you moving from, and when?",
  "I would like to move from London to Berlin in the spring.",
  "We have a flat on the third floor, and there is no lift.",
  "My name is Anna Miller, and I live near the old station.",
  "The piano is heavy, so please send more people.",
  "Is there anything fragile that needs special care?",
  "Yes, two mirrors and a box of glasses.",
  "Thank you, that is all I need. Have a nice day!",
  "Can we change the date to the last Friday of the month?",
  "No, I do not know how many boxes we will have.",
};

samples spoken(speech_fixture& f, const std::string& text, const std::string& voice) {
  auto request = tts_conformance::saying(text);
  request.voice = voice;
  const auto got = tts_conformance::speak({f.turned, [&] { return f.tts(); }}, request);
  samples out;
  for (const auto& one : got.all<tts_sound>()) {
    REQUIRE(one.piece.rate == speech_rate);
    speech_models::append(out, *one.piece.data);
  }
  return out;
}

} // namespace

TEST_CASE("word errors are counted") {
  CHECK(word_errors("Hello there!", "hello, there") == 0);
  CHECK(word_errors("one two three", "one three") == 1);
  CHECK(word_errors("one two three", "one two too three") == 1);
  CHECK(word_errors("one two three", "one to three") == 1);
  CHECK(word_errors("one two", "") == 2);
  CHECK(word_errors("It's", "its") == 0);
}

TEST_CASE("what flite says whisper understands: at most a tenth of the words is wrong") {
  if (!speech_models::find("ggml-tiny.en.bin"))
    return;
  speech_fixture f;
  for (const std::string voice : {"slt", "rms"}) {
    std::size_t words = 0;
    std::size_t errors = 0;
    std::string wrong;
    const auto provider = f.stt();
    const auto got = std::make_shared<stt_conformance::record>();
    const auto stream = stt_conformance::open(*provider, got);
    for (const std::string said : sentences) {
      stt_conformance::say(*stream, said, spoken(f, said, voice));
      REQUIRE(f.turned.until([&] { return got->ends(said) > 0; }));
      words += plain_words(said).size();
      const auto here = word_errors(said, got->text(said));
      errors += here;
      if (here > 0)
        wrong += "\n  said:  " + said + "\n  heard: " + got->text(said);
    }
    const auto percent = 100.0 * static_cast<double>(errors) / static_cast<double>(words);
    MESSAGE(voice << ": " << errors << " of " << words << " words wrong, " << percent << " %"
                  << wrong);
    CHECK(percent <= 10.0);
  }
}

TEST_CASE("an utterance longer than whisper's half a minute is understood to its end") {
  if (!speech_models::find("ggml-tiny.en.bin"))
    return;
  speech_fixture f;
  samples sound;
  std::string said;
  for (const std::string sentence : sentences) {
    speech_models::append(sound, spoken(f, sentence, "rms"));
    speech_models::append(sound, samples(speech_rate / 2));
    said += sentence + " ";
  }
  REQUIRE(sound.size() > std::size_t{30} * speech_rate);
  const auto provider = f.stt();
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(*provider, got);
  stt_conformance::say(*stream, "long", sound);
  REQUIRE(f.turned.until([&] { return got->ends("long") > 0; }));
  const auto words = plain_words(said).size();
  const auto wrong = word_errors(said, got->text("long"));
  CHECK_MESSAGE(wrong * 10 <= words, wrong << " of " << words << ": " << got->text("long"));
}

} // namespace sidevoice
