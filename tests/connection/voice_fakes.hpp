#pragma once

#include "tests/connection/fakes.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The voice actors round one connection, scripted: a gate that hears loudness, a stream to stt,
/// audio, tts.
namespace connection_fakes {

class loud_stream final : public vad_stream {
public:
  float push(std::span<const std::int16_t, vad_frame> frame) override {
    return frame[vad_frame / 2] != 0 ? 1.0F : 0.0F;
  }
  void reset() override {}
};

class loud_vad final : public vad_engine {
public:
  [[nodiscard]] std::unique_ptr<vad_stream> open() const override {
    return std::make_unique<loud_stream>();
  }
  [[nodiscard]] std::string name() const override {
    return "loud";
  }
};

/// What a stream to stt was given: utterances with their length, "+" where they have ended.
class recording_stt final : public stt_stream {
public:
  struct heard {
    std::string utterance;
    std::size_t samples = 0;
    bool ended = false;
  };

  explicit recording_stt(std::vector<heard>& to) : to_{to} {}

  void begin(const std::string& utterance) override {
    to_.push_back({utterance});
  }
  void push(samples_view sound) override {
    if (!to_.empty())
      to_.back().samples += sound.size();
  }
  void end() override {
    if (!to_.empty())
      to_.back().ended = true;
  }
  void cancel(const std::string& utterance) override {
    std::erase_if(to_, [&](const heard& one) { return one.utterance == utterance; });
  }

private:
  std::vector<heard>& to_;
};

/// What audio and tts were told.
struct voice_log {
  std::vector<speech_edge> edges;
  std::vector<playout_report> reports;
  std::vector<speak_from> places;
  int wants = 0;
};

inline audio_actor::behavior_type fake_audio(audio_actor::pointer, voice_log* log) {
  return {[=](const speech_edge& edge) { log->edges.push_back(edge); },
          [=](const playout_report& report) { log->reports.push_back(report); },
          [](const utterance_text&) {},
          [](const published&) {},
          [](const answer_delta&) {},
          [](const notice&) {},
          [](const move_away&) {},
          [](const tool_call&) {},
          [](const tool_cancelled&) {},
          [](const change_seat&) {}};
}

inline tts_actor::behavior_type fake_tts(tts_actor::pointer, voice_log* log) {
  return {[](const published&) {},
          [](const answer_delta&) {},
          [](const notice&) {},
          [](const move_away&) {},
          [](const tool_call&) {},
          [](const tool_cancelled&) {},
          [](const speech_open&) {},
          [](const text_complete&) {},
          [](const say_filler&) {},
          [](const change_seat&) {},
          [=](const want_speech&) { ++log->wants; },
          [=](const speak_from& place) { log->places.push_back(place); }};
}

} // namespace connection_fakes
