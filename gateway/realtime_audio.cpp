#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <utility>

/// Sound from the client, and who holds the voice seat.
namespace sidevoice {

namespace {

using nlohmann::json;

/// Of any position in sound.
constexpr std::int64_t position_max = std::int64_t{1} << 46;
constexpr std::int64_t day_ms = 86'400'000;
/// Plain clients keep a buffer of their own; ours is kept short, so that what it has not played can
/// still be held back.
constexpr std::chrono::milliseconds plain_lead{1000};
constexpr std::chrono::milliseconds plain_frame{100};
constexpr std::chrono::milliseconds own_lead{200};
constexpr std::chrono::milliseconds own_frame{60};

std::optional<realtime_fault> read_position(const json& event, const char* field, std::int64_t max,
                                            std::uint64_t& out) {
  const auto found = event.find(field);
  if (found == event.end())
    return missing(field);
  if (auto wrong = integer_within(*found, 0, max, field))
    return wrong;
  out = found->get<std::uint64_t>();
  return std::nullopt;
}

error no_engines() {
  return {errc::unavailable,
          "This server cannot listen and speak: its speech models are not installed, or the app "
          "names no engine for them. Send text",
          {},
          "voice_unavailable"};
}

} // namespace

bool realtime_codec::take_sound(const std::string& type, const json& event, fault& wrong) {
  using self = realtime_codec;
  if (type == "input_audio_buffer.append")
    wrong = run(event, &self::on_append, {"audio"});
  else if (type == "input_audio_buffer.commit")
    wrong = run(event, &self::on_commit, {});
  else if (type == "input_audio_buffer.clear")
    wrong = run(event, &self::on_clear, {});
  else if (type == "conversation.item.truncate")
    wrong = run(event, &self::on_truncate, {"item_id", "content_index", "audio_end_ms"});
  else if (options_.extensions && type == "sidevoice.audio.replay")
    wrong = run(event, &self::on_replay, {"stream", "from_ms"});
  else if (options_.extensions && type == "sidevoice.playback.report")
    wrong = run(event, &self::on_playback, {"item_id", "played_ms"});
  else if (options_.extensions && type == "sidevoice.voice.watch")
    wrong = run(event, &self::on_watch, {"on"});
  else
    return false;
  return true;
}

// -- the seat

void realtime_codec::tell_voice() {
  auto told = (watch_ ? "+" : "-") + session_.text();
  if (told == voice_told_)
    return;
  voice_told_ = std::move(told);
  const bool own = options_.extensions;
  out_.act(set_voice{.terms = session_.terms(),
                     .out = session_.output(),
                     .pace = {.rate = session_.output().rate,
                              .lead = own ? own_lead : plain_lead,
                              .frame = own ? own_frame : plain_frame,
                              .reports = own},
                     .watch = watch_});
}

void realtime_codec::seat_plain() {
  if (options_.extensions || !options_.hears || is_seated())
    return;
  tell_voice();
  stream_ = options_.ids->make("mic_");
  seat_ = "asked";
  out_.act(ask_seat{stream_, 0});
}

/// After a session.update of this body.
void realtime_codec::on_modalities(const json& session) {
  const auto wanted = session.value("output_modalities", json{});
  if (wanted == json::array({"audio"}) && !options_.hears && options_.extensions)
    show_seat("unavailable", no_engines());
  if (!is_seated())
    return;
  if (wanted == json::array({"text"}) && options_.extensions) {
    seat_ = "free";
    out_.act(give_seat{});
    return;
  }
  tell_voice();
}

void realtime_codec::show_seat(const std::string& state, const error& why) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? json{} : json(text);
  };
  out_.ephemeral({{"type", "sidevoice.voice.seat"},
                  {"state", state},
                  {"reason", text_or_null(why.reason)},
                  {"text", text_or_null(why.detail)}});
}

codec_actions realtime_codec::on_seat(const std::string& state, const error& why) {
  seat_ = state;
  if (state != "yours") {
    speaking_visitor_.clear();
    speaking_item_.clear();
  }
  if (options_.extensions)
    show_seat(state, why);
  else if (state == "unavailable" && sound_sent_ && !std::exchange(told_unavailable_, true))
    out_.fault({"voice_unavailable", why.detail + ".", {}, "server_error"}, {});
  show_state();
  return out_.take();
}

