#include "actors/speech_chunks.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace sidevoice;

namespace {

/// All chunks of a text that is known at once.
std::vector<std::string> chunks_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = next_chunk(text, from, true);
    REQUIRE(end > from);
    REQUIRE(end <= text.size());
    out.push_back(text.substr(from, end - from));
    from = end;
  }
  return out;
}

bool is_inside(const std::string& text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

/// Words, sentences, long runs without a space and letters of several bytes.
std::string random_text(std::mt19937_64& random) {
  static const std::vector<std::string> parts = {"We ",
                                                 "move ",
                                                 "on ",
                                                 "12 March",
                                                 ". ",
                                                 ", ",
                                                 "! ",
                                                 "? ",
                                                 "\n",
                                                 "für ",
                                                 "ä",
                                                 "漢字",
                                                 "。",
                                                 "😀",
                                                 "e.g. ",
                                                 "3.14 ",
                                                 "Dr. ",
                                                 "— ",
                                                 "- ",
                                                 "**a** ",
                                                 "https://a.example/b?c=d ",
                                                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
  std::string text;
  const auto length = random() % 120;
  for (std::uint64_t i = 0; i < length; ++i)
    text += parts[random() % parts.size()];
  return text;
}

} // namespace

TEST_CASE("the first chunk is the first clause, however short") {
  const std::string text = "Good. I have noted the twelfth of March for you. ";
  CHECK(next_chunk(text, 0, false) == 6);
  CHECK(next_chunk("Good", 0, false) == 0);
  CHECK(next_chunk("Good", 0, true) == 4);
  CHECK(next_chunk("", 0, true) == 0);
  CHECK(next_chunk("Good", 4, true) == 0);
  CHECK(next_chunk("Good", 9, true) == 0);
}

TEST_CASE("later chunks are sentences of some length") {
  const std::string text = "Good. Fine. Yes. And we come at eight with the large van and three "
                           "strong people. Then we are done. And ";
  const auto first = next_chunk(text, 0, false);
  CHECK(first == 6);
  const auto second = next_chunk(text, first, false);
  CHECK(second >= first + 60);
  CHECK(text.substr(second - 2, 2) == ". ");
  CHECK(next_chunk(text, second, false) == 0);
  CHECK(next_chunk(text, second, true) == text.size());
}

TEST_CASE("a chunk has at most 240 bytes and ends behind a word where it can") {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "word ";
  for (const auto& chunk : chunks_of(text)) {
    CHECK(chunk.size() <= 240);
    CHECK(chunk.back() == ' ');
  }
  const std::string run(1000, 'x');
  for (const auto& chunk : chunks_of(run))
    CHECK(chunk.size() <= 240);
}

TEST_CASE("chunks joined are the text, and none ends inside a code point") {
  std::mt19937_64 random{11};
  for (int round = 0; round < 400; ++round) {
    const auto text = random_text(random);
    CAPTURE(text);
    std::string joined;
    for (const auto& chunk : chunks_of(text)) {
      CHECK(chunk.size() <= 240);
      joined += chunk;
      CHECK_FALSE(is_inside(text, joined.size()));
    }
    CHECK(joined == text);
  }
}

TEST_CASE("chunks joined are the text, too, where it comes in pieces") {
  std::mt19937_64 random{12};
  for (int round = 0; round < 400; ++round) {
    const auto text = random_text(random);
    CAPTURE(text);
    std::string joined;
    std::size_t known = 0;
    while (joined.size() < text.size()) {
      known = std::min(text.size(), known + random() % 9);
      while (is_inside(text, known))
        ++known;
      const auto end = next_chunk(std::string_view{text}.substr(0, known), joined.size(),
                                  known == text.size());
      if (end == 0)
        continue;
      REQUIRE(end > joined.size());
      REQUIRE(end <= known);
      CHECK(end - joined.size() <= 240);
      CHECK_FALSE(is_inside(text, end));
      joined = text.substr(0, end);
    }
    CHECK(joined == text);
  }
}

TEST_CASE("marks of formatting are not said") {
  CHECK(speakable("**Good**, that is `noted`. ") == "Good, that is noted.");
  CHECK(speakable("## Your _move_\n") == "Your move");
  CHECK(speakable("See [the map](https://a.example/x_y) now.") == "See the map now.");
  CHECK(speakable("[draft] ok") == "draft ok");
  CHECK(speakable("| a | b |") == "a  b");
  CHECK(speakable("**") == "");
  CHECK(speakable("") == "");
  CHECK(speakable("bread & butter") == "bread  and  butter");
  CHECK(speakable("a\tb\nc\x01") == "a b c");
}

TEST_CASE("an underscore within a word is part of it") {
  CHECK(speakable("ann_lee_1@a_b.example") == "ann_lee_1@a_b.example");
  CHECK(speakable("_ann_lee@a.example_") == "ann_lee@a.example");
  CHECK(speakable("3*4") == "3*4");
}

TEST_CASE("pictures are not said, letters of any script are") {
  CHECK(speakable("Done 🎉👍🏽!") == "Done !");
  CHECK(speakable("❤️ yes ☎ → no") == "yes   no");
  CHECK(speakable("👩‍👩‍👧 1️⃣") == "1");
  CHECK(speakable("für 漢字, Привет, 𠮷") == "für 漢字, Привет, 𠮷");
  CHECK(speakable("−5 °C, ½ €") == "−5 °C, ½ €");
}

TEST_CASE("a broken code point is no reason to read beyond the text") {
  CHECK(speakable("a\xF0\x9F") == "a\xF0\x9F");
  CHECK(speakable("\xC3") == "\xC3");
}
