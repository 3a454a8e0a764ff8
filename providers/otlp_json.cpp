#include "providers/otlp_json.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace sidevoice {

namespace {

using nlohmann::json;

json to_value(const std::string& text) {
  return {{"stringValue", text}};
}

json to_value(std::int64_t number) {
  return {{"intValue", std::to_string(number)}};
}

json to_value(double number) {
  return {{"doubleValue", number}};
}

json to_value(bool flag) {
  return {{"boolValue", flag}};
}

json to_value(const std::vector<std::string>& texts) {
  auto values = json::array();
  for (const auto& text : texts)
    values.push_back(to_value(text));
  return {{"arrayValue", {{"values", std::move(values)}}}};
}

json to_object(const span_record& span) {
  json out{{"traceId", span.self.trace},
           {"spanId", span.self.span},
           {"flags", 1},
           {"name", span.name},
           {"kind", static_cast<int>(span.kind)},
           {"startTimeUnixNano", std::to_string(span.start_ns)},
           {"endTimeUnixNano", std::to_string(span.end_ns)}};
  if (!span.parent.empty())
    out["parentSpanId"] = span.parent;
  for (const auto& one : span.attributes)
    out["attributes"].push_back(
      {{"key", one.key},
       {"value", std::visit([](const auto& value) { return to_value(value); }, one.value)}});
  for (const auto& one : span.events)
    out["events"].push_back({{"name", one.name}, {"timeUnixNano", std::to_string(one.at_ns)}});
  constexpr int status_error = 2;
  if (!span.failure.empty())
    out["status"] = {{"code", status_error}, {"message", span.failure}};
  return out;
}

} // namespace

json_text make_otlp_request(const std::vector<span_record>& spans,
                            const std::vector<std::pair<std::string, std::string>>& resource) {
  auto about = json::array();
  for (const auto& [key, value] : resource)
    about.push_back({{"key", key}, {"value", to_value(value)}});
  auto list = json::array();
  for (const auto& span : spans)
    list.push_back(to_object(span));
  const json scope{{"scope", {{"name", "sidevoice"}}}, {"spans", std::move(list)}};
  const json body{
    {"resourceSpans",
     {{{"resource", {{"attributes", std::move(about)}}}, {"scopeSpans", json::array({scope})}}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t rejected_spans(std::string_view body) {
  const auto answer = json::parse(body, nullptr, false);
  if (!answer.is_object())
    return 0;
  const auto partial = answer.find("partialSuccess");
  if (partial == answer.end() || !partial->is_object())
    return 0;
  const auto rejected = partial->find("rejectedSpans");
  if (rejected == partial->end())
    return 0;
  if (rejected->is_number_unsigned())
    return rejected->get<std::size_t>();
  if (!rejected->is_string())
    return 0;
  const auto& text = rejected->get_ref<const std::string&>();
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

} // namespace sidevoice