// -- client frames

realtime_codec::fault realtime_codec::on_append(const json& event) {
  std::string audio;
  if (auto wrong = read_text(event, "audio", "", audio))
    return wrong;
  if (audio.size() > realtime_limits::append_bytes)
    return realtime_fault{"invalid_value",
                          "The sound has more than 15 MiB of base64; send it in parts.", "audio"};
  auto data = decode_sound(audio, session_.input().encoding);
  if (!data)
    return realtime_fault{"invalid_value", data.error().detail, "audio"};
  if (options_.extensions && stream_.empty() && options_.hears)
    return realtime_fault{"invalid_value",
                          "Send sidevoice.audio.replay first: it names the microphone's stream "
                          "and asks for the voice seat.",
                          "type"};
  const bool first = !std::exchange(sound_sent_, true);
  if (!options_.hears) {
    // Once: a microphone would fill the client's log.
    if (!std::exchange(told_unavailable_, true))
      return realtime_fault{"voice_unavailable", no_engines().detail + ".", {}, "server_error"};
    return std::nullopt;
  }
  // Whoever has lost the seat gets it back by asking for an answer, not by an open microphone.
  if (first || seat_ == "free")
    seat_plain();
  if (is_seated())
    out_.act(sound_in{std::move(*data), session_.input().rate});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_commit(const json&) {
  out_.act(commit_sound{event_id_});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_clear(const json&) {
  out_.act(clear_sound{});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_truncate(const json& event) {
  std::string id;
  std::uint64_t index = 0;
  std::uint64_t ms = 0;
  if (auto wrong = read_text(event, "item_id", "", id))
    return wrong;
  if (auto wrong = read_position(event, "content_index", day_ms, index))
    return wrong;
  if (auto wrong = read_position(event, "audio_end_ms", day_ms, ms))
    return wrong;
  if (!order_.has(id) && responses_.open_item(id).is_null())
    return realtime_fault{"item_truncate_invalid_item_id",
                          "There is no such item in this conversation.", "item_id"};
  if (!spoken_.contains(id) && !responses_.is_open_sound(id))
    return realtime_fault{"invalid_value",
                          "Only audio of the assistant can be truncated, and this item is none.",
                          "item_id"};
  if (index != 0)
    return realtime_fault{"invalid_value", "The only content of this item has the index 0.",
                          "content_index"};
  std::uint64_t token = 0;
  if (auto wrong = expect({.what = ask::truncate, .subject = id, .ms = ms}, token))
    return wrong;
  out_.act(truncate_item{token, id, static_cast<std::uint32_t>(ms)});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_replay(const json& event) {
  std::string stream;
  std::uint64_t from = 0;
  if (auto wrong = read_text(event, "stream", "", stream))
    return wrong;
  if (!is_item_id(stream))
    return realtime_fault{"invalid_value",
                          "A stream's name has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.",
                          "stream"};
  if (auto wrong = read_position(event, "from_ms", position_max, from))
    return wrong;
  if (!options_.hears) {
    show_seat("unavailable", no_engines());
    return std::nullopt;
  }
  stream_ = std::move(stream);
  tell_voice();
  if (seat_ != "yours")
    seat_ = "asked";
  out_.act(ask_seat{stream_, from});
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_playback(const json& event) {
  client_played played;
  std::uint64_t ms = 0;
  if (auto wrong = read_text(event, "item_id", "", played.item))
    return wrong;
  if (auto wrong = read_position(event, "played_ms", day_ms, ms))
    return wrong;
  played.ms = static_cast<std::uint32_t>(ms);
  out_.act(std::move(played));
  return std::nullopt;
}

realtime_codec::fault realtime_codec::on_watch(const json& event) {
  const auto on = event.find("on");
  if (on == event.end())
    return missing("on");
  if (!on->is_boolean())
    return wrong_type("on", "true or false");
  watch_ = on->get<bool>();
  if (is_seated())
    tell_voice();
  return std::nullopt;
}

} // namespace sidevoice
