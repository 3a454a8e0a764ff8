#include "cli/turn_times.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice::cli {

using nlohmann::ordered_json;

turn_times::turn& turn_times::of_turn(const std::string& response) {
  const auto [found, fresh] = turns_.try_emplace(response);
  if (fresh)
    order_.push_back(response);
  return found->second;
}

turn_times::call& turn_times::of_call(const std::string& id) {
  const auto [found, fresh] = calls_.try_emplace(id);
  if (fresh)
    call_order_.push_back(id);
  return found->second;
}

void turn_times::add(const event& e) {
  if (const auto* wanted = std::get_if<response_requested>(&e.body)) {
    auto& one = of_turn(wanted->response);
    one.cause = wanted->cause;
    one.requested_at = e.at;
  } else if (const auto* started = std::get_if<response_started>(&e.body)) {
    of_turn(started->response).started_at.push_back(e.at);
  } else if (const auto* spoken = std::get_if<response_spoken>(&e.body)) {
    auto& one = of_turn(spoken->response);
    if (one.first_spoken_at == 0)
      one.first_spoken_at = e.at;
  } else if (const auto* done = std::get_if<response_done>(&e.body)) {
    auto& one = of_turn(done->response);
    one.done_at = e.at;
    one.end = *done;
  } else if (const auto* silence = std::get_if<turn_measured>(&e.body)) {
    of_turn(silence->response).silence = *silence;
  } else if (const auto* opened = std::get_if<call_opened>(&e.body)) {
    auto& one = of_call(opened->call);
    one.what = *opened;
    one.opened_at = e.at;
  } else if (const auto* run = std::get_if<call_started>(&e.body)) {
    of_call(run->call).started_at.push_back(e.at);
  } else if (const auto* ended = std::get_if<call_ended>(&e.body)) {
    auto& one = of_call(ended->call);
    one.ended_at = e.at;
    one.outcome = ended->outcome;
  }
}

json_text turn_times::line_of(const std::string& response, const turn& one, redaction& clean) {
  ordered_json out{{"part", "turn"}, {"response", clean.id(response)}};
  out["cause"] = ordered_json::array();
  for (const auto& cause : one.cause)
    out["cause"].push_back(clean.id(cause));
  out["requested_at"] = one.requested_at;
  out["attempts"] = one.started_at.size();
  const auto since = [&](const char* key, std::int64_t at) {
    if (at != 0 && one.requested_at != 0)
      out["ms"][key] = at - one.requested_at;
  };
  since("started", one.started_at.empty() ? 0 : one.started_at.front());
  if (one.started_at.size() > 1)
    since("last_attempt", one.started_at.back());
  since("first_spoken", one.first_spoken_at);
  since("done", one.done_at);
  out["status"] = one.done_at == 0 ? "open" : to_string(one.end.status);
  if (!one.end.reason.empty())
    out["reason"] = redaction::word(one.end.reason);
  if (const auto& used = one.end.usage; used != token_usage{})
    out["usage"] = {{"input", used.input},
                    {"cached", used.cached},
                    {"output", used.output},
                    {"cost_micro_eur", used.cost}};
  if (const auto& quiet = one.silence; !quiet.response.empty())
    out["silence_ms"] = {
      {"end_of_speech", quiet.end_of_speech}, {"transcript", quiet.transcript},
      {"first_token", quiet.first_token},     {"first_clause", quiet.first_clause},
      {"first_audio", quiet.first_audio},     {"played", quiet.played}};
  return out.dump();
}

json_text turn_times::line_of(const std::string& id, const call& one, redaction& clean) {
  ordered_json out{{"part", "call"},
                   {"call", clean.id(id)},
                   {"name", clean.name(one.what.name)},
                   {"by", to_string(one.what.by)},
                   {"runner", to_string(one.what.runner)},
                   {"response", clean.id(one.what.response)},
                   {"opened_at", one.opened_at},
                   {"attempts", one.started_at.size()}};
  if (!one.started_at.empty())
    out["ms"]["started"] = one.started_at.front() - one.opened_at;
  if (one.ended_at != 0)
    out["ms"]["ended"] = one.ended_at - one.opened_at;
  out["outcome"] = one.ended_at == 0 ? "open" : redaction::word(one.outcome);
  return out.dump();
}

std::vector<json_text> turn_times::lines(redaction& clean) const {
  std::vector<json_text> out;
  for (const auto& response : order_)
    out.push_back(line_of(response, turns_.at(response), clean));
  for (const auto& id : call_order_)
    out.push_back(line_of(id, calls_.at(id), clean));
  return out;
}

} // namespace sidevoice::cli
