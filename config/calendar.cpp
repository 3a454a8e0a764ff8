#include "config/time_zone.hpp"
#include "config/topic_value.hpp"

#include <algorithm>
#include <chrono>

namespace sidevoice {

bool is_valid(calendar_day day) {
  const std::chrono::year_month_day date{std::chrono::year{day.year}, std::chrono::month{day.month},
                                         std::chrono::day{day.day}};
  return day.year >= 1 && day.year <= 9999 && date.ok();
}

calendar_day day_in_zone(std::int64_t wall_ms, const std::string& zone) {
  using namespace std::chrono;
  // Years 1 to 9999: beyond them the arithmetic below has no calendar to fall on.
  constexpr std::int64_t first_ms = -62'135'596'800'000;
  constexpr std::int64_t last_ms = 253'402'300'799'999;
  const auto utc = floor<seconds>(milliseconds{std::clamp(wall_ms, first_ms, last_ms)});
  const auto known = time_zone::load(zone);
  const auto offset = seconds{known ? known->offset_at(utc.count()) : 0};
  const year_month_day date{floor<days>(sys_seconds{utc + offset})};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day())};
}

} // namespace sidevoice
