#include "gateway/resampler.hpp"
#include "gateway/sound_format.hpp"
#include "gateway/speech_edges.hpp"
#include "gateway/voice_input.hpp"
#include "gateway/voice_output.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

/// What a second of sound costs on its way through a connection, by part, without the model of the
/// voice activity (measured apart). CPU time of this thread; the best
/// and the middle of the rounds.
namespace {

using namespace sidevoice;
using namespace std::chrono_literals;

constexpr std::size_t seconds = 60;

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Speech-like: tones that swell and fall, half of the time silent.
samples talk(std::uint32_t rate) {
  samples data(rate * seconds);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto at = static_cast<double>(i) / rate;
    const auto size = std::fmod(at, 4.0) < 2 ? 9000 * std::fabs(std::sin(at * 12)) : 40;
    data[i] =
      static_cast<std::int16_t>(size * std::sin(2 * std::numbers::pi * 220 * at) + 20 * (i % 3));
  }
  return data;
}

/// Costs next to nothing itself: what is loud is voice.
class loudness final : public vad_stream {
public:
  float push(std::span<const std::int16_t, vad_frame> frame) override {
    int peak = 0;
    for (std::size_t i = 0; i < frame.size(); i += 8)
      peak = std::max(peak, std::abs(int{frame[i]}));
    return peak > 1500 ? 1.0F : 0.0F;
  }
  void reset() override {}
};

std::vector<std::string> encoded(const samples& data, std::size_t piece, sound_encoding encoding) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at + piece <= data.size(); at += piece)
    out.push_back(encode_sound(samples_view{data}.subspan(at, piece), encoding));
  return out;
}

/// So that nothing is optimised away.
std::size_t witness = 0;

void decode_all(const std::vector<std::string>& texts, sound_encoding encoding) {
  for (const auto& text : texts)
    witness += decode_sound(text, encoding)->size();
}

void resample(const samples& data, std::uint32_t from, std::uint32_t to) {
  resampler one{from, to};
  samples out;
  for (std::size_t at = 0; at < data.size(); at += from / 10) {
    out.clear();
    one.push(samples_view{data}.subspan(at, from / 10), out);
    witness += out.size();
  }
}

void find_edges() {
  speech_edges edges;
  edges.set({});
  for (std::size_t i = 0; i < seconds * 1000 / 32; ++i)
    witness += edges.push(i % 125 < 62 ? 0.9F : 0.1F).has_value() ? 1 : 0;
}

/// All of voice_input but the model: feed, keeping, settling.
void listen(const samples& data, std::uint32_t rate) {
  counted_ids ids;
  counters count;
  voice_input input{std::make_unique<loudness>(), ids, count};
  witness += input.begin_stream("mic", 0, {}).size();
  for (std::size_t at = 0; at < data.size(); at += rate / 10)
    for (const auto& step : input.push(samples_view{data}.subspan(at, rate / 10), rate))
      if (const auto* edge = std::get_if<speech_edge>(&step);
          edge != nullptr && edge->kind == edge_kind::ended)
        witness += input.settle(edge->utterance).size();
}

void speak(const samples& data, std::uint32_t rate, voice_output_settings settings,
           sound_encoding encoding) {
  voice_output output{settings};
  voice_output::time now{1h};
  for (std::size_t at = 0; at < data.size(); at += rate / 10) {
    speech_sound piece;
    piece.response = "resp";
    piece.item = "item";
    piece.piece.data = std::make_shared<const samples>(
      data.begin() + static_cast<std::ptrdiff_t>(at),
      data.begin() + static_cast<std::ptrdiff_t>(std::min(at + rate / 10, data.size())));
    piece.piece.rate = rate;
    piece.text_end = at / 1600;
    output.add(piece);
    for (const auto& frame : output.tick(now).frames)
      witness += encode_sound(frame.data, encoding).size();
    now += 100ms;
  }
}

void print(const char* part, const std::function<void()>& run) {
  std::vector<double> costs;
  for (int round = 0; round < 15; ++round) {
    const auto before = cpu_us();
    run();
    costs.push_back((cpu_us() - before) / seconds);
  }
  std::sort(costs.begin(), costs.end());
  std::printf("| %-44s | %7.1f | %7.1f |\n", part, costs.front(), costs[costs.size() / 2]);
}

} // namespace

int main() {
  const auto at_16 = talk(16'000);
  const auto at_24 = talk(24'000);
  const auto at_8 = talk(8000);
  const auto pcm = encoded(at_24, 2400, sound_encoding::pcm16);
  const auto pcmu = encoded(at_8, 800, sound_encoding::pcmu);
  const voice_output_settings own{.rate = 24'000, .lead = 200ms, .frame = 100ms, .reports = true};
  std::printf("CPU per second of sound, in us; pieces of 100 ms, %zu s a round, 15 rounds\n\n",
              seconds);
  std::printf("| %-44s | %7s | %7s |\n| --- | ---: | ---: |\n", "part", "best", "median");
  print("decode pcm16, 24 kHz", [&] { decode_all(pcm, sound_encoding::pcm16); });
  print("decode pcmu, 8 kHz", [&] { decode_all(pcmu, sound_encoding::pcmu); });
  print("resample 24 to 16 kHz", [&] { resample(at_24, 24'000, 16'000); });
  print("resample 8 to 16 kHz", [&] { resample(at_8, 8000, 16'000); });
  print("speech edges", [&] { find_edges(); });
  print("way in without decode and model, 16 kHz", [&] { listen(at_16, 16'000); });
  print("way in without decode and model, 24 kHz", [&] { listen(at_24, 24'000); });
  print("pace and encode pcm16, 24 kHz", [&] { //
    speak(at_24, 24'000, own, sound_encoding::pcm16);
  });
  print("resample 16 to 24 kHz, pace, encode pcm16", [&] { //
    speak(at_16, 16'000, own, sound_encoding::pcm16);
  });
  print("resample 16 to 8 kHz, pace, encode pcmu",
        [&] { speak(at_16, 16'000, {.rate = 8000}, sound_encoding::pcmu); });
  return witness == 0 ? 1 : 0;
}
