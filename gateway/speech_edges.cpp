#include "gateway/speech_edges.hpp"

#include <algorithm>
#include <chrono>

namespace sidevoice {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// A frame above it needs no second one to be believed.
constexpr float sure = 0.9F;
constexpr double hysteresis = 0.15;
/// With a low threshold there is still a probability that counts as silence.
constexpr double surely_silent = 0.01;
constexpr std::uint32_t pause_ms = 200;

milliseconds longest_silence(const turn_settings& settings) {
  if (settings.mode == turn_mode::silence)
    return settings.silence_duration;
  if (settings.eagerness == "low")
    return 8s;
  return settings.eagerness == "high" ? 2s : 4s;
}

} // namespace

void speech_edges::set(const turn_settings& settings) {
  settings_ = settings;
}

std::optional<speech_edges::edge> speech_edges::push(float probability, std::uint32_t frame_ms) {
  const auto frame_at = now_ms_;
  now_ms_ += frame_ms;
  const bool is_voice = is_voiced(probability);
  if (is_voice && candidate_ms_ == 0)
    candidate_at_ = frame_at;
  if (!in_speech_)
    return is_voice ? begin(probability, frame_ms) : doubt();
  return is_voice ? go_on(probability, frame_ms) : fall_silent(frame_ms);
}

bool speech_edges::is_voiced(float probability) const {
  if (probability >= settings_.threshold)
    return true;
  const auto low = std::max(settings_.threshold - hysteresis, surely_silent);
  const bool is_voice_now = in_speech_ && voiced_ms_ > 0 && silence_ms_ == 0;
  return is_voice_now && probability >= low;
}

bool speech_edges::is_believed(float probability, std::uint32_t frame_ms) {
  candidate_ms_ += frame_ms;
  return candidate_ms_ >= 2 * frame_ms || probability > sure;
}

std::optional<speech_edges::edge> speech_edges::doubt() {
  candidate_ms_ = 0;
  return std::nullopt;
}

std::optional<speech_edges::edge> speech_edges::begin(float probability, std::uint32_t frame_ms) {
  if (settings_.mode == turn_mode::manual)
    return doubt();
  if (!is_believed(probability, frame_ms))
    return std::nullopt;
  const auto voiced_ms = candidate_ms_;
  const auto begun_at = candidate_at_;
  open();
  voiced_ms_ = voiced_ms;
  return edge{edge::kind::begun, begun_at, voiced_ms_, 0};
}

std::optional<speech_edges::edge> speech_edges::go_on(float probability, std::uint32_t frame_ms) {
  if (!paused_) {
    voiced_ms_ += frame_ms;
    silence_ms_ = 0;
    return std::nullopt;
  }
  // Until it is believed it neither ends the pause nor lets the speech end within a word.
  if (!is_believed(probability, frame_ms))
    return std::nullopt;
  voiced_ms_ += candidate_ms_;
  candidate_ms_ = 0;
  silence_ms_ = 0;
  paused_ = false;
  if (settings_.mode == turn_mode::manual)
    return std::nullopt;
  return edge{edge::kind::resumed, now_ms_, voiced_ms_, 0};
}

std::optional<speech_edges::edge> speech_edges::fall_silent(std::uint32_t frame_ms) {
  silence_ms_ += candidate_ms_ + frame_ms;
  candidate_ms_ = 0;
  if (settings_.mode == turn_mode::manual)
    return std::nullopt;
  if (milliseconds{silence_ms_} >= longest_silence(settings_)) {
    const edge ended{edge::kind::ended, now_ms_, voiced_ms_, silence_ms_};
    close();
    return ended;
  }
  if (paused_ || silence_ms_ < pause_ms)
    return std::nullopt;
  paused_ = true;
  return edge{edge::kind::paused, now_ms_, voiced_ms_, silence_ms_};
}

void speech_edges::open() {
  close();
  in_speech_ = true;
}

void speech_edges::close() {
  in_speech_ = false;
  paused_ = false;
  candidate_ms_ = 0;
  voiced_ms_ = 0;
  silence_ms_ = 0;
}

bool speech_edges::in_speech() const {
  return in_speech_;
}

std::uint64_t speech_edges::now_ms() const {
  return now_ms_;
}

std::uint32_t speech_edges::voiced_ms() const {
  return voiced_ms_;
}

std::uint32_t speech_edges::silence_ms() const {
  return silence_ms_;
}

} // namespace sidevoice
