#include "providers/speech/heard_text.hpp"
#include "providers/speech/utterance_sound.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

TEST_CASE("descriptions of noises are no words") {
  for (const auto* written : {"", " ", "[BLANK_AUDIO]", " (coughing)", "[ Silence ]", "*sighs*",
                              "\xe2\x99\xaa\xe2\x99\xaa", " \xe2\x99\xaa [MUSIC] \xe2\x99\xaa",
                              "...", " . ", "[unfinished", "(", "-", "(a) [b] *c*"})
    CHECK(heard_text(written).empty());
}

TEST_CASE("words stay as they are, with single spaces") {
  CHECK(heard_text(" Hello, there.") == "Hello, there.");
  CHECK(heard_text(" Well (coughs) I think [NOISE] so. ") == "Well I think so.");
  CHECK(heard_text("one\n\ttwo\x01 three") == "one two three");
  CHECK(heard_text("It's 5 o'clock") == "It's 5 o'clock");
  CHECK(heard_text("Caf\xc3\xa9 and half \xc3") == "Caf\xc3\xa9 and half");
  CHECK(heard_text("to be (or not") == "to be");
}

TEST_CASE("a click and the hiss of a room are not audible, soft words are") {
  samples sound(16'000, 50);
  CHECK_FALSE(is_audible({}));
  CHECK_FALSE(is_audible(sound));
  for (std::size_t i = 4000; i < 4100; ++i)
    sound[i] = 30'000;
  CHECK_FALSE(is_audible(sound));
  for (std::size_t i = 8000; i < 9600; ++i)
    sound[i] = i % 2 == 0 ? 150 : -150;
  CHECK(is_audible(sound));
}

TEST_CASE("an utterance keeps its newest minute, however the sound comes") {
  samples kept;
  std::int16_t second = 0;
  for (; second < 200; ++second)
    keep_newest(kept, samples(speech_rate, second));
  CHECK(kept.size() >= utterance_max);
  CHECK(kept.size() <= utterance_max + std::size_t{5} * speech_rate);
  const auto newest = newest_minute(kept);
  CHECK(newest.size() == utterance_max);
  CHECK(newest.front() == 140);
  CHECK(newest.back() == 199);

  samples all_at_once;
  keep_newest(all_at_once, samples(utterance_max * 2, 7));
  CHECK(all_at_once.size() == utterance_max);
}

TEST_CASE("long sound is cut in the quietest place that gives pieces of a useful length") {
  samples sound(std::size_t{45} * speech_rate, 4000);
  const std::size_t pause = std::size_t{22} * speech_rate;
  std::fill_n(sound.begin() + static_cast<std::ptrdiff_t>(pause), speech_rate / 2, 10);
  const auto pieces = cut_long(sound);
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].size() > pause);
  CHECK(pieces[0].size() < pause + speech_rate / 2);
  CHECK(pieces[0].size() + pieces[1].size() == sound.size());
  CHECK(pieces[1].data() == pieces[0].data() + pieces[0].size());

  CHECK(cut_long({}).empty());
  CHECK(cut_long(samples_view{sound}.first(decode_max)).size() == 1);
  for (const auto piece : cut_long(samples(utterance_max, 1)))
    CHECK(piece.size() <= decode_max);
}

} // namespace sidevoice
