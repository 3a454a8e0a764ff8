#include "gateway/realtime_responses.hpp"

#include "persistence/rank.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::json;

json usage_json(const token_usage& usage) {
  return {{"total_tokens", usage.input + usage.output},
          {"input_tokens", usage.input},
          {"output_tokens", usage.output},
          {"input_token_details",
           {{"text_tokens", usage.input}, {"audio_tokens", 0}, {"cached_tokens", 0}}},
          {"output_token_details", {{"text_tokens", usage.output}, {"audio_tokens", 0}}}};
}

/// Reasons that strict clients know. Others, such as "owner_lost", come as an error beside it.
bool is_known_reason(response_status status, const std::string& reason) {
  if (status == response_status::cancelled)
    return reason == "turn_detected" || reason == "client_cancelled";
  return status == response_status::incomplete
         && (reason == "max_output_tokens" || reason == "content_filter");
}

json status_details(const response_done& end) {
  if (end.status == response_status::completed)
    return nullptr;
  json out{{"type", to_string(end.status)}};
  if (is_known_reason(end.status, end.reason))
    out["reason"] = end.reason;
  else
    out["error"] = {{"type", "server_error"},
                    {"code", end.reason.empty() ? to_string(end.status) : end.reason},
                    {"message", "The answer could not be finished; ask again."}};
  return out;
}

} // namespace

realtime_responses::realtime_responses(realtime_writer& out, item_order& order,
                                       const realtime_session& session, std::string conversation,
                                       std::function<bool(const item&)> hidden)
    : out_(out),
      order_(order),
      session_(session),
      hidden_(std::move(hidden)),
      conversation_(std::move(conversation)) {}

// -- which responses this client sees

realtime_responses::open_response* realtime_responses::find(const std::string& response) {
  const auto found = open_.find(response);
  return found == open_.end() ? nullptr : &found->second;
}

realtime_responses::open_response& realtime_responses::find_or_add(const std::string& response) {
  auto [entry, is_new] = open_.try_emplace(response);
  if (is_new) {
    entry->second.id = response;
    entry->second.echo = session_.echo();
  }
  return entry->second;
}

void realtime_responses::expect(const std::string& response, response_echo echo) {
  find_or_add(response).echo = std::move(echo);
}

void realtime_responses::forget(const std::string& response) {
  if (const auto* r = find(response); r != nullptr && !r->created)
    open_.erase(response);
}

void realtime_responses::requested(const std::string& response) {
  find_or_add(response);
}

// -- one response, in its order

void realtime_responses::create(open_response& r) {
  if (std::exchange(r.created, true))
    return;
  out_.event(
    {{"type", "response.created"}, {"response", response_json(r, "in_progress", nullptr)}});
}

void realtime_responses::started(const response_started& run, bool speaks,
                                 const std::string& rank) {
  auto& r = find_or_add(run.response);
  if (!r.created)
    r.audio = speaks && session_.speaks() && r.echo.speaks.value_or(true);
  if (r.message && r.message->id != run.item)
    abandon_message(r);
  if (r.item != run.item) {
    order_.drop_place(r.item);
    order_.keep_place(rank.empty() ? rank_after(order_.last_rank()) : rank, run.item);
  }
  r.attempt = run.attempt;
  r.item = run.item;
  create(r);
}

void realtime_responses::open(open_response& r, const std::string& item_id) {
  r.message = open_message_part{.id = item_id, .index = r.output.size(), .audio = r.audio};
  const auto item = open_message(item_id);
  r.output.push_back(item.dump());
  order_.show(item_id);
  out_.event({{"type", "response.output_item.added"},
              {"response_id", r.id},
              {"output_index", r.message->index},
              {"item", item}});
  out_.event({{"type", "conversation.item.added"},
              {"item", item},
              {"previous_item_id", id_or_null(order_.previous_of(item_id))}});
  out_.event({{"type", "response.content_part.added"},
              {"response_id", r.id},
              {"item_id", item_id},
              {"output_index", r.message->index},
              {"content_index", 0},
              {"part", answer_part(r.audio, "")}});
}

void realtime_responses::send_delta(open_response& r, const std::string& text, std::uint32_t n,
                                    bool so_far) {
  auto& message = *r.message;
  message.text += text;
  message.n = n;
  json body{{"type", message.audio ? "response.output_audio_transcript.delta"
                                   : "response.output_text.delta"},
            {"response_id", r.id},
            {"item_id", message.id},
            {"output_index", message.index},
            {"content_index", 0},
            {"delta", text}};
  if (out_.extensions()) {
    body["attempt"] = r.attempt;
    body["n"] = n;
    if (so_far)
      body["so_far"] = true;
  }
  out_.ephemeral(std::move(body));
}

