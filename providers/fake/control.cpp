#include "providers/fake/chat_request.hpp"
#include "providers/fake/reply.hpp"
#include "providers/fake_openai.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

/// The part of the fake that tests talk to: what was asked, another script, begin again.
namespace sidevoice {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t log_entries_max = 100;
constexpr std::size_t log_bytes_max = 64U << 20U;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_secret(const std::string& name) {
  constexpr std::array<std::string_view, 5> secrets = {"authorization", "api-key", "x-api-key",
                                                       "cookie", "proxy-authorization"};
  return std::any_of(secrets.begin(), secrets.end(),
                     [&](std::string_view one) { return is_same_field(one, name); });
}

std::string lower(std::string name) {
  for (auto& c : name)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return name;
}

/// The body as JSON where it is JSON, else as text.
std::string body_json(const std::string& body) {
  if (body.empty())
    return "null";
  return parse_chat(body).is_discarded() ? dump(json(body)) : body;
}

} // namespace

void fake_openai::record(const fake_request& request, const fake_answer& answer,
                         const std::string& rule) {
  json headers = json::object();
  for (const auto& field : request.fields)
    headers[lower(field.name)] = is_secret(field.name) ? "(hidden)" : field.value;
  const json head{{"number", answer.number},
                  {"method", request.method},
                  {"path", request.path},
                  {"query", request.query},
                  {"headers", headers},
                  {"status", answer.status},
                  {"rule", rule.empty() ? json(nullptr) : json(rule)}};
  auto text = dump(head);
  text.pop_back();
  text += R"(,"body":)" + body_json(request.body);
  log_bytes_ += text.size();
  log_.push_back({answer.number, std::move(text)});
  while (log_.size() > log_entries_max || (log_.size() > 1 && log_bytes_ > log_bytes_max)) {
    log_bytes_ -= log_.front().json.size();
    log_.pop_front();
  }
}

void fake_openai::ended(std::uint64_t number, bool whole) {
  for (auto& entry : log_)
    if (entry.number == number && number != 0)
      entry.state = whole ? "sent" : "left";
}

std::string fake_openai::requests() const {
  std::string out = "[";
  for (const auto& entry : log_)
    out += (out.size() == 1 ? "" : ",\n") + entry.json + R"(,"state":")" + entry.state + "\"}";
  return out + "]";
}

fake_answer fake_openai::replace_script(const fake_request& request) {
  auto read = read_fake_script(request.body);
  if (!read.faults.empty()) {
    std::string message;
    for (const auto& fault : read.faults)
      message += (message.empty() ? "" : "\n") + fault;
    return error_answer({400, message, "invalid_request_error", "invalid_script", ""});
  }
  const auto rules = read.script.rules.size();
  use(std::move(read.script));
  return json_answer(200, dump({{"rules", rules}}));
}

fake_answer fake_openai::control(const fake_request& request) {
  const auto is_read = request.path == "/fake/requests";
  const auto is_script = request.path == "/fake/script";
  if (!is_read && !is_script && request.path != "/fake/reset")
    return error_answer({404,
                         "There are GET /fake/requests, POST /fake/script and POST /fake/reset.",
                         "invalid_request_error", "unknown_url", ""});
  if (!may_enter(request, door::azure))
    return refuse(request, door::openai);
  if (request.method != (is_read ? "GET" : "POST"))
    return error_answer({405, std::string{"Use "} + (is_read ? "GET" : "POST") + ".",
                         "invalid_request_error", "method_not_supported", ""});
  if (is_read)
    return json_answer(200, requests());
  if (is_script)
    return replace_script(request);
  use(std::move(script_));
  log_.clear();
  log_bytes_ = 0;
  return json_answer(200, "{}");
}

} // namespace sidevoice
