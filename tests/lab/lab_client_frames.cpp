#include "tests/lab/lab_client.hpp"

#include <algorithm>
#include <cstdio>

/// What comes back to a scripted client, and what must not.
namespace sidevoice::lab {

using nlohmann::json;

void lab_client::start_over() {
  unnumbered_.clear();
  view_ = {};
  numbers_.clear();
}

void lab_client::on_frame(const std::string& text) {
  ++frames_;
  if (show_frames)
    std::printf("             %s <- %.2000s\n", name_.c_str(), text.c_str());
  const auto event = json::parse(text, nullptr, false);
  if (!event.is_object() || !event.contains("type") || !event.contains("event_id"))
    return report_(name_ + " got a frame that is no event: " + text.substr(0, 200));
  if (event.contains("seq") && event["seq"].is_number()
      && event["type"] != "sidevoice.session.snapshot") {
    on_number(event["seq"].get<std::uint64_t>(), event.value("more", false));
  }
  const auto type = event["type"].get<std::string>();
  if (mic_)
    mic_->on_event(event, type);
  if (type == "error")
    on_error(event["error"]);
  else if (type.rfind("conversation.item.", 0) == 0)
    on_item(event);
  else if (type.rfind("response.", 0) == 0)
    on_response(event, type);
  else if (type.rfind("sidevoice.", 0) == 0)
    on_extension(event, type);
}

void lab_client::on_number(std::uint64_t seq, bool more) {
  // Items of a snapshot and repeated answers carry the number of the event that they came with.
  if (seq <= view_.last_seq)
    return;
  if (seq != view_.last_seq + 1)
    report_(name_ + " got number " + std::to_string(seq) + " after "
            + std::to_string(view_.last_seq));
  // A number counts as seen with the last of its frames.
  if (more)
    return;
  numbers_.push_back(seq);
  view_.last_seq = seq;
}

void lab_client::on_error(const json& error) {
  // A refusal is an answer, too: nothing was stored, and a person would be told so.
  if (!error["event_id"].is_string())
    return;
  std::erase_if(unanswered_, [&](const auto& entry) {
    if (entry.second.value("event_id", "") != error["event_id"])
      return false;
    if (error.value("code", "") != "unknown_outcome" && !resent_.contains(entry.first))
      refused_.insert(entry.first);
    return true;
  });
}

void lab_client::on_item(const json& event) {
  const auto type = event["type"].get<std::string>();
  if (type == "conversation.item.deleted") {
    const auto id = event["item_id"].get<std::string>();
    std::erase(view_.order, id);
    view_.items.erase(id);
    unanswered_.erase(id);
    return;
  }
  if (type == "conversation.item.input_audio_transcription.completed") {
    if (const auto known = view_.items.find(event["item_id"].get<std::string>());
        known != view_.items.end())
      known->second.text = event["transcript"].get<std::string>();
    return;
  }
  if (type == "conversation.item.truncated") {
    if (const auto known = view_.items.find(event["item_id"].get<std::string>());
        known != view_.items.end())
      known->second.may_be_cut = true;
    return;
  }
  if (type != "conversation.item.added" && type != "conversation.item.done")
    return;
  const auto& item = event["item"];
  const auto id = item["id"].get<std::string>();
  std::string text;
  for (const auto& part : item.value("content", json::array()))
    for (const auto* field : {"text", "transcript"})
      if (part.contains(field) && part[field].is_string())
        text += part[field].get<std::string>();
  if (item.value("type", "") == "function_call_output")
    text = item.value("output", "");
  if (!view_.items.contains(id)) {
    auto at = view_.order.begin();
    if (event.contains("previous_item_id") && event["previous_item_id"].is_string()) {
      at = std::find(view_.order.begin(), view_.order.end(),
                     event["previous_item_id"].get<std::string>());
      if (at == view_.order.end())
        report_(name_ + " got item " + id
                + " behind an item it does not know: " + event.dump().substr(0, 300));
      else
        ++at;
    }
    view_.order.insert(at, id);
  }
  if (extensions_ && !event.value("seq", json()).is_number())
    unnumbered_.insert(id);
  else
    unnumbered_.erase(id);
  view_.items[id] = {item.value("role", item.value("type", "")), text, item.value("status", ""),
                     !extensions_ && item.value("role", "") == "assistant"};
  if (unanswered_.erase(id) > 0)
    acknowledged_.insert(id);
}

void lab_client::on_response(const json& event, const std::string& type) {
  if (type == "response.created") {
    const auto id = event["response"]["id"].get<std::string>();
    if (closed_responses_.contains(id))
      report_(name_ + " saw response " + id + " created after it was done");
    open_responses_.insert(id);
    return;
  }
  if (type == "response.done") {
    const auto id = event["response"]["id"].get<std::string>();
    if (open_responses_.erase(id) == 0)
      report_(name_ + " saw response.done of " + id + ", which was not open");
    closed_responses_.insert(id);
    return;
  }
  if (type == "response.function_call_arguments.done" && !extensions_) {
    // A plain client runs what it sees, so it must see nothing but its own.
    if (event["name"] != "own_tool")
      report_(name_ + " was shown a call of " + event["name"].get<std::string>());
    own_calls_.insert(event["call_id"].get<std::string>());
  }
  // Something said that is no part of an answer.
  if (event["response_id"].is_null() && type == "response.output_audio.delta")
    return;
  const auto id = event["response_id"].get<std::string>();
  if (!open_responses_.contains(id))
    report_(name_ + " saw " + type + " of response " + id + ", which is not open");
  const auto item = event.value("item_id", "");
  if (type == "response.output_text.delta" || type == "response.output_audio_transcript.delta") {
    if (event.value("so_far", false))
      streamed_[item].clear();
    if (streamed_[item].empty() && on_first_piece)
      on_first_piece(id);
    streamed_[item] += event["delta"].get<std::string>();
  } else if (type == "response.output_text.done"
             || type == "response.output_audio_transcript.done") {
    const auto text = event.value("text", event.value("transcript", ""));
    if (streamed_[item] != text && streamed_[item].rfind(text, 0) == 0)
      cut_.insert(item);
    else if (streamed_[item] != text)
      report_(name_ + " saw pieces \"" + streamed_[item] + "\" of a text \"" + text + "\"");
  } else if (type == "response.output_item.done"
             && cut_.contains(event["item"]["id"].get<std::string>())
             && event["item"].value("status", "") != "incomplete") {
    // A crash may take the clause that was just being said; then the item says that it is not
    // whole.
    report_(name_ + " saw more of " + event["item"]["id"].get<std::string>()
            + " than its completed text holds");
  }
}

void lab_client::on_extension(const json& event, const std::string& type) {
  if (type == "sidevoice.tool.called") {
    asked_to_run_.insert(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.tool.cancelled") {
    asked_to_run_.erase(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.approval.requested") {
    asked_to_agree_.insert(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.approval.answered") {
    if (asked_to_agree_.erase(event["call_id"].get<std::string>()) == 0)
      return;
  } else if (type == "sidevoice.session.snapshot") {
    start_over();
    view_.last_seq = event["seq"].get<std::uint64_t>();
    store_ = event["store"].get<std::string>();
    view_.revision = event["revision"].get<std::uint64_t>();
    for (const auto& topic : event["topics"])
      view_.topics[topic["id"].get<std::string>()] = topic;
  } else if (type == "sidevoice.session.resumed") {
    if (view_.last_seq != event["to_seq"].get<std::uint64_t>())
      report_(name_ + " was resumed to a number that it has not seen");
  } else if (type == "sidevoice.topic.updated") {
    const auto revision = event["revision"].get<std::uint64_t>();
    // A repeated edit is answered with the topic as it stands.
    if (event.contains("edit") && revision <= view_.revision)
      return;
    if (revision != view_.revision + 1)
      report_(name_ + " saw revision " + std::to_string(revision) + " after "
              + std::to_string(view_.revision));
    view_.revision = revision;
    view_.topics[event["topic"]["id"].get<std::string>()] = event["topic"];
  }
}

} // namespace sidevoice::lab
