#include "tests/gateway/realtime_checker.hpp"

#include "tests/gateway/realtime_checker_fields.hpp"

#include <initializer_list>

namespace {

using nlohmann::json;

using namespace checking;

bool is(const json& value, kind type) {
  switch (type) {
    case kind::text:
      return value.is_string();
    case kind::number:
      return value.is_number_integer();
    case kind::object:
      return value.is_object();
    case kind::array:
      return value.is_array();
    case kind::text_or_null:
      return value.is_string() || value.is_null();
    case kind::boolean:
      return value.is_boolean();
  }
  return false;
}

bool has(const json& body, const char* name, kind type) {
  const auto found = body.find(name);
  return found != body.end() && is(*found, type);
}

} // namespace

void realtime_checker::fail(const json& event, const std::string& what) {
  faults.push_back(what + ": " + event.dump());
}

void realtime_checker::take(const json& event) {
  // Sound that belongs to no response, such as "one moment".
  if (extensions_ && event.is_object() && event.value("type", "") == "response.output_audio.delta"
      && event.contains("response_id") && event["response_id"].is_null())
    return;
  check_fields(event);
  if (!faults.empty())
    return;
  const auto type = event["type"].get<std::string>();
  if (type == "response.created" || type == "response.done")
    check_response(event);
  else if (type.rfind("response.output_item.", 0) == 0)
    check_output_item(event);
  else if (type.rfind("response.", 0) == 0)
    check_part(event);
  else if (type == "conversation.item.added" || type == "conversation.item.done")
    check_conversation_item(event);
  else if (type == "conversation.item.retrieved")
    check_item(event, event["item"]);
}

void realtime_checker::check_fields(const json& event) {
  if (!event.is_object() || !has(event, "type", kind::text) || !has(event, "event_id", kind::text))
    return fail(event, "no type or event_id");
  if (!event_ids_.insert(event["event_id"].get<std::string>()).second)
    fail(event, "the event_id is not new");
  const auto type = event["type"].get<std::string>();
  auto known = fields().find(type);
  if (known == fields().end()) {
    known = extension_fields().find(type);
    if (known == extension_fields().end() || !extensions_)
      return fail(event, "no event of this protocol");
  }
  for (const auto& [name, expected] : known->second)
    if (!has(event, name, expected))
      fail(event, std::string{name} + " is missing or of the wrong type");
  if (!extensions_ && (event.contains("seq") || event.contains("more")))
    fail(event, "a field of the extension on a plain connection");
  if (extensions_ && type != "error" && !event.contains("seq"))
    fail(event, "no seq");
  if (type == "error") {
    for (const auto* name : {"type", "code", "message"})
      if (!has(event["error"], name, kind::text) || event["error"][name].empty())
        fail(event, std::string{"error."} + name);
    for (const auto* name : {"param", "event_id"})
      if (!has(event["error"], name, kind::text_or_null))
        fail(event, std::string{"error."} + name);
  }
}

void realtime_checker::check_item(const json& event, const json& item) {
  for (const auto* name : {"id", "object", "type", "status"})
    if (!has(item, name, kind::text))
      return fail(event, std::string{"item."} + name);
  if (item["object"] != "realtime.item")
    fail(event, "item.object");
  const std::set<std::string> statuses{"in_progress", "completed", "incomplete"};
  if (statuses.count(item["status"].get<std::string>()) == 0)
    fail(event, "item.status");
  if (item["type"] == "message") {
    if (!has(item, "role", kind::text) || !has(item, "content", kind::array))
      return fail(event, "a message needs role and content");
    const std::string way = item["role"] == "assistant" ? "output_" : "input_";
    for (const auto& part : item["content"]) {
      const auto content = part.value("type", "");
      const bool is_text = content == way + "text" && has(part, "text", kind::text);
      // The words of a visitor may be unknown yet; of an answer, they are there.
      const auto words = way == "input_" ? kind::text_or_null : kind::text;
      if (!is_text && !(content == way + "audio" && has(part, "transcript", words)))
        fail(event, "item.content");
    }
  } else if (item["type"] == "function_call") {
    for (const auto* name : {"call_id", "name", "arguments"})
      if (!has(item, name, kind::text))
        fail(event, std::string{"item."} + name);
  } else if (item["type"] == "function_call_output") {
    for (const auto* name : {"call_id", "output"})
      if (!has(item, name, kind::text))
        fail(event, std::string{"item."} + name);
  } else {
    fail(event, "item.type");
  }
}

void realtime_checker::check_response(const json& event) {
  const auto& response = event["response"];
  for (const auto& [name, expected] :
       std::initializer_list<field>{{"object", kind::text},
                                    {"id", kind::text},
                                    {"status", kind::text},
                                    {"output", kind::array},
                                    {"conversation_id", kind::text},
                                    {"output_modalities", kind::array}})
    if (!has(response, name, expected))
      return fail(event, std::string{"response."} + name);
  for (const auto* name : {"status_details", "usage", "metadata", "max_output_tokens"})
    if (!response.contains(name))
      return fail(event, std::string{"response."} + name);
  const auto id = response["id"].get<std::string>();
  if (event["type"] == "response.created") {
    if (response["status"] != "in_progress" || !response["output"].empty())
      fail(event, "a response begins in_progress and without output");
    if (closed_.count(id) != 0 || !running.insert(id).second)
      fail(event, "created twice");
    return;
  }
  if (running.erase(id) == 0)
    return fail(event, "done without created");
  closed_.insert(id);
  for (const auto& [item, open] : items_)
    if (open.response == id)
      fail(event, "done with the open item " + item);
  auto expected = json::array();
  for (const auto& [index, item] : outputs_[id])
    expected.push_back(item);
  if (response["output"] != expected)
    fail(event, "the output is not what its output_item.done events said");
  if (!has(response, "usage", kind::object))
    return fail(event, "response.usage");
  for (const auto* name : {"total_tokens", "input_tokens", "output_tokens"})
    if (!has(response["usage"], name, kind::number))
      fail(event, std::string{"usage."} + name);
  if ((response["status"] == "completed") != response["status_details"].is_null())
    fail(event, "response.status_details");
}

