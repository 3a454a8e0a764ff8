#include "providers/vendor_fault.hpp"

#include "providers/vendor_json.hpp"

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace sidevoice {

using nlohmann::json;

namespace {

constexpr std::size_t message_bytes_max = 500;

std::string cut(std::string_view text) {
  return std::string{text.substr(0, message_bytes_max)};
}

/// A code may be a number: Azure's gateway writes 401, also as text.
std::string code_at(const json& value, const char* key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_number_integer() ? found->dump() : text_at(value, key);
}

bool has_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&text](std::string_view word) {
    return text.find(word) != std::string::npos;
  });
}

/// Compatible servers say it in words where they have no code for it.
bool is_about_length(const vendor_fault& fault) {
  return fault.code == "context_length_exceeded" || fault.type == "exceed_context_size_error"
         || has_any(fault.message, {"maximum context length", "context length exceeded",
                                    "exceeds the available context size", "context window"});
}

bool is_about_content(const vendor_fault& fault) {
  return fault.code == "content_filter" || fault.code == "content_policy_violation"
         || fault.code == "ResponsibleAIPolicyViolation";
}

bool is_about_money(const vendor_fault& fault) {
  return fault.code == "insufficient_quota" || fault.type == "insufficient_quota"
         || fault.code == "billing_hard_limit_reached" || fault.code == "billing_not_active";
}

/// An error in mid-stream has no status: its code tells which one it would have had.
unsigned status_of(const vendor_fault& fault) {
  unsigned number = 0;
  const auto& code = fault.code;
  std::from_chars(code.data(), code.data() + code.size(), number);
  if (number >= 400 && number < 600)
    return number;
  if (has_any(fault.code + " " + fault.type, {"rate_limit", "insufficient_quota"}))
    return 429;
  if (fault.code == "invalid_api_key" || fault.type == "authentication_error")
    return 401;
  if (fault.code == "model_not_found" || fault.code == "DeploymentNotFound")
    return 404;
  if (fault.type == "invalid_request_error" || is_about_content(fault) || is_about_length(fault))
    return 400;
  return 500;
}

struct meaning {
  errc code;
  const char* reason;
  const char* remedy;
};

meaning meaning_of(unsigned status, const vendor_fault& fault) {
  if (is_about_money(fault))
    return {errc::overloaded, "insufficient_quota",
            "add credit to the account, or name another model"};
  if (status >= 500)
    return {errc::unavailable, "server_error", "it is the vendor's fault; try again later"};
  if (is_about_length(fault))
    return {
      errc::invalid, "context_length_exceeded",
      "the conversation is longer than the model takes; choose a model with a longer context"};
  if (is_about_content(fault))
    return {errc::invalid, "content_filter", "the vendor's filter has stopped the prompt"};
  switch (status) {
    case 401:
      return {errc::unauthorized, "invalid_api_key", "mend live.vendors.%.key"};
    case 402:
      return {errc::overloaded, "insufficient_quota", "add credit to the account"};
    case 403:
      return {errc::unauthorized, "forbidden", "the account may not use this model or region"};
    case 404:
      return {errc::not_found, "model_not_found", "mend the model's name or the vendor's address"};
    case 408:
      return {errc::unavailable, "timeout", "try again later"};
    case 409:
      return {errc::unavailable, "conflict", "try again later"};
    case 413:
      return {errc::invalid, "request_too_large", "shorten the instructions or the tools"};
    case 429:
      return {errc::overloaded, "rate_limit", "try later, or ask the vendor for a higher limit"};
    default:
      break;
  }
  if (status >= 300 && status < 400)
    return {errc::invalid, "redirect",
            "redirects are not followed: mend live.vendors.%.base_url (azure: openai_url)"};
  return {errc::invalid, "bad_request", "check the model entry's options against the model"};
}

