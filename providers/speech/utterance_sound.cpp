#include "providers/speech/utterance_sound.hpp"

#include <algorithm>
#include <cmath>

namespace sidevoice {

namespace {

constexpr std::size_t slack = std::size_t{5} * speech_rate;
/// 20 ms.
constexpr std::size_t frame = speech_rate / 50;
/// Some -48 dB below full scale: above the noise of a poor microphone, below a whisper into it.
constexpr double audible_rms = 120.0;
/// Speech lasts: a click does not.
constexpr std::size_t audible_frames = 3;
/// A piece is no shorter than this, so that a quiet beginning does not cut it to shreds.
constexpr std::size_t piece_min = std::size_t{15} * speech_rate;

double energy(samples_view sound) {
  double sum = 0;
  for (const auto s : sound)
    sum += static_cast<double>(s) * s;
  return sound.empty() ? 0 : sum / static_cast<double>(sound.size());
}

/// The middle of the quietest 200 ms among the places where the first piece may end.
std::size_t quietest(samples_view sound) {
  constexpr auto window = frame * 10;
  auto best = decode_max - window;
  auto least = energy(sound.subspan(best, window));
  for (auto at = piece_min; at + window <= decode_max; at += frame * 2) {
    const auto here = energy(sound.subspan(at, window));
    if (here < least) {
      least = here;
      best = at;
    }
  }
  return best + window / 2;
}

} // namespace

void keep_newest(samples& kept, samples_view more) {
  more = newest_minute(more);
  kept.insert(kept.end(), more.begin(), more.end());
  if (kept.size() > utterance_max + slack)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(utterance_max));
}

samples_view newest_minute(samples_view sound) {
  return sound.size() > utterance_max ? sound.last(utterance_max) : sound;
}

bool is_audible(samples_view sound) {
  std::size_t loud = 0;
  for (std::size_t at = 0; at < sound.size(); at += frame) {
    const auto one = sound.subspan(at, std::min(frame, sound.size() - at));
    loud += energy(one) >= audible_rms * audible_rms ? 1 : 0;
    if (loud >= audible_frames)
      return true;
  }
  return false;
}

std::vector<samples_view> cut_long(samples_view sound) {
  std::vector<samples_view> pieces;
  while (sound.size() > decode_max) {
    const auto at = quietest(sound);
    pieces.push_back(sound.first(at));
    sound = sound.subspan(at);
  }
  if (!sound.empty())
    pieces.push_back(sound);
  return pieces;
}

} // namespace sidevoice
