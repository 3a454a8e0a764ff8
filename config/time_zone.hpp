#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// One change of the clocks in a POSIX TZ text: day and time of day (local, before the change).
struct zone_change {
  enum class kind { month_week_day, day_without_leap, day_of_year };

  kind how = kind::month_week_day;
  int month = 0;
  int week = 0;
  /// Of the week from Sunday = 0, or of the year.
  int day = 0;
  std::int64_t seconds = 7200;
};

/// What a POSIX TZ text such as "CET-1CEST,M3.5.0,M10.5.0/3" says about the time after the last
/// transition of a zone file.
struct zone_rule {
  /// East of Greenwich, in seconds.
  std::int64_t standard_offset = 0;
  std::int64_t summer_offset = 0;
  bool has_summer = false;
  zone_change to_summer;
  zone_change to_standard;

  [[nodiscard]] std::int64_t offset_at(std::int64_t utc_seconds) const;
};

/// Nothing for a text that is no POSIX TZ.
std::optional<zone_rule> parse_zone_rule(std::string_view text);

/// A zone of the IANA database, read from the system's TZif files (RFC 8536). Immutable; any
/// thread. The C library's own reading goes through the process-wide TZ and is not thread-safe.
class time_zone {
public:
  /// Reads "Europe/Berlin" below /usr/share/zoneinfo; nothing for an unknown or malformed name.
  static std::optional<time_zone> load(const std::string& name);

  /// Nothing for bytes that are no TZif of version 2 or later.
  static std::optional<time_zone> parse(std::string_view bytes);

  /// Seconds east of Greenwich at a time in seconds since 1970.
  [[nodiscard]] std::int64_t offset_at(std::int64_t utc_seconds) const;

private:
  struct transition {
    std::int64_t at = 0;
    std::int64_t offset = 0;
  };

  std::int64_t first_offset_ = 0;
  std::vector<transition> transitions_;
  std::optional<zone_rule> afterwards_;
};

} // namespace sidevoice
