#include "config/time_zone.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using namespace sidevoice;

TEST_CASE("times beyond the calendar have the standard offset and nothing overflows") {
  const auto rule = parse_zone_rule("CET-1CEST,M3.5.0,M10.5.0/3");
  REQUIRE(rule.has_value());
  CHECK(rule->offset_at(std::numeric_limits<std::int64_t>::max()) == 3600);
  CHECK(rule->offset_at(std::numeric_limits<std::int64_t>::min()) == 3600);
}
