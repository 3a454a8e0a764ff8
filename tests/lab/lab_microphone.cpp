#include "tests/lab/lab_microphone.hpp"

#include "gateway/sound_format.hpp"
#include "tests/lab/lab_voice.hpp"
#include "tests/support/scripted_stt.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice::lab {

using nlohmann::json;

/// Of the times at which the agent is heard.
constexpr std::uint64_t breaks_in_percent = 40;

namespace {

std::int16_t level_of(std::uint64_t sentence) {
  return static_cast<std::int16_t>((sentence + 1) * scripted_step);
}

} // namespace

void lab_microphone::start() {
  is_on_ = true;
  past_ = dealt_with();
  stream_ = "mic_" + name_ + "_" + std::to_string(++starts_);
  said_.clear();
  sent_ms_ = 0;
  acknowledged_ms_ = 0;
  on_connected();
}

void lab_microphone::on_connected() {
  is_connected_ = true;
  if (!is_on_)
    return;
  if (!keeps_) {
    // A plain client talks on; what the line took with it is gone.
    is_on_ = false;
    return;
  }
  send_({{"type", "session.update"},
         {"session",
          {{"type", "realtime"},
           {"output_modalities", {"audio"}},
           {"audio", {{"input", {{"format", {{"type", "audio/pcm"}, {"rate", rate_}}}}}}}}}});
  sent_ms_ = acknowledged_ms_;
  send_({{"type", "sidevoice.audio.replay"}, {"stream", stream_}, {"from_ms", sent_ms_}});
}

void lab_microphone::add(std::uint64_t ms, std::int16_t level, std::uint64_t sentence,
                         bool is_word) {
  const auto from = end_ms();
  said_.push_back({from, from + ms, level, sentence, is_word});
}

bool lab_microphone::break_in(dice& chance, std::uint64_t& next_sentence) {
  if (!is_connected_ || !is_on_ || !std::exchange(hears_, false) || next_sentence >= sentences_max
      || !chance.chance(breaks_in_percent))
    return false;
  add(600 + chance.roll(800), level_of(next_sentence), next_sentence, true);
  ++next_sentence;
  add(700, 0, 0, false);
  return true;
}

void lab_microphone::act(dice& chance, std::uint64_t& next_sentence) {
  if (!is_connected_)
    return;
  if (!is_on_) {
    start();
    if (!keeps_) {
      is_on_ = true;
    }
  }
  if (chance.chance(2))
    return hang_up();
  if (break_in(chance, next_sentence)) {
    pump(end_ms() - sent_ms_);
    return;
  }
  const auto roll = chance.roll(10);
  if (end_ms() - sent_ms_ < 4000) {
    if (roll < 2) {
      add(60 + chance.roll(90), level_of(0), 0, false);
    } else if (roll < 3) {
      add(350, level_of(0), 0, false);
    } else if (roll < 4) {
      add(300, level_of(1), 1, false);
    } else if (next_sentence < sentences_max) {
      add(400 + chance.roll(1600), level_of(next_sentence), next_sentence, true);
      ++next_sentence;
    }
    add(600 + chance.roll(900), 0, 0, false);
  }
  pump(100 + chance.roll(1500));
  if (!newest_item_.empty() && keeps_ && chance.chance(40))
    send_({{"type", "sidevoice.playback.report"},
           {"item_id", newest_item_},
           {"played_ms", chance.roll(heard_ms_[newest_item_] + 1)}});
  else if (!newest_item_.empty() && !keeps_ && chance.chance(20))
    send_({{"type", "conversation.item.truncate"},
           {"item_id", newest_item_},
           {"content_index", 0},
           {"audio_end_ms", chance.roll(heard_ms_[newest_item_] + 1)}});
}

void lab_microphone::hang_up() {
  if (!is_on_ || !is_connected_ || !keeps_)
    return;
  past_ = dealt_with();
  is_on_ = false;
  send_({{"type", "session.update"},
         {"session", {{"type", "realtime"}, {"output_modalities", {"text"}}}}});
}

void lab_microphone::finish() {
  // A microphone goes on in silence, and positions in silence are told every two seconds.
  if (is_on_)
    add(3000, 0, 0, false);
}

bool lab_microphone::pump(std::uint64_t ms) {
  if (!is_on_ || !is_connected_)
    return false;
  const auto to = std::min(end_ms(), sent_ms_ + ms);
  while (sent_ms_ < to) {
    const auto at = std::find_if(said_.begin(), said_.end(),
                                 [this](const stretch& s) { return s.to_ms > sent_ms_; });
    const auto end = std::min({to, at->to_ms, sent_ms_ + 200});
    const samples piece((end - sent_ms_) * rate_ / 1000, at->level);
    sent_ms_ = end;
    if (!piece.empty())
      send_({{"type", "input_audio_buffer.append"},
             {"audio", encode_sound(piece, sound_encoding::pcm16)}});
  }
  return sent_ms_ < end_ms();
}

void lab_microphone::on_event(const json& event, const std::string& type) {
  if (type == "sidevoice.audio.acknowledged" && event.value("stream", "") == stream_) {
    acknowledged_ms_ = std::max(acknowledged_ms_, event["to_ms"].get<std::uint64_t>());
  } else if (type == "sidevoice.voice.seat") {
    has_voice_ = event["state"] == "yours";
    // Somebody else talks now, or nobody can.
    if (event["state"] == "elsewhere" || event["state"] == "unavailable")
      is_on_ = false;
  } else if (type == "response.output_audio.delta") {
    ++sounds_;
    hears_ = true;
    if (!event["item_id"].is_string())
      return;
    newest_item_ = event["item_id"].get<std::string>();
    const auto bytes = event["delta"].get_ref<const std::string&>().size() * 3 / 4;
    heard_ms_[newest_item_] += bytes / 2 * 1000 / 24'000;
  }
}

std::vector<lab_microphone::sentence> lab_microphone::dealt_with() const {
  auto out = past_;
  for (const auto& s : said_)
    if (s.is_word && s.to_ms <= acknowledged_ms_)
      out.push_back({s.sentence, stream_, s.from_ms, s.to_ms});
  return out;
}

bool lab_microphone::is_settled() const {
  if (!is_on_ || !keeps_)
    return true;
  return std::none_of(said_.begin(), said_.end(),
                      [this](const stretch& s) { return s.is_word && s.to_ms > acknowledged_ms_; });
}

} // namespace sidevoice::lab
