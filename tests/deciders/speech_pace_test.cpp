#include "actors/speech_pace.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

TEST_CASE("a clause is spoken about as fast as people speak, and never to its end") {
  speech_pace pace;
  CHECK(pace.spoken() == 0);
  pace.begin(100, 1);
  CHECK(pace.spoken() == 0);
  pace.add(1300);
  CHECK(pace.spoken() == 20);
  pace.add(60'000);
  CHECK(pace.spoken() == 93);
  pace.begin(0, 1);
  pace.add(1000);
  CHECK(pace.spoken() == 0);
  pace.begin(3, 1);
  pace.add(1000);
  CHECK(pace.spoken() == 2);
}

TEST_CASE("the next clause goes as fast as the one before, at its own speed") {
  speech_pace pace;
  pace.begin(100, 1);
  pace.add(10'000);
  pace.end();
  pace.begin(100, 1);
  pace.add(1000);
  CHECK(pace.spoken() == 10);
  pace.begin(100, 2);
  pace.add(1000);
  CHECK(pace.spoken() == 20);
  // A word alone says little of the pace.
  pace.begin(4, 1);
  pace.add(2000);
  pace.end();
  pace.begin(100, 1);
  pace.add(1000);
  CHECK(pace.spoken() == 10);
}

} // namespace sidevoice
