#include "persistence/stream_position.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

TEST_CASE("what is heard in order moves the position on") {
  stream_position at{"mic"};
  at.hear({0, 900}, std::nullopt);
  CHECK(at == stream_position{"mic", 900});
  at.hear({2000, 3000}, 3500);
  CHECK(at == stream_position{"mic", 3000});
  // Said again: nothing changes.
  at.hear({2000, 3000}, std::nullopt);
  CHECK(at == stream_position{"mic", 3000});
}

TEST_CASE("what is heard behind open speech is kept as a stretch until that is known too") {
  stream_position at{"mic", 500};
  at.hear({4000, 5000}, 600);
  at.hear({2000, 3000}, 600);
  CHECK(at == stream_position{"mic", 500, {{2000, 3000}, {4000, 5000}}});
  at.hear({600, 1000}, 3200);
  CHECK(at == stream_position{"mic", 3000, {{4000, 5000}}});
  at.hear({3200, 3900}, std::nullopt);
  CHECK(at == stream_position{"mic", 5000});
}

TEST_CASE("a stretch is known when most of it has been dealt with") {
  const stream_position at{"mic", 1000, {{2000, 3000}, {4000, 5000}}};
  CHECK(at.has_heard({0, 1000}));
  CHECK(at.has_heard({200, 1700}));
  CHECK(!at.has_heard({1000, 2000}));
  CHECK(at.has_heard({1900, 3100}));
  CHECK(!at.has_heard({1900, 9000}));
  CHECK(at.has_heard({500, 5000}));
  CHECK(!at.has_heard({2000, 2000}));
  CHECK(!at.has_heard({6000, 5000}));
}

TEST_CASE("what was lost is heard when its sound comes again") {
  stream_position at{"mic", 500};
  at.lose({600, 1600});
  CHECK(!at.has_heard({600, 1600}));
  at.hear({2000, 3000}, std::nullopt);
  CHECK(at == stream_position{"mic", 500, {{2000, 3000}}, {{600, 1600}}});
  at.hear({580, 1620}, std::nullopt);
  CHECK(at == stream_position{"mic", 3000});
  for (std::uint64_t i = 4; i < 20; ++i)
    at.lose({i * 1000, i * 1000 + 500});
  CHECK(at.lost.size() == 8);
}

TEST_CASE("stretches are bounded; the oldest are taken for dealt with") {
  stream_position at{"mic"};
  for (std::uint64_t i = 0; i < 300; ++i)
    at.hear({i * 1000 + 100, i * 1000 + 900}, 0);
  CHECK(at.heard.size() == 256);
  CHECK(at.to_ms == 43'900);
}

} // namespace sidevoice
