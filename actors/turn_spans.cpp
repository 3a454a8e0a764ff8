#include "actors/turn_spans.hpp"

#include "config/id_shape.hpp"

namespace sidevoice {

namespace {

/// A chain of answers that is longer is cut into traces; tool rounds are bounded far below it.
constexpr std::size_t chain_max = 64;

const stored_item* first_item(const session_view& view, const std::vector<std::string>& cause) {
  return cause.empty() ? nullptr : view.find_item(cause.front());
}

/// "message", "speech", "tool", "continuation", "greeting" or "request".
std::string kind_of_cause(const session_view& view, const std::string& response,
                          const std::vector<std::string>& cause) {
  if (cause.empty() || cause.front() == response)
    return "request";
  if (cause.front() == "greeting")
    return "greeting";
  if (view.find_response(cause.front()) != nullptr)
    return "continuation";
  const auto* item = first_item(view, cause);
  if (item == nullptr)
    return view.find_speech(cause.front()) != nullptr ? "speech" : "request";
  if (item->value.kind == item_kind::function_call_output)
    return "tool";
  return item->value.spoken ? "speech" : "message";
}

/// What was said is nothing for a trace, and large.
call_opened without_arguments(call_opened call) {
  call.arguments.clear();
  return call;
}

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

} // namespace

std::string turn_spans::before(const session_view& view, const std::string& response,
                               const std::vector<std::string>& cause) {
  if (cause.empty() || cause.front() == response)
    return {};
  if (view.find_response(cause.front()) != nullptr)
    return cause.front();
  const auto* item = first_item(view, cause);
  const auto is_output = item != nullptr && item->value.kind == item_kind::function_call_output;
  return is_output && item->value.response != response ? item->value.response : std::string{};
}

turn_spans::place turn_spans::place_of(const session_view& view, const std::string& response,
                                       const std::vector<std::string>& cause) const {
  const auto parent = before(view, response, cause);
  auto first = response;
  auto above = parent;
  for (std::size_t i = 0; i < chain_max && !above.empty(); ++i) {
    first = above;
    const auto* known = view.find_response(above);
    above = known == nullptr ? std::string{} : before(view, known->id, known->cause);
  }
  const auto key = app_ + '/' + session_ + '/';
  place out{to_.named(key + first, key + response), {}};
  if (!parent.empty())
    out.parent = to_.named(key + first, key + parent).span;
  return out;
}

turn_spans::place turn_spans::place_of(const session_view& view, const call_opened& call,
                                       std::uint32_t attempt) const {
  const auto key = app_ + '/' + session_ + '/';
  const auto run = key + call.call + '/' + std::to_string(attempt);
  // The analyzer's calls belong to no turn.
  if (call.response.empty())
    return {to_.named(key + call.call, run), {}};
  const auto* turn = view.find_response(call.response);
  auto above = place_of(view, call.response,
                        turn == nullptr ? std::vector<std::string>{} : turn->cause);
  auto parent = above.self.span;
  above.self.span = named_trace_id(run, 8);
  return {std::move(above.self), std::move(parent)};
}

std::string turn_spans::of_turn(const session_view& view, const response_state& turn) const {
  return to_traceparent(place_of(view, turn.id, turn.cause).self);
}

std::string turn_spans::of_call(const session_view& view, const call_state& call) const {
  return to_traceparent(place_of(view, call.call, call.attempt).self);
}

void turn_spans::set_common(live_span& span) const {
  span.set("session.id", session_);
  span.set("gen_ai.conversation.id", session_);
  span.set("sidevoice.app", app_);
}

live_span& turn_spans::open_turn(const session_view& view, const std::string& response,
                                 const std::vector<std::string>& cause) {
  auto where = place_of(view, response, cause);
  auto& span = turns_[response];
  span = to_.begin_as(std::move(where.self), std::move(where.parent), "turn", span_kind::server);
  set_common(span);
  span.set("gen_ai.operation.name", std::string{"invoke_agent"});
  span.set("gen_ai.agent.name", app_);
  span.set("sidevoice.release", view.about.release);
  span.set("sidevoice.response.id", response);
  span.set("sidevoice.turn.cause", kind_of_cause(view, response, cause));
  return span;
}

live_span& turn_spans::open_call(const session_view& view, const call_opened& call,
                                 std::uint32_t attempt) {
  auto where = place_of(view, call, attempt);
  auto& span = calls_[call.call];
  const auto name = has_id_shape(call.name) ? call.name : std::string{"unnamed"};
  span = to_.begin_as(std::move(where.self), std::move(where.parent), "tool " + name,
                      call.runner == call_runner::server ? span_kind::client : span_kind::internal);
  set_common(span);
  span.set("gen_ai.operation.name", std::string{"execute_tool"});
  span.set("gen_ai.tool.name", name);
  if (has_id_shape(call.call))
    span.set("gen_ai.tool.call.id", call.call);
  span.set("sidevoice.tool.runner", std::string{to_string(call.runner)});
  span.set("sidevoice.tool.by", std::string{to_string(call.by)});
  span.set("sidevoice.tool.attempt", number(attempt));
  if (!call.response.empty())
    span.set("sidevoice.response.id", call.response);
  return span;
}

void turn_spans::take_over(const session_view& view) {
  for (const auto& turn : view.open_responses)
    open_turn(view, turn->id, turn->cause).set("sidevoice.restored", true);
  for (const auto& call : view.open_calls) {
    opened_[call->call.call] = without_arguments(call->call);
    if (call->phase == call_phase::started)
      open_call(view, call->call, call->attempt).set("sidevoice.restored", true);
  }
}

void turn_spans::on(const event& e, const session_view& view) {
  const auto turn = [this](const std::string& response) -> live_span* {
    const auto found = turns_.find(response);
    return found == turns_.end() ? nullptr : &found->second;
  };
  if (const auto* wanted = std::get_if<response_requested>(&e.body)) {
    // From the decision on, not from when it had become durable.
    tracer::backdate_to(open_turn(view, wanted->response, wanted->cause), e.at);
  } else if (const auto* began = std::get_if<response_started>(&e.body)) {
    if (auto* span = turn(began->response))
      span->event(began->attempt == 1 ? "started" : "started_again");
  } else if (const auto* spoken = std::get_if<response_spoken>(&e.body)) {
    if (auto* span = turn(spoken->response); span != nullptr && spoken->clause == 1)
      span->event("first_clause");
  } else if (const auto* done = std::get_if<response_done>(&e.body)) {
    end_turn(*done, view);
  } else if (const auto* measured = std::get_if<turn_measured>(&e.body)) {
    add_silence(*measured, view);
  } else if (const auto* opened = std::get_if<call_opened>(&e.body)) {
    opened_[opened->call] = without_arguments(*opened);
  } else if (const auto* started = std::get_if<call_started>(&e.body)) {
    if (const auto call = opened_.find(started->call); call != opened_.end())
      tracer::backdate_to(open_call(view, call->second, started->attempt), e.at);
  } else if (const auto* ended = std::get_if<call_ended>(&e.body)) {
    end_call(*ended, view);
  }
}

void turn_spans::end_call(const call_ended& ended, const session_view& view) {
  const auto opened = opened_.extract(ended.call);
  // What was answered on the spot, or never begun, took no time, and is a span all the same.
  if (!opened.empty() && calls_.count(ended.call) == 0)
    open_call(view, opened.mapped(), 0);
  auto node = calls_.extract(ended.call);
  if (node.empty())
    return;
  const auto is_fine = ended.outcome == "ok" || ended.outcome == "simulated"
                       || ended.outcome == "cancelled";
  node.mapped().set("sidevoice.tool.outcome", ended.outcome);
  node.mapped().end(is_fine ? std::string{} : ended.outcome);
}

void turn_spans::end_turn(const response_done& done, const session_view& view) {
  auto node = turns_.extract(done.response);
  if (node.empty())
    return;
  auto& span = node.mapped();
  span.set("sidevoice.turn.status", std::string{to_string(done.status)});
  if (has_id_shape(done.reason))
    span.set("sidevoice.turn.reason", done.reason);
  if (const auto* turn = view.find_response(done.response))
    span.set("sidevoice.turn.attempts", number(turn->attempt));
  if (done.usage != token_usage{}) {
    span.set("gen_ai.usage.input_tokens", number(done.usage.input));
    span.set("gen_ai.usage.output_tokens", number(done.usage.output));
    span.set("gen_ai.usage.cache_read.input_tokens", number(done.usage.cached));
    span.set("sidevoice.cost_micro_eur", number(done.usage.cost));
  }
  const auto is_broken = done.status == response_status::failed
                         || (done.status == response_status::incomplete
                             && done.reason == "owner_lost");
  span.end(!is_broken                  ? std::string{}
           : has_id_shape(done.reason) ? done.reason
                                       : std::string{"failed"});
}

void turn_spans::add_silence(const turn_measured& turn, const session_view& view) {
  const auto* response = view.find_response(turn.response);
  auto where = place_of(view, turn.response,
                        response == nullptr ? std::vector<std::string>{} : response->cause);
  auto parent = where.self.span;
  where.self.span = named_trace_id(app_ + '/' + session_ + '/' + turn.response + "/silence", 8);
  auto span = to_.begin_as(std::move(where.self), std::move(parent), "silence",
                           span_kind::internal);
  set_common(span);
  span.set("sidevoice.response.id", turn.response);
  const auto part = [&span](const char* name, std::uint32_t ms) {
    span.set(std::string{"sidevoice.silence."} + name + "_ms", std::int64_t{ms});
    return std::chrono::milliseconds{ms};
  };
  tracer::backdate(
    span, part("end_of_speech", turn.end_of_speech) + part("transcript", turn.transcript)
            + part("first_token", turn.first_token) + part("first_clause", turn.first_clause)
            + part("first_audio", turn.first_audio) + part("played", turn.played));
  span.end();
}

} // namespace sidevoice
