#include "actors/tool_runner.hpp"

#include "config/fault_point.hpp"
#include "config/secrets.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

namespace {

tool_result unavailable(const std::string& why) {
  return {"failed", nlohmann::json{{"error", "unavailable"}, {"message", why}}.dump()};
}

} // namespace

tool_runner::tool_runner(node_parts parts, std::function<void(piece)> post,
                         std::function<void(call_done)> done)
    : parts_(std::move(parts)),
      post_(std::move(post)),
      done_(std::move(done)) {}

void tool_runner::start(const run_call& call) {
  const auto report = [&](tool_result result) {
    done_({call.call.call, call.attempt, std::move(result.outcome), std::move(result.output)});
  };
  const auto* tool = call.app->find_tool(call.call.name);
  if (tool == nullptr || tool->kind != tool_kind::webhook || parts_.http == nullptr)
    return report(unavailable("This server cannot run the tool."));
  const auto url = expand(tool->url, parts_.env);
  if (!url)
    return report(unavailable("The tool's address is not set on this server."));
  const auto live = parts_.live_of(call.app->id);
  cancel(call.call.call);
  auto request = make_webhook(*tool, call, *url, *live, wall_ms(*parts_.where));
  auto [entry, fresh] = running_.try_emplace(
    call.call.call, running{call, std::move(request), webhook_exchange{*tool}, 0,
                            parts_.where->now() + tool->timeout, nullptr, nullptr});
  begin(entry->second);
}

void tool_runner::begin(running& entry) {
  entry.run = ++runs_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(entry.until - parts_.where->now());
  if (left.count() <= 0)
    return end(entry.call.call.call, {"timeout", R"({"error":"timeout"})"});
  auto request = entry.request;
  request.deadline = left;
  request.owner = entry.call.app->id;
  fault_point("call.before_send");
  entry.transfer = parts_.http->start(std::move(request),
                                      [post = post_, call = entry.call.call.call,
                                       run = entry.run](http_event event) {
                                        post({call, run, std::move(event)});
                                      });
  fault_point("call.sent");
}

void tool_runner::cancel(const std::string& call) {
  running_.erase(call);
}

void tool_runner::take(const piece& what) {
  const auto found = running_.find(what.call);
  if (found == running_.end() || found->second.run != what.run)
    return;
  auto& entry = found->second;
  if (!what.event)
    return begin(entry);
  auto step = entry.exchange.on(*what.event);
  if (step.done) {
    fault_point("call.answered");
    return end(what.call, std::move(*step.done));
  }
  if (step.again) {
    entry.transfer.reset();
    entry.pause = parts_.where->after(*step.again,
                                      [post = post_, call = what.call, run = what.run] {
                                        post({call, run, {}});
                                      });
  }
}

void tool_runner::end(const std::string& call, tool_result result) {
  const auto node = running_.extract(call);
  done_({call, node.mapped().call.attempt, std::move(result.outcome), std::move(result.output)});
}

} // namespace sidevoice
