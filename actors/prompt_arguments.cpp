#include "actors/prompt.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>

namespace sidevoice {

using nlohmann::json;

namespace {

/// Deeper values are no topic's; they would cost stack when they are written again.
constexpr int depth_max = 32;

error wrong(const char* param, std::string detail) {
  return {.code = errc::invalid, .detail = std::move(detail), .param = param};
}

/// Fills `parsed`. No result<json>: g++ 12 also takes a json for something to make an error of.
result<void> parse(const json_text& text, json& parsed) {
  bool is_deep = false;
  parsed = json::parse(
    text,
    [&is_deep](int depth, json::parse_event_t, json&) {
      is_deep = is_deep || depth > depth_max;
      return depth <= depth_max;
    },
    /*allow_exceptions=*/false);
  if (is_deep)
    return wrong("", "the arguments are nested too deeply; 32 levels are the limit");
  if (parsed.is_discarded())
    return wrong("", "the arguments are no valid JSON");
  if (!parsed.is_object())
    return wrong("", "the arguments must be a JSON object");
  return {};
}

/// Error where the object has a key beyond these.
result<void> check_keys(const json& object, const char* where,
                        std::initializer_list<const char*> known) {
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      return wrong(where, std::string{where}
                            + " has an unknown key; it takes only the keys that the "
                              "tool's schema names");
  return {};
}

result<std::string> read_text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return wrong(key, std::string{key} + " is missing or not a text");
  auto text = found->get<std::string>();
  if (text.find('\0') != std::string::npos)
    return wrong(key, std::string{key} + " contains a NUL character");
  return text;
}

result<topic_status> read_status(const json& arguments) {
  if (!arguments.contains("status"))
    return topic_status::answered;
  auto name = read_text(arguments, "status");
  if (!name)
    return name.error();
  if (const auto status = topic_status_from(*name))
    return *status;
  return wrong("status",
               "status must be one of answered, confirmed, contradicted, open and skipped");
}

result<topic_evidence> read_evidence(const json& arguments) {
  const auto found = arguments.find("evidence");
  if (found == arguments.end() || !found->is_object())
    return wrong("evidence", "evidence is missing; it is an object with item_id and quote");
  if (auto known = check_keys(*found, "evidence", {"item_id", "quote", "confidence"}); !known)
    return known.error();
  auto item = read_text(*found, "item_id");
  if (!item)
    return item.error();
  auto quote = read_text(*found, "quote");
  if (!quote)
    return quote.error();
  topic_evidence evidence{.item = std::move(*item), .quote = std::move(*quote)};
  if (const auto confidence = found->find("confidence"); confidence != found->end()) {
    if (!confidence->is_number())
      return wrong("confidence", "confidence must be a number from 0 to 1");
    evidence.confidence = confidence->get<double>();
    if (!(evidence.confidence >= 0 && evidence.confidence <= 1))
      return wrong("confidence", "confidence must be a number from 0 to 1");
  }
  return evidence;
}

} // namespace

result<proposed_topic> read_update_topic(const json_text& arguments) {
  json parsed;
  if (auto read = parse(arguments, parsed); !read)
    return read.error();
  if (auto known = check_keys(parsed, "update_topic", {"topic", "status", "value", "evidence"});
      !known)
    return known.error();
  auto topic = read_text(parsed, "topic");
  if (!topic)
    return topic.error();
  const auto status = read_status(parsed);
  if (!status)
    return status.error();
  auto evidence = read_evidence(parsed);
  if (!evidence)
    return evidence.error();
  proposed_topic proposal{
    .topic = std::move(*topic), .status = *status, .value = {}, .evidence = std::move(*evidence)};
  if (const auto value = parsed.find("value"); value != parsed.end() && !value->is_null())
    proposal.value = value->dump();
  return proposal;
}

} // namespace sidevoice
