#include "actors/turn_ledger.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

const turn_ledger::time start{std::chrono::hours{1}};

std::uint32_t sum(const turn_measured& m) {
  return m.end_of_speech + m.transcript + m.first_token + m.first_clause + m.first_audio + m.played;
}

} // namespace

TEST_CASE("a turn's parts are each the time since the part before") {
  turn_ledger ledger;
  ledger.ended("u1", 500ms, start + 500ms);
  ledger.words("u1", start + 800ms);
  ledger.asked("u1", "resp_1");
  ledger.first_token("resp_1", start + 950ms);
  ledger.first_clause("resp_1", start + 1100ms);
  ledger.sent("item_1", "resp_1", start + 1300ms);
  const auto turn = ledger.played("item_1", start + 1380ms);
  REQUIRE(turn);
  CHECK(*turn
        == turn_measured{.response = "resp_1",
                         .item = "item_1",
                         .end_of_speech = 500,
                         .transcript = 300,
                         .first_token = 150,
                         .first_clause = 150,
                         .first_audio = 200,
                         .played = 80});
  CHECK_FALSE(ledger.played("item_1", start + 1400ms));
}

TEST_CASE("a part that nobody told of is none, and its time counts in the next one") {
  turn_ledger ledger;
  ledger.ended("u1", 500ms, start + 500ms);
  ledger.asked("u1", "resp_1");
  ledger.sent("item_1", "resp_1", start + 1300ms);
  const auto turn = ledger.played("item_1", start + 1380ms);
  REQUIRE(turn);
  CHECK(turn->transcript == 0);
  CHECK(turn->first_token == 0);
  CHECK(turn->first_clause == 0);
  CHECK(turn->first_audio == 800);
  CHECK(sum(*turn) == 1380);
}

TEST_CASE("each part is told once, and the first time counts") {
  turn_ledger ledger;
  ledger.ended("u1", 500ms, start + 500ms);
  ledger.ended("u1", 100ms, start + 900ms);
  ledger.words("u1", start + 600ms);
  ledger.words("u1", start + 700ms);
  ledger.asked("u1", "resp_1");
  ledger.first_token("resp_1", start + 650ms);
  ledger.first_token("resp_1", start + 690ms);
  ledger.first_clause("resp_1", start + 700ms);
  ledger.first_clause("resp_1", start + 790ms);
  ledger.sent("item_1", "resp_1", start + 800ms);
  ledger.sent("item_2", "resp_1", start + 900ms);
  CHECK_FALSE(ledger.played("item_2", start + 1s));
  const auto turn = ledger.played("item_1", start + 1s);
  REQUIRE(turn);
  CHECK(turn->transcript == 100);
  CHECK(turn->first_token == 50);
  CHECK(turn->first_clause == 50);
  CHECK(turn->first_audio == 100);
  CHECK(turn->played == 200);
}

TEST_CASE("the parts add up to the silence, whatever was told when") {
  std::mt19937_64 random{3};
  const auto any = [&] { return start + std::chrono::microseconds{random() % 3'000'000}; };
  for (int round = 0; round < 2000; ++round) {
    turn_ledger ledger;
    const std::chrono::milliseconds silence{random() % 900};
    const auto decided = any();
    ledger.ended("u1", silence, decided);
    if (random() % 3 != 0)
      ledger.words("u1", any());
    ledger.asked("u1", "resp_1");
    if (random() % 3 != 0)
      ledger.first_token("resp_1", any());
    if (random() % 3 != 0)
      ledger.first_clause("resp_1", any());
    ledger.sent("item_1", "resp_1", any());
    const auto heard = start + 3s + std::chrono::microseconds{random() % 1'000'000};
    const auto turn = ledger.played("item_1", heard);
    REQUIRE(turn);
    const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(heard - decided + silence);
    CHECK(sum(*turn) == static_cast<std::uint32_t>(whole.count()));
  }
}

TEST_CASE("an answer to nothing spoken is not measured") {
  turn_ledger ledger;
  ledger.sent("item_1", "resp_1", start);
  ledger.sent("item_1", "", start);
  CHECK_FALSE(ledger.played("item_1", start));
  CHECK_FALSE(ledger.played("", start));
  ledger.ended("u1", 500ms, start);
  ledger.words("u1", start);
  // Words that asked for nothing: no response is theirs, not even one without a name.
  ledger.asked("u1", "");
  ledger.first_token("", start);
  ledger.sent("item_2", "", start);
  CHECK_FALSE(ledger.played("item_2", start));
}

TEST_CASE("a turn whose answer came to nothing is forgotten, one that is heard is not") {
  turn_ledger ledger;
  ledger.ended("u1", 0ms, start);
  ledger.asked("u1", "resp_1");
  ledger.forget("resp_1");
  ledger.sent("item_1", "resp_1", start);
  CHECK_FALSE(ledger.played("item_1", start));
  ledger.ended("u2", 0ms, start);
  ledger.asked("u2", "resp_2");
  ledger.sent("item_2", "resp_2", start);
  ledger.forget("resp_2");
  CHECK(ledger.played("item_2", start + 1ms));
}

TEST_CASE("turns without an end are bounded, and the oldest goes") {
  turn_ledger ledger;
  for (int i = 0; i < 17; ++i) {
    const auto name = std::to_string(i);
    ledger.ended("u" + name, 0ms, start);
    ledger.asked("u" + name, "r" + name);
    ledger.sent("i" + name, "r" + name, start);
  }
  CHECK_FALSE(ledger.played("i0", start));
  CHECK(ledger.played("i1", start));
  CHECK(ledger.played("i16", start));
}
