#include "config/time_zone.hpp"
#include "config/topic_value.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace sidevoice;

namespace {

/// Milliseconds of a time in UTC.
std::int64_t utc(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
  using namespace std::chrono;
  const sys_days date = std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day};
  const auto at = date + hours{hour} + minutes{minute} + seconds{second};
  return duration_cast<milliseconds>(at.time_since_epoch()).count();
}

std::int64_t offset(const std::string& rule, std::int64_t at_ms) {
  const auto parsed = parse_zone_rule(rule);
  REQUIRE(parsed.has_value());
  return parsed->offset_at(at_ms / 1000) / 60;
}

} // namespace

TEST_CASE("days that no calendar has are not valid") {
  CHECK(is_valid({2028, 2, 29}));
  CHECK(is_valid({2000, 2, 29}));
  CHECK_FALSE(is_valid({2027, 2, 29}));
  CHECK_FALSE(is_valid({1900, 2, 29}));
  CHECK_FALSE(is_valid({2027, 2, 30}));
  CHECK_FALSE(is_valid({2027, 4, 31}));
  CHECK_FALSE(is_valid({2027, 0, 1}));
  CHECK_FALSE(is_valid({2027, 13, 1}));
  CHECK_FALSE(is_valid({2027, 1, 0}));
  CHECK_FALSE(is_valid({0, 1, 1}));
  CHECK_FALSE(is_valid({10'000, 1, 1}));
}

TEST_CASE("a zone's day begins at its own midnight, in winter and in summer") {
  struct example {
    std::int64_t at;
    std::string zone;
    calendar_day day;
  };
  const std::vector<example> rows = {
    // Berlin: an hour ahead in winter, two in summer.
    {utc(2026, 1, 10, 22, 59, 59), "Europe/Berlin", {2026, 1, 10}},
    {utc(2026, 1, 10, 23, 0), "Europe/Berlin", {2026, 1, 11}},
    {utc(2026, 7, 10, 21, 59, 59), "Europe/Berlin", {2026, 7, 10}},
    {utc(2026, 7, 10, 22, 0), "Europe/Berlin", {2026, 7, 11}},
    // The nights before and after the change of 29 March 2026 at 01:00 UTC.
    {utc(2026, 3, 28, 22, 59), "Europe/Berlin", {2026, 3, 28}},
    {utc(2026, 3, 28, 23, 0), "Europe/Berlin", {2026, 3, 29}},
    {utc(2026, 3, 29, 21, 59), "Europe/Berlin", {2026, 3, 29}},
    {utc(2026, 3, 29, 22, 0), "Europe/Berlin", {2026, 3, 30}},
    // And of 25 October 2026.
    {utc(2026, 10, 24, 22, 0), "Europe/Berlin", {2026, 10, 25}},
    {utc(2026, 10, 25, 22, 59), "Europe/Berlin", {2026, 10, 25}},
    {utc(2026, 10, 25, 23, 0), "Europe/Berlin", {2026, 10, 26}},
    // New York changes on other days.
    {utc(2026, 3, 8, 4, 59), "America/New_York", {2026, 3, 7}},
    {utc(2026, 3, 8, 5, 0), "America/New_York", {2026, 3, 8}},
    {utc(2026, 3, 9, 3, 59), "America/New_York", {2026, 3, 8}},
    {utc(2026, 3, 9, 4, 0), "America/New_York", {2026, 3, 9}},
    // Half and quarter hours, the ends of the world, the south.
    {utc(2026, 5, 1, 18, 29), "Asia/Kolkata", {2026, 5, 1}},
    {utc(2026, 5, 1, 18, 30), "Asia/Kolkata", {2026, 5, 2}},
    {utc(2026, 5, 1, 18, 15), "Asia/Kathmandu", {2026, 5, 2}},
    {utc(2026, 12, 31, 9, 59), "Pacific/Kiritimati", {2026, 12, 31}},
    {utc(2026, 12, 31, 10, 0), "Pacific/Kiritimati", {2027, 1, 1}},
    {utc(2026, 1, 1, 10, 59), "Pacific/Pago_Pago", {2025, 12, 31}},
    {utc(2026, 1, 10, 13, 0), "Australia/Sydney", {2026, 1, 11}},
    {utc(2026, 7, 10, 13, 0), "Australia/Sydney", {2026, 7, 10}},
    // Beyond the last transition of the file its rule goes on.
    {utc(2060, 7, 10, 22, 0), "Europe/Berlin", {2060, 7, 11}},
    {utc(2060, 1, 10, 22, 0), "Europe/Berlin", {2060, 1, 10}},
    {utc(2060, 1, 10, 13, 0), "Australia/Sydney", {2060, 1, 11}},
    // Before 1970.
    {utc(1969, 12, 31, 23, 30), "UTC", {1969, 12, 31}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.zone);
    CAPTURE(row.at);
    const auto got = day_in_zone(row.at, row.zone);
    CAPTURE(got.month);
    CAPTURE(got.day);
    CHECK(got == row.day);
  }
}

TEST_CASE("unknown and hostile zone names count as UTC") {
  const auto at = utc(2026, 7, 10, 23, 30);
  for (const std::string zone :
       {"", "Mars/Olympus", "Europe", "../../../etc/passwd", "/etc/localtime", "Europe/../UTC",
        "zone.tab", "Europe/Berlin\n"}) {
    CAPTURE(zone);
    CHECK(day_in_zone(at, zone) == calendar_day{2026, 7, 10});
  }
  CHECK(day_in_zone(at, std::string(100'000, 'A')) == calendar_day{2026, 7, 10});
}

TEST_CASE("times beyond the calendar are held at its ends") {
  CHECK(day_in_zone(INT64_MAX, "UTC") == calendar_day{9999, 12, 31});
  CHECK(day_in_zone(INT64_MIN, "UTC") == calendar_day{1, 1, 1});
}

TEST_CASE("rules of all forms say when the clocks change") {
  const auto summer = utc(2026, 7, 1, 0, 0);
  const auto winter = utc(2026, 1, 1, 0, 0);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", summer) == 120);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", winter) == 60);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 3, 29, 0, 59, 59)) == 60);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 3, 29, 1, 0)) == 120);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 10, 25, 0, 59, 59)) == 120);
  CHECK(offset("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 10, 25, 1, 0)) == 60);
  CHECK(offset("AEST-10AEDT,M10.1.0,M4.1.0/3", winter) == 660);
  CHECK(offset("AEST-10AEDT,M10.1.0,M4.1.0/3", summer) == 600);
  CHECK(offset("<+0545>-5:45", summer) == 345);
  CHECK(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", summer) == -60);
  // Dublin's summer is its standard time.
  CHECK(offset("IST-1GMT0,M10.5.0,M3.5.0/1", summer) == 60);
  CHECK(offset("IST-1GMT0,M10.5.0,M3.5.0/1", winter) == 0);
  // By the day of the year: J60 is always the first of March, 59 only in years without a leap day.
  CHECK(offset("AAA0BBB,J60/0,J300/0", utc(2028, 2, 29, 12, 0)) == 0);
  CHECK(offset("AAA0BBB,J60/0,J300/0", utc(2028, 3, 1, 12, 0)) == 60);
  CHECK(offset("AAA0BBB,59/0,300/0", utc(2028, 2, 29, 12, 0)) == 60);
  CHECK(offset("AAA0BBB,59/0,300/0", utc(2027, 2, 28, 12, 0)) == 0);
}

TEST_CASE("what is no rule is refused") {
  for (const std::string rule :
       {"", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-200", "CET-1x", "<CET-1",
        "CET-1CEST,M3.5.0,M10.5.0,M1.1.1", "CET-99999999999999999999"}) {
    CAPTURE(rule);
    CHECK_FALSE(parse_zone_rule(rule).has_value());
  }
}

TEST_CASE("damaged zone files are refused at every length") {
  CHECK_FALSE(time_zone::parse("").has_value());
  CHECK_FALSE(time_zone::parse("no zone at all").has_value());
  // Version 2, no transitions, one type an hour east, rule "AAA-1".
  std::string header = "TZif2" + std::string(15, '\0') + std::string(12, '\0');
  const auto number = [](char n) { return std::string(3, '\0') + n; };
  header += number(0) + number(1) + number(4);
  const std::string body = std::string{"\0\0\x0e\x10\0\0", 6} + std::string{"AAA\0", 4};
  const auto whole = header + body + header + body + "\nAAA-1\n";
  const auto zone = time_zone::parse(whole);
  REQUIRE(zone.has_value());
  CHECK(zone->offset_at(0) == 3600);
  for (std::size_t length = 0; length < (header + body).size() * 2; ++length)
    CHECK_FALSE(time_zone::parse(whole.substr(0, length)).has_value());
}
