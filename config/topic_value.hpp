#pragma once

#include "config/app.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <string>

namespace sidevoice {

/// A calendar day, in the session's zone.
struct calendar_day {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;

  auto operator<=>(const calendar_day&) const = default;
};

/// Takes a value for a topic and returns it in canonical form: text trimmed, dates as
/// "2027-03-12", choices as their key (other words are mapped), money as
/// {"amount": 1200, "currency": "EUR"}, e-mail checked, `list` as an array (a single value becomes
/// one of length 1; the checks go over each element), numbers within min and max, `object` checked
/// against its JSON Schema (the subset: type, properties, required, additionalProperties, items,
/// enum, minimum, maximum). `today` decides `"min": "today"`.
/// Error `invalid`: a sentence that says what was expected, with an example.
result<json_text> check_topic_value(const topic_declaration& topic, const json_text& value,
                                    calendar_day today);

/// The value as a person reads it: "12 March 2027", "EUR 1,200", "yes", "flat".
std::string display_topic_value(const topic_declaration& topic, const json_text& value);

/// Days in the proleptic Gregorian calendar; false for the 30th of February.
bool is_valid(calendar_day day);

/// The day that `wall_ms` (milliseconds since 1970, UTC) falls on in an IANA zone such as
/// "Europe/Berlin"; unknown zones count as UTC.
calendar_day day_in_zone(std::int64_t wall_ms, const std::string& zone);

} // namespace sidevoice
