#include "gateway/realtime_codec.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

/// What the session and the voice tell of speech.
namespace sidevoice {

using nlohmann::json;

namespace {

/// Texts of spoken answers that are kept, for the report on a turn.
constexpr std::size_t texts_max = 16;
/// Utterances whose live words are followed; beyond it they have come to nothing.
constexpr std::size_t live_max = 16;

} // namespace

// -- durable events

void realtime_codec::learn(const session_view& view) {
  for (const auto& stored : view.items)
    if (stored->value.spoken && stored->value.role == item_role::assistant)
      remember_spoken(stored->value.id, stored->value.text);
  wordless_.clear();
  for (const auto& open : view.open_speech)
    wordless_[open.item] = open.to_ms - open.from_ms;
}

void realtime_codec::remember_spoken(const std::string& id, const std::string& text) {
  spoken_.insert(id);
  std::erase_if(spoken_texts_, [&](const auto& known) { return known.first == id; });
  spoken_texts_.emplace_back(id, text);
  if (spoken_texts_.size() > texts_max)
    spoken_texts_.pop_front();
}

void realtime_codec::on(const event&, const input_speech& body) {
  const bool is_new = !order_.has(body.item);
  order_.put(body.rank, body.item);
  const auto length = body.to_ms - std::min(body.from_ms, body.to_ms);
  wordless_[body.item] = length;
  if (is_new && !stream_.empty() && body.stream == stream_)
    out_.event({{"type", "input_audio_buffer.committed"},
                {"item_id", body.item},
                {"previous_item_id", id_or_null(order_.previous_of(body.item))}});
  item_events({.id = body.item, .spoken = true, .audio_ms = static_cast<std::uint32_t>(length)},
              is_new);
}

void realtime_codec::on(const event&, const input_transcribed& body) {
  show_words(body.item, body);
}

void realtime_codec::show_words(const std::string& item, const input_transcribed& words) {
  const auto waiting = wordless_.extract(item);
  const auto said = live_.extract(item);
  if (!order_.has(item) || (!options_.extensions && !session_.transcribes()))
    return;
  const json where{{"item_id", item}, {"content_index", 0}};
  if (words.reason == "failed" || words.reason == "lost") {
    json body = where;
    body["type"] = "conversation.item.input_audio_transcription.failed";
    body["error"] = {{"type", "transcription_error"},
                     {"code", words.reason},
                     {"message", words.reason == "lost"
                                   ? "The sound was lost before it was understood; say it again."
                                   : "No engine could understand this; say it again."},
                     {"param", nullptr}};
    return out_.event(std::move(body));
  }
  // Deltas add up to the transcript where they can.
  if (!said.empty() && !options_.extensions && words.text.size() > said.mapped().size()
      && words.text.compare(0, said.mapped().size(), said.mapped()) == 0) {
    json rest = where;
    rest["type"] = "conversation.item.input_audio_transcription.delta";
    rest["delta"] = words.text.substr(said.mapped().size());
    out_.ephemeral(std::move(rest));
  }
  const auto ms = waiting.empty() ? 0 : waiting.mapped();
  json body = where;
  body["type"] = "conversation.item.input_audio_transcription.completed";
  body["transcript"] = words.text;
  body["usage"] = {{"type", "duration"}, {"seconds", static_cast<double>(ms) / 1000}};
  out_.event(std::move(body));
}

void realtime_codec::show_missed_words(const session_view& view) {
  std::vector<std::string> known;
  for (const auto& [item, length] : wordless_)
    if (view.find_speech(item) == nullptr)
      known.push_back(item);
  for (const auto& id : known) {
    const auto* stored = view.find_item(id);
    if (stored == nullptr)
      wordless_.erase(id);
    else
      show_words(id, {id, stored->value.text,
                      stored->value.status == item_status::incomplete ? "failed" : ""});
  }
}

void realtime_codec::on(const event&, const item_heard& body) {
  if (spoken_.contains(body.id))
    remember_spoken(body.id, body.text);
  for (auto& [token, about] : pending_)
    if (about.what == ask::truncate && about.subject == body.id
        && !std::exchange(about.shown, true))
      out_.event({{"type", "conversation.item.truncated"},
                  {"item_id", body.id},
                  {"content_index", 0},
                  {"audio_end_ms", about.ms}});
  // A plain client that has not asked keeps what it was given; ours shows what was heard.
  if (options_.extensions && order_.has(body.id))
    item_events({.id = body.id,
                 .role = item_role::assistant,
                 .status = item_status::incomplete,
                 .text = body.text,
                 .spoken = true,
                 .audio_ms = body.ms},
                false);
}

void realtime_codec::on(const event&, const turn_measured& body) {
  if (!options_.extensions)
    return;
  const auto text = std::find_if(spoken_texts_.begin(), spoken_texts_.end(),
                                 [&](const auto& known) { return known.first == body.item; });
  const auto silence = std::uint64_t{body.end_of_speech} + body.transcript + body.first_token
                       + body.first_clause + body.first_audio + body.played;
  out_.event({{"type", "sidevoice.turn.completed"},
              {"turn", body.response},
              {"item_id", body.item},
              {"heard_text", text == spoken_texts_.end() ? json{} : json(text->second)},
              {"latency",
               {{"end_of_speech_ms", body.end_of_speech},
                {"transcript_ms", body.transcript},
                {"first_token_ms", body.first_token},
                {"first_clause_ms", body.first_clause},
                {"first_audio_ms", body.first_audio},
                {"played_ms", body.played},
                {"silence_ms", silence}}}});
}

// -- what is not journaled

codec_actions realtime_codec::on_speech(const speech_edge& edge) {
  if (edge.kind == edge_kind::begun && !edge.manual) {
    speaking_visitor_ = edge.utterance;
    out_.ephemeral({{"type", "input_audio_buffer.speech_started"},
                    {"item_id", edge.utterance},
                    {"audio_start_ms", edge.from_ms}});
    show_state();
  } else if (edge.kind == edge_kind::ended && edge.utterance == speaking_visitor_) {
    speaking_visitor_.clear();
    out_.ephemeral({{"type", "input_audio_buffer.speech_stopped"},
                    {"item_id", edge.utterance},
                    {"audio_end_ms", edge.at_ms}});
    show_state();
  }
  return out_.take();
}

codec_actions realtime_codec::on_commit_refused(const std::string& event_id) {
  out_.fault({"input_audio_buffer_commit_empty",
              "Less than 100 ms of sound wait in the buffer; append more before the commit."},
             event_id);
  return out_.take();
}

codec_actions realtime_codec::on_cleared() {
  out_.ephemeral({{"type", "input_audio_buffer.cleared"}});
  return out_.take();
}

codec_actions realtime_codec::on_sound(const sound_frame& frame) {
  const auto encoding = session_.output().encoding;
  bool is_heard = false;
  if (!frame.response.empty()) {
    is_heard = responses_.sound(frame, encoding);
  } else if (options_.extensions) {
    // "One moment": no part of the conversation, and no business of a client that keeps one.
    is_heard = true;
    if (!frame.data.empty())
      out_.ephemeral({{"type", "response.output_audio.delta"},
                      {"response_id", nullptr},
                      {"item_id", frame.item},
                      {"output_index", 0},
                      {"content_index", 0},
                      {"delta", encode_sound(frame.data, encoding)},
                      {"from_ms", frame.from_ms}});
  }
  if (is_heard && !frame.data.empty()) {
    speaking_item_ = frame.item;
    speaking_response_ = frame.response;
  }
  if (frame.last && frame.item == speaking_item_)
    speaking_item_.clear();
  show_state();
  return out_.take();
}

codec_actions realtime_codec::on_held(const std::string& item, bool held) {
  if (options_.extensions)
    out_.ephemeral({{"type", held ? "sidevoice.playback.held" : "sidevoice.playback.released"},
                    {"item_id", item}});
  return out_.take();
}

codec_actions realtime_codec::on_live_words(const live_words& words) {
  // The protocol has words of items only; ours shows them while they are spoken.
  const bool wanted = options_.extensions
                      || (session_.transcribes() && order_.has(words.utterance));
  if (wanted)
    say_words(words.utterance, words.text);
  return out_.take();
}

void realtime_codec::say_words(const std::string& item, const std::string& text) {
  if (live_.size() >= live_max && !live_.contains(item))
    live_.clear();
  auto& said = live_[item];
  const bool goes_on = text.size() > said.size() && text.compare(0, said.size(), said) == 0;
  if (!goes_on && !options_.extensions)
    return;
  json body{{"type", "conversation.item.input_audio_transcription.delta"},
            {"item_id", item},
            {"content_index", 0},
            {"delta", goes_on ? text.substr(said.size()) : std::string{}}};
  if (options_.extensions)
    body["sidevoice"] = {{"text", text}};
  if (goes_on)
    said = text;
  out_.ephemeral(std::move(body));
}

codec_actions realtime_codec::on_turn_over(const turn_over& turn) {
  if (options_.extensions)
    out_.ephemeral({{"type", "sidevoice.turn.ended"},
                    {"item_id", turn.utterance},
                    {"why", turn.why},
                    {"silence_ms", turn.silence_ms},
                    {"probability", turn.probability < 0 ? json{} : json(turn.probability)}});
  return out_.take();
}

codec_actions realtime_codec::on_acknowledged(const std::string& stream, std::uint64_t to_ms) {
  if (options_.extensions)
    out_.ephemeral(
      {{"type", "sidevoice.audio.acknowledged"}, {"stream", stream}, {"to_ms", to_ms}});
  return out_.take();
}

codec_actions realtime_codec::on_probe(const speech_probe& probe) {
  if (options_.extensions && watch_)
    out_.ephemeral({{"type", "sidevoice.voice.probe"},
                    {"at_ms", probe.at_ms},
                    {"probability", probe.probability},
                    {"speaking", probe.speaking}});
  return out_.take();
}

} // namespace sidevoice