std::optional<std::chrono::milliseconds> as_wait(double milliseconds) {
  if (!(milliseconds >= 0) || milliseconds > 60'000)
    return std::nullopt;
  return std::chrono::milliseconds{static_cast<std::int64_t>(milliseconds)};
}

std::optional<double> as_number(const std::string& text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (text.empty() || failed != std::errc{} || rest != end)
    return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> asked_wait(const http_head& head,
                                                    loop::wall_clock::time_point wall) {
  if (const auto number = as_number(head.field("retry-after-ms")))
    if (const auto wait = as_wait(*number))
      return wait;
  const auto text = head.field("retry-after");
  if (const auto number = as_number(text))
    return as_wait(*number * 1000);
  if (text.empty())
    return std::nullopt;
  const auto date = curl_getdate(text.c_str(), nullptr);
  if (date < 0)
    return std::nullopt;
  using std::chrono::milliseconds;
  const auto now = std::chrono::duration_cast<milliseconds>(wall.time_since_epoch()).count();
  return as_wait(static_cast<double>(date) * 1000 - static_cast<double>(now));
}

} // namespace

vendor_fault read_vendor_fault(const json& value) {
  if (value.is_string())
    return {.message = cut(without_nul(value.get<std::string>()))};
  vendor_fault fault{cut(text_at(value, "message")), text_at(value, "type"), code_at(value, "code"),
                     text_at(value, "param")};
  if (fault.message.empty())
    fault.message = cut(text_at(value, "detail"));
  if (fault.code.empty())
    fault.code = code_at(value, "statusCode");
  const auto* inner = member(value, "innererror");
  if (inner != nullptr && text_at(*inner, "code") == "ResponsibleAIPolicyViolation")
    fault.code = "content_filter";
  return fault;
}

vendor_fault read_vendor_fault(std::string_view body) {
  const auto value = read_vendor_json(body);
  if (!value)
    return {.message = cut(body)};
  // Gemini's compatible endpoint wraps its error into a list.
  const auto& outer = value->is_array() && !value->empty() ? value->front() : *value;
  const auto* inner = member(outer, "error");
  auto fault = read_vendor_fault(inner != nullptr && !inner->is_null() ? *inner : outer);
  if (fault.message.empty())
    fault.message = cut(body);
  return fault;
}

error vendor_error(unsigned status, const vendor_fault& fault, const std::string& vendor,
                   std::string_view secret) {
  const bool in_stream = status == 0 || (status >= 200 && status < 300);
  const auto what = meaning_of(in_stream ? status_of(fault) : status, fault);
  auto named = in_stream ? std::string{"in its answer"} : std::to_string(status);
  for (const auto& part : {fault.code, fault.param})
    if (const auto name = safe_name(part, secret); !name.empty() && name != named)
      named += ", " + name;
  std::string remedy = what.remedy;
  if (const auto at = remedy.find('%'); at != std::string::npos)
    remedy.replace(at, 1, vendor);
  return error{
    what.code, vendor + " refused the request (" + named + "): " + remedy, {}, what.reason};
}

bool is_worth_retrying(const http_head& head, const error& why) {
  if (why.reason == "insufficient_quota")
    return false;
  const auto told = head.field("x-should-retry");
  if (told == "true" || told == "false")
    return told == "true";
  for (const auto* reason : {"timeout", "conflict", "rate_limit", "server_error"})
    if (why.reason == reason)
      return true;
  return false;
}

std::chrono::milliseconds retry_wait(const http_head& head, unsigned retry, std::uint64_t random,
                                     loop::wall_clock::time_point wall) {
  if (const auto asked = asked_wait(head, wall))
    return *asked;
  const auto whole = std::min<std::int64_t>(std::int64_t{500} << std::min(retry, 10U), 8000);
  const auto off = static_cast<std::int64_t>(random % 1001) * whole / 4000;
  return std::chrono::milliseconds{whole - off};
}

std::string safe_name(std::string_view text, std::string_view secret) {
  constexpr std::size_t length_max = 64;
  constexpr std::size_t shared_max = 8;
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == '.' || c == ':';
  };
  if (text.empty() || text.size() > length_max || !std::all_of(text.begin(), text.end(), is_good))
    return {};
  if (!secret.empty() && text.find(secret) != std::string_view::npos)
    return {};
  for (std::size_t i = 0; i + shared_max <= text.size(); ++i)
    if (secret.find(text.substr(i, shared_max)) != std::string_view::npos)
      return {};
  return std::string{text};
}

} // namespace sidevoice
