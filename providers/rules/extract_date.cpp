#include "providers/rules/extract.hpp"

#include <array>
#include <chrono>
#include <cstdlib>

namespace sidevoice::rules {

namespace {

using std::chrono::sys_days;

sys_days days_of(calendar_day d) {
  return sys_days{std::chrono::year{d.year} / std::chrono::month{d.month}
                  / std::chrono::day{d.day}};
}

calendar_day day_of(sys_days days) {
  const std::chrono::year_month_day d{days};
  return {static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
          static_cast<unsigned>(d.day())};
}

calendar_day plus_days(calendar_day d, int n) {
  return day_of(days_of(d) + std::chrono::days{n});
}

calendar_day last_of_month(int year, unsigned month) {
  return day_of(sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::last});
}

calendar_day plus_months(calendar_day d, int n) {
  const auto month = std::chrono::year{d.year} / std::chrono::month{d.month}
                     + std::chrono::months{n};
  const auto end = last_of_month(static_cast<int>(month.year()),
                                 static_cast<unsigned>(month.month()));
  return {end.year, end.month, std::min(d.day, end.day)};
}

std::optional<unsigned> month_named(std::string_view word) {
  static constexpr std::array<std::string_view, 12> names = {"january", "february", "march",
                                                             "april",   "may",      "june",
                                                             "july",    "august",   "september",
                                                             "october", "november", "december"};
  for (unsigned i = 0; i < names.size(); ++i)
    if (word == names[i] || word == names[i].substr(0, 3) || (i == 8 && word == "sept"))
      return i + 1;
  return std::nullopt;
}

/// Monday is 1, Sunday 7.
std::optional<unsigned> weekday_named(std::string_view word) {
  static constexpr std::array<std::string_view, 7> names = {"monday",   "tuesday", "wednesday",
                                                            "thursday", "friday",  "saturday",
                                                            "sunday"};
  for (unsigned i = 0; i < names.size(); ++i)
    if (word == names[i]
        || (word.size() >= 3 && word != "sun" && word != "sat" && word != "wed"
            && word == names[i].substr(0, 3))
        || (word.size() == 4 && word == names[i].substr(0, 4)))
      return i + 1;
  return std::nullopt;
}

/// The next day that a day and month without a year mean; none for the 30th of February.
std::optional<calendar_day> next_such_day(unsigned month, unsigned day, calendar_day today) {
  for (int year = today.year; year < today.year + 9; ++year) {
    const calendar_day candidate{year, month, day};
    if (is_valid(candidate) && candidate >= today)
      return candidate;
  }
  return std::nullopt;
}

int full_year(int written) {
  return written < 100 ? 2000 + written : written;
}

/// "2027-03-12", "12.3.2027", "12/3", "3/25/2027".
std::optional<date_at> read_figures(const utterance& u, std::size_t i, calendar_day today) {
  const auto& text = u.at(i).lower;
  // "1.5k" is an amount.
  if (text.size() > 10 || (u.at(i + 1).is_word() && u.at(i + 1).glued))
    return std::nullopt;
  std::array<int, 3> part{};
  std::size_t parts = 0;
  char mark = 0;
  std::size_t first_width = 0;
  for (std::size_t at = 0; at < text.size(); ++parts) {
    auto end = text.find_first_not_of("0123456789", at);
    end = end == std::string::npos ? text.size() : end;
    if (parts == 3 || end == at || end - at > 4)
      return std::nullopt;
    part.at(parts) = std::atoi(text.substr(at, end - at).c_str());
    first_width = parts == 0 ? end : first_width;
    if (end < text.size()) {
      if (mark != 0 && text[end] != mark)
        return std::nullopt;
      mark = text[end++];
    }
    at = end;
  }
  if (parts < 2 || (mark != '-' && mark != '.' && mark != '/'))
    return std::nullopt;
  if (first_width == 4 && parts == 3) {
    const calendar_day day{part[0], static_cast<unsigned>(part[1]), static_cast<unsigned>(part[2])};
    return is_valid(day) ? std::optional{date_at{day, i + 1, true, 0.98}} : std::nullopt;
  }
  if (first_width > 2 || mark == '-')
    return std::nullopt;
  // Day first; the American order only where nothing else is possible.
  if (part[1] > 12 && part[0] <= 12 && mark == '/')
    std::swap(part[0], part[1]);
  const auto month = static_cast<unsigned>(part[1]);
  const auto day = static_cast<unsigned>(part[0]);
  if (parts == 3) {
    const calendar_day whole{full_year(part[2]), month, day};
    return is_valid(whole) ? std::optional{date_at{whole, i + 1, true, 0.95}} : std::nullopt;
  }
  const auto next = next_such_day(month, day, today);
  return next ? std::optional{date_at{*next, i + 1, false, 0.8}} : std::nullopt;
}

/// Completes a day and a month with the year that may follow at `i`.
std::optional<date_at> with_year(const utterance& u, std::size_t i, unsigned month, double day,
                                 calendar_day today) {
  if (day < 1 || day > 31 || day != static_cast<unsigned>(day))
    return std::nullopt;
  const auto year_token = u.at(i).is(",") ? i + 1 : i;
  const auto& y = u.at(year_token);
  if (y.is_number() && y.lower.size() == 4
      && y.lower.find_first_not_of("0123456789") == std::string::npos) {
    const calendar_day whole{std::atoi(y.lower.c_str()), month, static_cast<unsigned>(day)};
    if (whole.year >= 1900 && whole.year < 2200)
      return is_valid(whole) ? std::optional{date_at{whole, year_token + 1, true, 0.98}}
                             : std::nullopt;
  }
  const auto next = next_such_day(month, static_cast<unsigned>(day), today);
  return next ? std::optional{date_at{*next, i, true, 0.95}} : std::nullopt;
}

/// "12 March 2027", "the 12th of March", "March 12th", "the twelfth".
std::optional<date_at> read_day_and_month(const utterance& u, std::size_t i, calendar_day today) {
  const auto begin = u.at(i).is("the") ? i + 1 : i;
  if (const auto month = month_named(u.at(begin).lower)) {
    auto day = begin + 1;
    day += u.at(day).is(".") && u.at(day).glued ? 1 : 0;
    day += u.at(day).is("the") ? 1 : 0;
    const auto n = number_at(u, day);
    // "May 2027" names no day, "march 3 boxes" is still the 3rd of March.
    if (!n || (u.at(day).is_number() && u.at(day).lower.size() > 2))
      return std::nullopt;
    return with_year(u, n->next, *month, n->value, today);
  }
  auto n = number_at(u, begin);
  if (!n || n->value > 31)
    return std::nullopt;
  auto next = n->next;
  next += u.at(next).is(".") && u.at(next).glued && u.at(next + 1).is_word() ? 1 : 0;
  next += u.at(next).is("of") ? 1 : 0;
  if (const auto month = month_named(u.at(next).lower))
    return with_year(u, next + 1, *month, n->value, today);
  // The day alone: "the 12th", but not "the 3rd floor" or "the first one".
  if (!n->is_ordinal || n->value < 1
      || (u.at(n->next).is_word()
          && !u.at(n->next).is_any({"please", "then", "would", "is", "works", "or", "and", "at",
                                    "suits", "if", "instead", "thanks", "in", "will", "should"})))
    return std::nullopt;
  for (int month = 0; month < 12; ++month) {
    const auto first = plus_months({today.year, today.month, 1}, month);
    const calendar_day candidate{first.year, first.month, static_cast<unsigned>(n->value)};
    if (is_valid(candidate) && candidate >= today)
      return date_at{candidate, n->next, false, 0.75};
  }
  return std::nullopt;
}

/// "tomorrow", "next Friday", "Tuesday week".
std::optional<date_at> read_day_name(const utterance& u, std::size_t i, calendar_day today) {
  for (const auto& [phrase, days] : {std::pair{"the day after tomorrow", 2},
                                     {"day after tomorrow", 2},
                                     {"tomorrow", 1},
                                     {"today", 0},
                                     {"tonight", 0},
                                     {"yesterday", -1}})
    if (const auto n = u.phrase_at(i, phrase); n != 0)
      return date_at{plus_days(today, days), i + n, true, 0.95};
  auto at = i;
  const bool this_one = u.at(at).is_any({"this", "the"}) && u.at(at).is("this");
  at += u.at(at).is_any({"next", "this", "coming"}) || u.phrase_at(at, "the coming") != 0 ? 1 : 0;
  at += u.at(at).is("coming") ? 1 : 0;
  const auto weekday = weekday_named(u.at(at).lower);
  if (!weekday)
    return std::nullopt;
  const auto now = std::chrono::weekday{days_of(today)}.iso_encoding();
  int ahead = static_cast<int>((*weekday + 7 - now) % 7);
  if (ahead == 0 && !this_one)
    ahead = 7;
  ++at;
  // "Friday, 12 March" names its day itself.
  const auto exact = u.at(at).is(",") ? at + 1 : at;
  const auto rest = u.at(exact).is("the") ? exact + 1 : exact;
  if (auto day = read_day_and_month(u, rest, today)) {
    day->is_strong = true;
    return day;
  }
  if (const auto day = u.at(rest).is_number() ? read_figures(u, rest, today) : std::nullopt)
    return day;
  if (const auto n = u.phrase_at(at, {"week", "after next", "in a week"}); n != 0)
    return date_at{plus_days(today, ahead + 7), at + n, true, 0.85};
  return date_at{plus_days(today, ahead), at, true, 0.9};
}

/// A number of days, weeks, months or years at `i`, counted from today.
std::optional<date_at> read_span(const utterance& u, std::size_t i, calendar_day today) {
  double count = 1;
  auto at = i;
  if (const auto n = number_at(u, at)) {
    count = n->value;
    at = n->next;
  } else if (u.at(at).is_any({"a", "an", "one"})) {
    ++at;
  } else {
    return std::nullopt;
  }
  at += u.at(at).is("of") ? 1 : 0;
  at += u.at(at).is("the") ? 1 : 0;
  if (count < 0 || count > 1200 || count != static_cast<int>(count))
    return std::nullopt;
  const auto n = static_cast<int>(count);
  const auto& unit = u.at(at);
  if (unit.is_any({"day", "days", "days'"}))
    return date_at{plus_days(today, n), at + 1, true, 0.9};
  if (unit.is_any({"week", "weeks", "weeks'", "fortnight", "fortnights"}))
    return date_at{plus_days(today, n * (unit.lower[0] == 'f' ? 14 : 7)), at + 1, true, 0.9};
  if (unit.is_any({"month", "months", "months'"}))
    return date_at{plus_months(today, n), at + 1, true, 0.85};
  if (unit.is_any({"year", "years"}) && n < 100)
    return date_at{plus_months(today, 12 * n), at + 1, true, 0.8};
  return std::nullopt;
}

/// "in two weeks", "a week from now", "next week", "end of March".
std::optional<date_at> read_relative(const utterance& u, std::size_t i, calendar_day today) {
  if (u.at(i).is_any({"in", "within"}))
    return read_span(u, i + 1, today);
  if (auto span = read_span(u, i, today)) {
    if (const auto n = u.phrase_at(span->next, {"from now", "from today", "time"}); n != 0) {
      span->next += n;
      return span;
    }
    return std::nullopt;
  }
  if (const auto n = u.phrase_at(i, "next week"); n != 0) {
    const auto now = static_cast<int>(std::chrono::weekday{days_of(today)}.iso_encoding());
    return date_at{plus_days(today, 8 - now), i + n, false, 0.5};
  }
  if (const auto n = u.phrase_at(i, "next month"); n != 0) {
    const auto next = plus_months({today.year, today.month, 1}, 1);
    return date_at{next, i + n, false, 0.5};
  }
  auto at = i + (u.at(i).is("the") ? 1 : 0);
  const bool end = u.at(at).is_any({"end", "late"});
  const bool begin = u.at(at).is_any({"beginning", "start", "early"});
  const bool middle = u.at(at).is_any({"mid", "middle"});
  if (!end && !begin && !middle)
    return std::nullopt;
  at += u.at(at + 1).is("of") ? 2 : 1;
  const auto month = month_named(u.at(at).lower);
  if (!month)
    return std::nullopt;
  const auto year = *month < today.month ? today.year + 1 : today.year;
  const auto last = last_of_month(year, *month);
  const calendar_day day{year, *month, end ? last.day : middle ? 15U : 1U};
  return date_at{day, at + 1, false, 0.6};
}

} // namespace

std::optional<date_at> read_date(const utterance& u, std::size_t i, calendar_day today) {
  if (u.at(i).is_number())
    if (auto d = read_figures(u, i, today))
      return d;
  if (auto d = read_day_name(u, i, today))
    return d;
  if (auto d = read_day_and_month(u, i, today))
    return d;
  return read_relative(u, i, today);
}

std::vector<finding> find_dates(const utterance& u, const scope& s) {
  std::vector<finding> found;
  for (auto i = s.from; i < u.size();) {
    const auto d = read_date(u, i, s.today);
    if (!d || (!s.asked && !d->is_strong)) {
      ++i;
      continue;
    }
    char text[32];
    std::snprintf(text, sizeof text, "\"%04d-%02u-%02u\"", d->day.year, d->day.month, d->day.day);
    found.push_back(over(u, i, d->next, text, d->confidence));
    i = d->next;
  }
  return found;
}

} // namespace sidevoice::rules
