#include "gateway/realtime_responses.hpp"

#include <nlohmann/json.hpp>

#include <utility>

/// The items of a response: the sound of its message, and how each of them ends.
namespace sidevoice {

using nlohmann::json;

bool realtime_responses::sound(const sound_frame& frame, sound_encoding encoding) {
  auto* r = find(frame.response);
  if (r == nullptr || !r->created || frame.attempt != r->attempt || frame.item != r->item)
    return false;
  // Our own client takes sound beside text: it has come back in the middle of an answer.
  if (!r->audio && !out_.extensions())
    return false;
  if (!r->message && has_shown(*r, frame.item))
    return false;
  if (frame.data.empty())
    return true;
  if (!r->message)
    open(*r, frame.item);
  auto& message = *r->message;
  if (!message.encoding)
    message.encoding = encoding;
  json body{{"type", "response.output_audio.delta"},
            {"response_id", r->id},
            {"item_id", message.id},
            {"output_index", message.index},
            {"content_index", 0},
            {"delta", encode_sound(frame.data, *message.encoding)}};
  if (out_.extensions()) {
    body["attempt"] = r->attempt;
    body["from_ms"] = frame.from_ms;
  }
  out_.ephemeral(std::move(body));
  return true;
}

void realtime_responses::item_event(const char* type, const json& value) {
  const auto id = value["id"].get<std::string>();
  out_.event(
    {{"type", type}, {"item", value}, {"previous_item_id", id_or_null(order_.previous_of(id))}});
}

void realtime_responses::finish_message(open_response& r, const item& value) {
  const auto [index, audio] = std::pair{r.message->index, r.message->audio};
  r.message.reset();
  auto done = item_to_json(value);
  done["content"] = json::array({answer_content(audio, value.text)});
  r.output[index] = done.dump();
  const json where{
    {"response_id", r.id}, {"item_id", value.id}, {"output_index", index}, {"content_index", 0}};
  if (audio) {
    json sound = where;
    sound["type"] = "response.output_audio.done";
    out_.event(std::move(sound));
  }
  json text = where;
  text["type"] = audio ? "response.output_audio_transcript.done" : "response.output_text.done";
  text[audio ? "transcript" : "text"] = value.text;
  out_.event(std::move(text));
  json part = where;
  part["type"] = "response.content_part.done";
  part["part"] = answer_part(audio, value.text);
  out_.event(std::move(part));
  item_event("conversation.item.done", done);
  out_.event({{"type", "response.output_item.done"},
              {"response_id", r.id},
              {"output_index", index},
              {"item", done}});
}

void realtime_responses::abandon_message(open_response& r) {
  item left;
  left.id = r.message->id;
  left.role = item_role::assistant;
  left.status = item_status::incomplete;
  left.text = r.message->text;
  finish_message(r, left);
  // It never entered the journal, so it is no part of the conversation.
  out_.event({{"type", "conversation.item.deleted"}, {"item_id", left.id}});
}

void realtime_responses::put_message(open_response& r, const item& value) {
  if (r.message && r.message->id != value.id)
    abandon_message(r);
  if (!r.message)
    open(r, value.id);
  const auto& streamed = r.message->text;
  // The journal may hold less than was streamed where its owner died in the middle of a clause.
  // Then the done event says what counts.
  if (value.text.size() > streamed.size() && value.text.compare(0, streamed.size(), streamed) == 0)
    send_delta(r, value.text.substr(streamed.size()), r.message->n + 1, false);
  finish_message(r, value);
}

void realtime_responses::put_call(open_response& r, const item& value) {
  const auto index = r.output.size();
  const auto done = item_to_json(value);
  r.output.push_back(done.dump());
  const json where{{"response_id", r.id},
                   {"item_id", value.id},
                   {"output_index", index},
                   {"call_id", value.call_id}};
  out_.event({{"type", "response.output_item.added"},
              {"response_id", r.id},
              {"output_index", index},
              {"item", open_call(value)}});
  out_.event({{"type", "conversation.item.added"},
              {"item", open_call(value)},
              {"previous_item_id", id_or_null(order_.previous_of(value.id))}});
  json delta = where;
  delta["type"] = "response.function_call_arguments.delta";
  delta["delta"] = value.arguments;
  if (out_.extensions())
    delta["attempt"] = r.attempt;
  out_.event(std::move(delta));
  json arguments = where;
  arguments["type"] = "response.function_call_arguments.done";
  arguments["name"] = value.name;
  arguments["arguments"] = value.arguments;
  out_.event(std::move(arguments));
  item_event("conversation.item.done", done);
  out_.event({{"type", "response.output_item.done"},
              {"response_id", r.id},
              {"output_index", index},
              {"item", done}});
}

} // namespace sidevoice