void realtime_checker::check_output_item(const json& event) {
  const auto response = event["response_id"].get<std::string>();
  if (running.count(response) == 0)
    return fail(event, "outside of its response");
  check_item(event, event["item"]);
  if (!faults.empty())
    return;
  const auto id = event["item"]["id"].get<std::string>();
  const auto index = event["output_index"].get<std::size_t>();
  if (event["type"] == "response.output_item.added") {
    if (index != announced_[response]++)
      fail(event, "output_index does not count on");
    if (event["item"]["status"] != "in_progress")
      fail(event, "an item begins in_progress");
    items_[id] = {.response = response,
                  .index = index,
                  .is_call = event["item"]["type"] == "function_call"};
    return;
  }
  const auto open = items_.find(id);
  if (open == items_.end() || !open->second.conversation_done || !open->second.text_done)
    return fail(event, "output_item.done before what it sums up");
  const auto& item = event["item"];
  const auto& text = open->second.is_call    ? item["arguments"]
                     : open->second.is_audio ? item["content"].at(0)["transcript"]
                                             : item["content"].at(0)["text"];
  if (text != *open->second.text_done || item["status"] == "in_progress")
    fail(event, "output_item.done differs from its parts");
  outputs_[response][index] = item;
  items_.erase(open);
}

void realtime_checker::check_part(const json& event) {
  const auto id = event["item_id"].get<std::string>();
  const auto type = event["type"].get<std::string>();
  const auto found = items_.find(id);
  if (found == items_.end() || found->second.response != event["response_id"]
      || found->second.index != event["output_index"] || running.count(found->second.response) == 0)
    return fail(event, "no such open item");
  auto& open = found->second;
  if (!open.in_conversation)
    fail(event, "before conversation.item.added");
  const auto part_of = [&](const std::string& text) {
    return open.is_audio ? json{{"type", "audio"}, {"transcript", text}}
                         : json{{"type", "text"}, {"text", text}};
  };
  if (type == "response.content_part.added") {
    open.has_part = true;
    open.is_audio = event["part"].value("type", "") == "audio";
    if (event["part"] != part_of(""))
      fail(event, "part");
  } else if (type == "response.content_part.done") {
    open.part_done = true;
    if (event["part"] != part_of(open.text_done.value_or("?")))
      fail(event, "part");
  } else if (type == "response.output_audio.done") {
    if (!open.is_audio || open.sound_done || open.text_done)
      fail(event, "the end of sound out of place");
    open.sound_done = true;
  } else if (type.size() > 6 && type.substr(type.size() - 6) == ".delta") {
    check_delta(event, open);
  } else {
    check_text_done(event, open);
  }
}

void realtime_checker::check_delta(const json& event, open_item& open) {
  const auto type = event["type"].get<std::string>();
  const auto id = event["item_id"].get<std::string>();
  const auto delta = event["delta"].get<std::string>();
  if (open.text_done || (!open.is_call && !open.has_part))
    fail(event, "a delta out of place");
  if (type == "response.output_audio.delta") {
    // Our own client takes sound beside text where it has come back in the middle of an answer.
    if ((!open.is_audio && !extensions_) || open.sound_done)
      fail(event, "sound out of place");
    if (delta.empty() || delta.size() % 4 != 0)
      fail(event, "sound is base64 of whole samples");
    ++sounded[id];
    return;
  }
  const auto* expected = open.is_call    ? "response.function_call_arguments.delta"
                         : open.is_audio ? "response.output_audio_transcript.delta"
                                         : "response.output_text.delta";
  if (type != expected)
    fail(event, "a delta of another kind of content");
  open.joined += delta;
  streamed[id] = open.joined;
}

void realtime_checker::check_text_done(const json& event, open_item& open) {
  const auto* expected = open.is_call    ? "response.function_call_arguments.done"
                         : open.is_audio ? "response.output_audio_transcript.done"
                                         : "response.output_text.done";
  if (event["type"] != expected || open.is_audio != open.sound_done)
    return fail(event, "the end of another kind of content, or before the end of its sound");
  open.text_done = event[open.is_call    ? "arguments"
                         : open.is_audio ? "transcript"
                                         : "text"]
                     .get<std::string>();
  // An answer that was cut short may have lost the end of its last clause.
  if (open.joined.compare(0, open.text_done->size(), *open.text_done) != 0)
    fail(event, "done differs from the joined deltas");
}

void realtime_checker::check_conversation_item(const json& event) {
  const auto& item = event["item"];
  check_item(event, item);
  if (!faults.empty())
    return;
  const auto id = item["id"].get<std::string>();
  const auto open = items_.find(id);
  if (open == items_.end()) {
    if (item["status"] == "in_progress")
      fail(event, "an item outside of a response is never in progress");
    return;
  }
  if (event["type"] == "conversation.item.added") {
    open->second.in_conversation = true;
    return;
  }
  auto& state = open->second;
  state.conversation_done = true;
  if (!state.text_done || (!state.is_call && !state.part_done))
    return fail(event, "conversation.item.done before its parts");
  if (item["status"] == "completed" && state.joined != *state.text_done)
    fail(event, "the deltas of a completed item are not its text");
}
