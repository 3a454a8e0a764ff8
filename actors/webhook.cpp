#include "actors/webhook.hpp"

#include "providers/webhook_signature.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::uint32_t tries_max = 3;
constexpr std::chrono::milliseconds first_pause{200};
/// Beyond the output's own bound: what is cut off is read and dropped up to here.
constexpr std::size_t answer_bytes_max = 1 << 20;

std::string failure(const std::string& code, const std::string& message) {
  return json{{"error", code}, {"message", message}}.dump();
}

bool is_temporary(unsigned status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

/// Reasons of http_failed that come before anything was sent.
bool was_not_sent(const std::string& reason) {
  for (const auto* before :
       {"bad_url", "resolve", "connect", "tls", "private_address", "overloaded"})
    if (reason == before)
      return true;
  return false;
}

std::string signing_secret(const live_settings& live) {
  if (!live.tools.secret.empty())
    return live.tools.secret;
  return live.webhooks.empty() ? std::string{} : live.webhooks.front().secret;
}

} // namespace

http_call make_webhook(const tool_declaration& tool, const run_call& run, const std::string& url,
                       const live_settings& live, std::int64_t wall_ms) {
  const auto seconds = wall_ms / 1000;
  json data{{"app", run.about.app},
            {"session", run.session},
            {"user", run.about.user},
            {"release", run.about.release},
            {"call_id", run.call.call},
            {"attempt", run.attempt},
            {"name", run.call.name},
            {"locale", run.about.locale},
            {"zone", run.about.zone},
            {"by", to_string(run.call.by)},
            {"arguments",
             json::parse(run.call.arguments.empty() ? "{}" : run.call.arguments, nullptr, false)}};
  http_call call;
  call.url = url;
  call.body = json{{"type", "tool.called"}, {"timestamp", seconds}, {"data", std::move(data)}}.dump(
    -1, ' ', false, json::error_handler_t::replace);
  call.fields = {{"Content-Type", "application/json"},
                 {"Accept", "application/json, text/plain"},
                 {"webhook-id", run.call.call},
                 {"webhook-timestamp", std::to_string(seconds)}};
  if (const auto secret = signing_secret(live); !secret.empty())
    call.fields.push_back(
      {"webhook-signature", sign_webhook(secret, run.call.call, seconds, call.body)});
  if (!run.traceparent.empty())
    call.fields.push_back({"traceparent", run.traceparent});
  call.deadline = tool.timeout;
  call.connect_deadline = std::min(call.connect_deadline, tool.timeout);
  call.answer_bytes_max = answer_bytes_max;
  call.private_addresses = live.tools.private_addresses;
  return call;
}

webhook_exchange::webhook_exchange(const tool_declaration& tool)
    : effect_(tool.effect),
      output_bytes_max_(tool.output_bytes_max) {}

webhook_exchange::step webhook_exchange::on(const http_event& event) {
  if (const auto* head = std::get_if<http_head>(&event)) {
    status_ = head->status;
    body_.clear();
    return {};
  }
  if (const auto* bytes = std::get_if<http_bytes>(&event)) {
    // One byte more than fits says that something was cut off.
    const auto room = output_bytes_max_ + 1 - std::min(output_bytes_max_ + 1, body_.size());
    body_.append(bytes->data, 0, room);
    return {};
  }
  if (std::holds_alternative<http_end>(event))
    return finish();
  const auto& why = std::get<http_failed>(event).why;
  // The answer is there, only too long: what was asked for has been done.
  if (why.reason == "too_large" && status_ >= 200 && status_ < 300)
    return finish();
  return fail(why.reason, why.detail);
}

webhook_exchange::step webhook_exchange::finish() {
  if (status_ >= 200 && status_ < 300)
    return {.done = tool_result{"ok", presentable(std::move(body_), output_bytes_max_)}};
  const auto status = std::to_string(status_);
  if (status_ >= 300 && status_ < 400)
    return {.done = tool_result{"failed", failure("redirect", "The tool answered with a redirect, "
                                                              "which is not followed.")}};
  tool_result refused{"failed", failure("http_" + status, "The tool answered with status " + status
                                                            + ": " + presentable(body_, 500))};
  // It said itself that it has not done it; but once is once.
  if (is_temporary(status_) && effect_ != tool_effect::once)
    return retry_or(std::move(refused));
  return {.done = std::move(refused)};
}

webhook_exchange::step webhook_exchange::fail(const std::string& reason,
                                              const std::string& message) {
  const auto unsent = was_not_sent(reason);
  if (effect_ == tool_effect::once && !unsent)
    return {.done = tool_result{
              "unknown", failure("unknown", "The connection broke, so it is not known whether this "
                                            "was done. Do not call it again; tell the visitor.")}};
  if (reason == "deadline" || reason == "first_byte")
    return {.done = tool_result{"timeout", failure("timeout", "No answer came in time.")}};
  tool_result failed{"failed", failure(reason.empty() ? "failed" : reason, message)};
  if (reason == "resolve" || reason == "connect" || reason == "cut" || reason == "overloaded")
    return retry_or(std::move(failed));
  return {.done = std::move(failed)};
}

webhook_exchange::step webhook_exchange::retry_or(tool_result result) {
  if (tries_ >= tries_max)
    return {.done = std::move(result)};
  const auto pause = first_pause * (1U << (tries_ - 1));
  ++tries_;
  status_ = 0;
  body_.clear();
  return {.again = pause};
}

} // namespace sidevoice
