#include "actors/builtin_tools.hpp"

#include "config/time_zone.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr const char* no_parameters =
  R"({"type":"object","properties":{},"additionalProperties":false})";

json date_and_time(const session_started& about, std::int64_t wall_ms) {
  const auto utc = wall_ms / 1000;
  const auto zone = time_zone::load(about.zone);
  const auto offset = zone ? zone->offset_at(utc) : 0;
  const std::time_t local = utc + offset;
  std::tm parts{};
  ::gmtime_r(&local, &parts);
  const auto text = [&parts](const char* form) {
    std::array<char, 40> out{};
    return std::string{out.data(), std::strftime(out.data(), out.size(), form, &parts)};
  };
  static constexpr std::array weekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
  return {{"date", text("%Y-%m-%d")},
          {"time", text("%H:%M")},
          {"weekday", weekdays.at(static_cast<std::size_t>(parts.tm_wday))},
          {"zone", zone ? about.zone : "UTC"}};
}

} // namespace

std::optional<tool_result> run_builtin(const std::string& name, const session_started& about,
                                       std::int64_t wall_ms) {
  if (name == "current_date_time")
    return tool_result{.output = date_and_time(about, wall_ms).dump()};
  if (name == "end_session")
    return tool_result{
      .output = R"({"status":"ending","note":"The conversation ends after your next words."})"};
  if (name == "transfer_to_person")
    return tool_result{
      .output = R"({"status":"requested","note":"A person has been asked for; say so."})"};
  return std::nullopt;
}

std::optional<llm_tool> describe_builtin(const std::string& name) {
  if (name == "current_date_time")
    return llm_tool{name, "Tells the date, the weekday and the time of day where the visitor is",
                    no_parameters};
  if (name == "end_session")
    return llm_tool{name,
                    "Ends the conversation after your next words; only when the visitor wants to "
                    "stop or nothing is left to do",
                    no_parameters};
  if (name == "transfer_to_person")
    return llm_tool{
      name, "Asks for a person to take over; when the visitor wants one or you cannot help",
      R"({"type":"object","properties":{"reason":{"type":"string","maxLength":500}},"additionalProperties":false})"};
  return std::nullopt;
}

} // namespace sidevoice