void realtime_responses::delta(const answer_delta& piece) {
  auto* r = find(piece.response);
  if (r == nullptr || !r->created || piece.attempt != r->attempt || piece.item != r->item)
    return;
  if (!r->message)
    open(*r, piece.item);
  auto& message = *r->message;
  if (piece.n <= message.n || message.broken)
    return;
  // A hole cannot be mended from here: the item comes whole at its end.
  message.broken = piece.n != message.n + 1;
  if (!message.broken)
    send_delta(*r, piece.text, piece.n, false);
}

void realtime_responses::catch_up(const open_answer& open_one) {
  auto* r = find(open_one.response);
  if (r == nullptr || !r->created || open_one.attempt != r->attempt || open_one.n == 0)
    return;
  const bool is_new = !r->message;
  if (is_new)
    open(*r, open_one.item);
  auto& message = *r->message;
  if (open_one.n <= message.n || open_one.text.compare(0, message.text.size(), message.text) != 0)
    return;
  message.broken = false;
  send_delta(*r, open_one.text.substr(message.text.size()), open_one.n, is_new);
}

bool realtime_responses::put(const item& value) {
  auto* r = find(value.response);
  if (r == nullptr && out_.extensions())
    r = &find_or_add(value.response);
  if (r == nullptr || value.kind == item_kind::function_call_output)
    return false;
  create(*r);
  if (value.kind == item_kind::message)
    put_message(*r, value);
  else
    put_call(*r, value);
  return true;
}

void realtime_responses::done(const response_done& end) {
  auto* r = find(end.response);
  if (r == nullptr && out_.extensions())
    r = &find_or_add(end.response);
  if (r == nullptr)
    return;
  create(*r);
  if (r->message)
    abandon_message(*r);
  order_.drop_place(r->item);
  out_.event(
    {{"type", "response.done"}, {"response", response_json(*r, to_string(end.status), &end)}});
  open_.erase(end.response);
}

bool realtime_responses::has_shown(const open_response& r, const std::string& item_id) {
  return std::any_of(r.output.begin(), r.output.end(), [&](const json_text& text) {
    const auto shown = json::parse(text);
    return shown["id"] == item_id && shown["status"] != "in_progress";
  });
}

void realtime_responses::reconcile(const session_view& view) {
  std::vector<std::string> ids;
  for (const auto& [id, r] : open_)
    ids.push_back(id);
  for (const auto& id : ids) {
    const auto* known = view.find_response(id);
    // What the client asked for and the session has not seen yet is still on its way.
    if (known == nullptr && !find(id)->created)
      continue;
    for (const auto& stored : view.items)
      if (stored->value.response == id && !hidden_(stored->value)
          && !has_shown(*find(id), stored->value.id))
        put(stored->value);
    if (known != nullptr && known->phase != response_phase::done)
      continue;
    response_done end;
    end.response = id;
    end.status = response_status::failed;
    end.reason = "unknown";
    if (known != nullptr) {
      end.status = known->status;
      end.reason = known->reason;
    }
    done(end);
  }
}

json realtime_responses::open_item(const std::string& id) const {
  for (const auto& [name, r] : open_)
    if (r.message && r.message->id == id) {
      auto out = open_message(id);
      out["content"].push_back(answer_content(r.message->audio, r.message->text));
      return out;
    }
  return nullptr;
}

bool realtime_responses::is_open_sound(const std::string& id) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    const auto& message = entry.second.message;
    return message && message->id == id && message->audio;
  });
}

json realtime_responses::response_json(const open_response& r, const std::string& status,
                                       const response_done* end) const {
  auto output = json::array();
  for (const auto& item : r.output)
    output.push_back(json::parse(item));
  json out{{"object", "realtime.response"},
           {"id", r.id},
           {"status", status},
           {"status_details", end == nullptr ? json{} : status_details(*end)},
           {"output", end == nullptr ? json::array() : std::move(output)},
           {"conversation_id", conversation_},
           {"output_modalities", json::array({r.audio ? "audio" : "text"})},
           {"max_output_tokens", json::parse(r.echo.max_output_tokens)},
           {"audio", json::parse(session_.audio())},
           {"usage", end == nullptr ? json{} : usage_json(end->usage)},
           {"metadata", json::parse(r.echo.metadata)}};
  return out;
}

} // namespace sidevoice
