#include "actors/clauses.hpp"

#include <doctest/doctest.h>

#include <random>

namespace sidevoice {

namespace {

/// The clauses of a text that arrives in these chunks.
std::vector<std::string> clauses_of(const std::vector<std::string>& chunks) {
  clause_cutter cutter;
  std::vector<std::string> clauses;
  for (const auto& chunk : chunks) {
    std::string joined;
    for (const auto& piece : cutter.add(chunk)) {
      joined += piece.text;
      CHECK_FALSE(piece.text.empty());
      REQUIRE(piece.clause >= clauses.size());
      if (piece.clause > clauses.size())
        clauses.emplace_back();
      REQUIRE(piece.clause == clauses.size());
      clauses.back() += piece.text;
    }
    CHECK(joined == chunk);
  }
  return clauses;
}

std::vector<std::string> clauses_of(const std::string& text) {
  return clauses_of(std::vector<std::string>{text});
}

using clauses = std::vector<std::string>;

} // namespace

TEST_CASE("a clause ends behind an end mark and takes the white space with it") {
  CHECK(clauses_of("Hello. How are you?  Fine!\nGood")
        == clauses{"Hello. ", "How are you?  ", "Fine!\n", "Good"});
  CHECK(clauses_of("Two things: a van; a driver.")
        == clauses{"Two things: ", "a van; ", "a driver."});
  CHECK(clauses_of("Well... yes") == clauses{"Well... ", "yes"});
  CHECK(clauses_of("- one\n- two\n\n- three") == clauses{"- one\n", "- two\n\n", "- three"});
}

TEST_CASE("an end mark inside a word ends nothing") {
  for (const auto* text : {"It costs 3.5 euros", "See example.org for it", "At 10:30 sharp",
                           "What?No", "a;b", "1,000 boxes"})
    CHECK_MESSAGE(clauses_of(text) == clauses{text}, text);
}

TEST_CASE("a comma ends only long clauses") {
  CHECK(clauses_of("Yes, of course, gladly") == clauses{"Yes, of course, gladly"});
  const std::string long_part = "We would come to your old home at eight in the morning on Friday";
  CHECK(clauses_of(long_part + ", then drive") == clauses{long_part + ", ", "then drive"});
  // 60 characters, counted as characters and not as bytes.
  std::string umlauts;
  for (int i = 0; i < 59; ++i)
    umlauts += "ü";
  CHECK(clauses_of(umlauts + ", x").size() == 1);
  CHECK(clauses_of(umlauts + "ü, x").size() == 2);
}

TEST_CASE("abbreviations do not end a clause") {
  for (const auto* text :
       {"Fragile things, e.g. mirrors", "That is, i.e. on Friday", "Dr. Smith comes",
        "Mr. and Mrs. Jones", "Apartment No. 5 it is", "House Nr. 12 then", "See p. 4 below",
        "boxes, chairs, etc. are fine", "J. Smith", "at 5 p.m. on Friday", "z.B. Spiegel",
        "approx. 20 boxes", "Prof. Dr. Weber", "St. James Street", "(e.g. a lamp)",
        "1. First the van"})
    CHECK_MESSAGE(clauses_of(text) == clauses{text}, text);
}

TEST_CASE("words that only look like abbreviations end a clause") {
  const std::vector<std::pair<std::string, clauses>> table{
    {"No. I do not", {"No. ", "I do not"}},
    {"So do I. Good", {"So do I. ", "Good"}},
    {"Chairs etc. Then we go", {"Chairs etc. ", "Then we go"}},
    {"At 5 p.m. We come", {"At 5 p.m. ", "We come"}},
    {"It is 12. Right", {"It is 12. ", "Right"}},
    {"I said no. Really", {"I said no. ", "Really"}},
    {"Dr.\nSmith", {"Dr.\n", "Smith"}},
  };
  for (const auto& row : table)
    CHECK_MESSAGE(clauses_of(row.first) == row.second, row.first);
}

TEST_CASE("white space alone begins no clause") {
  CHECK(clauses_of("  \n Hello") == clauses{"  \n Hello"});
  CHECK(clauses_of("").empty());
  clause_cutter cutter;
  CHECK(cutter.add("Hi. ").size() == 1);
  CHECK(cutter.clause() == 1);
  CHECK(cutter.add(" \n") == std::vector<clause_cutter::piece>{{1, " \n"}});
  CHECK(cutter.add("You") == std::vector<clause_cutter::piece>{{2, "You"}});
  CHECK(cutter.clause() == 2);
}

TEST_CASE("clauses do not depend on how the text is chunked") {
  const std::vector<std::string> parts{"Hello", " ",    ". ",   "? ",   "! ",     "\n",
                                       "e.g. ", "No. ", "5",    "Dr. ", "Zürich", "日本語",
                                       "🚚",     ", ",   "etc.", " x",   ": ",     "3.5",
                                       "p.m. ", "A",    "I. ",  "1. ",  ".",      "\t ",
                                       "...",   ";",    "ünd",  "(",    "Ü",      "a long word"};
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string text;
    for (auto n = random() % 60; n > 0; --n)
      text += parts[random() % parts.size()];
    const auto whole = clauses_of(text);
    std::string joined;
    for (const auto& clause : whole) {
      joined += clause;
      // No clause begins within a code point.
      CHECK((static_cast<unsigned char>(clause.front()) & 0xC0) != 0x80);
    }
    REQUIRE(joined == text);
    for (int round = 0; round < 5; ++round) {
      std::vector<std::string> chunks;
      for (std::size_t at = 0; at < text.size();) {
        // Bytes, not characters: a cut within a code point must not matter either.
        chunks.push_back(text.substr(at, 1 + random() % 7));
        at += chunks.back().size();
      }
      REQUIRE(clauses_of(chunks) == whole);
    }
  }
}

} // namespace sidevoice
