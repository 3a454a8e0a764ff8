#include "config/time_zone.hpp"

#include <chrono>

namespace sidevoice {

namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day_seconds = 86'400;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Reads a POSIX TZ text from left to right; `good` turns false at the first thing that is wrong.
struct rule_reader {
  std::string_view rest;
  bool good = true;

  bool take(char c) {
    const auto here = rest.starts_with(c);
    if (here)
      rest.remove_prefix(1);
    return here;
  }

  void expect(char c) {
    good = take(c) && good;
  }

  int number(int min, int max) {
    int value = 0;
    const auto any = !rest.empty() && is_digit(rest.front());
    while (!rest.empty() && is_digit(rest.front()) && value <= max) {
      value = value * 10 + (rest.front() - '0');
      rest.remove_prefix(1);
    }
    good = good && any && value >= min && value <= max;
    return value;
  }

  /// "CET" or "<-03>". What it is called does not matter here.
  void name() {
    const auto quoted = take('<');
    std::size_t length = 0;
    while (length < rest.size() && (quoted ? rest[length] != '>' : is_letter(rest[length])))
      ++length;
    good = good && length >= 3;
    rest.remove_prefix(length);
    if (quoted)
      expect('>');
  }

  /// [+-]hh[:mm[:ss]] in seconds. RFC 8536 allows a week each way for times of day.
  std::int64_t time() {
    const auto negative = take('-');
    if (!negative)
      take('+');
    auto seconds = number(0, 167) * hour;
    if (take(':'))
      seconds += number(0, 59) * std::int64_t{60};
    if (take(':'))
      seconds += number(0, 59);
    return negative ? -seconds : seconds;
  }

  zone_change change() {
    zone_change out;
    expect(',');
    if (take('M')) {
      out.month = number(1, 12);
      expect('.');
      out.week = number(1, 5);
      expect('.');
      out.day = number(0, 6);
    } else if (take('J')) {
      out.how = zone_change::kind::day_without_leap;
      out.day = number(1, 365);
    } else {
      out.how = zone_change::kind::day_of_year;
      out.day = number(0, 365);
    }
    if (take('/'))
      out.seconds = time();
    return out;
  }
};

/// The day of a change in `year`, in days since 1970.
std::int64_t day_of(const zone_change& change, std::chrono::year year) {
  using namespace std::chrono;
  const auto january = sys_days{year / 1 / 1}.time_since_epoch().count();
  switch (change.how) {
    case zone_change::kind::day_of_year:
      return january + change.day;
    case zone_change::kind::day_without_leap: {
      const auto leap = year.is_leap() && change.day >= 60 ? 1 : 0;
      return january + change.day - 1 + leap;
    }
    case zone_change::kind::month_week_day:
      break;
  }
  const auto in_month = year / month{static_cast<unsigned>(change.month)};
  const auto week_day = weekday{static_cast<unsigned>(change.day)};
  // Week 5 is the last one.
  const auto found = change.week == 5
                       ? sys_days{in_month / week_day[last]}
                       : sys_days{in_month / week_day[static_cast<unsigned>(change.week)]};
  return found.time_since_epoch().count();
}

} // namespace

std::optional<zone_rule> parse_zone_rule(std::string_view text) {
  rule_reader in{text};
  zone_rule out;
  in.name();
  // POSIX counts hours west of Greenwich.
  out.standard_offset = -in.time();
  if (!in.rest.empty()) {
    out.has_summer = true;
    in.name();
    const auto explicit_offset = !in.rest.empty() && in.rest.front() != ',';
    out.summer_offset = explicit_offset ? -in.time() : out.standard_offset + hour;
    out.to_summer = in.change();
    out.to_standard = in.change();
  }
  if (!in.good || !in.rest.empty())
    return std::nullopt;
  return out;
}

std::int64_t zone_rule::offset_at(std::int64_t utc_seconds) const {
  using namespace std::chrono;
  if (!has_summer)
    return standard_offset;
  // The calendar knows years of 16 bits; beyond them no summer is told from a winter.
  constexpr std::int64_t calendar_end = 900'000'000'000;
  if (utc_seconds < -calendar_end || utc_seconds > calendar_end)
    return standard_offset;
  const auto local_day = floor<days>(sys_seconds{seconds{utc_seconds + standard_offset}});
  const auto year = year_month_day{local_day}.year();
  const auto begin = day_of(to_summer, year) * day_seconds + to_summer.seconds - standard_offset;
  const auto end = day_of(to_standard, year) * day_seconds + to_standard.seconds - summer_offset;
  // South of the equator summer spans the new year.
  const auto summer = begin < end ? utc_seconds >= begin && utc_seconds < end
                                  : utc_seconds >= begin || utc_seconds < end;
  return summer ? summer_offset : standard_offset;
}

} // namespace sidevoice
