#pragma once

#include "gateway/voice_input.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sidevoice {

/// Voice is what is loud: the probability is the frame's peak, full from 4000 on.
class amplitude_vad final : public vad_stream {
public:
  struct tally {
    int frames = 0;
    int resets = 0;
  };

  explicit amplitude_vad(tally& seen) : seen_{seen} {}

  float push(std::span<const std::int16_t, vad_frame> frame) override {
    ++seen_.frames;
    int peak = 0;
    for (const int one : frame)
      peak = std::max(peak, std::abs(one));
    return std::min(1.0F, static_cast<float>(peak) / 4000.0F);
  }

  void reset() override {
    ++seen_.resets;
  }

private:
  tally& seen_;
};

/// A voice_input that listens to "mic" from 0 on, and what came out of it.
struct input_fixture {
  explicit input_fixture(turn_mode mode = turn_mode::silence, voice_input_limits limits = {})
      : input{std::make_unique<amplitude_vad>(tally), ids, count, limits} {
    set(mode);
    begin("mic", 0, 0);
  }

  void set(turn_mode mode) {
    turns.mode = mode;
    input.set_turns(turns);
  }

  void begin(const std::string& stream, std::uint64_t from_ms, std::uint64_t heard_to,
             std::vector<sound_range> heard = {}, std::vector<speech_state> awaited = {}) {
    take(input.begin_stream(stream, from_ms, {stream, heard_to, std::move(heard)},
                            std::move(awaited)));
  }

  /// Sound of one level, in pieces of 20 ms.
  input_fixture& say(int level, std::size_t ms, std::uint32_t rate = 16'000) {
    for (; ms > 0; ms -= std::min<std::size_t>(ms, 20)) {
      const auto piece = std::min<std::size_t>(ms, 20) * rate / 1000;
      take(input.push(samples(piece, static_cast<std::int16_t>(level)), rate));
    }
    return *this;
  }

  bool commit() {
    voice_input::steps out;
    const auto is_done = input.commit(out);
    take(std::move(out));
    return is_done;
  }

  void take(voice_input::steps steps) {
    for (auto& step : steps) {
      if (auto* edge = std::get_if<speech_edge>(&step))
        edges_.push_back(std::move(*edge));
      else if (const auto* begin = std::get_if<feed_begin>(&step))
        feeds_.push_back("begin " + begin->utterance);
      else if (const auto* sound = std::get_if<feed_sound>(&step))
        feed(sound->data);
      else if (std::get_if<feed_end>(&step) != nullptr)
        feeds_.emplace_back("end");
      else if (const auto* cancel = std::get_if<feed_cancel>(&step))
        feeds_.push_back("cancel " + cancel->utterance);
      else if (const auto* to = std::get_if<sound_settled>(&step))
        settled = to->to_ms;
      else if (const auto* probe = std::get_if<speech_probe>(&step))
        probes.push_back(*probe);
    }
  }

  [[nodiscard]] const std::vector<speech_edge>& edges() const {
    return edges_;
  }

  /// Such as "begin item_s0_0, sound, end"; sounds in a row are one.
  [[nodiscard]] std::string feeds() const {
    std::string out;
    for (const auto& one : feeds_)
      out += (out.empty() ? "" : ", ") + one;
    return out;
  }

  [[nodiscard]] std::uint64_t fed_ms() const {
    return sound_ms(fed.size(), speech_rate);
  }

  void forget() {
    edges_.clear();
    feeds_.clear();
    fed.clear();
  }

  amplitude_vad::tally tally;
  counted_ids ids;
  counters count;
  turn_settings turns;
  voice_input input;
  samples fed;
  std::uint64_t settled = 0;
  std::vector<speech_probe> probes;

private:
  void feed(const samples& data) {
    fed.insert(fed.end(), data.begin(), data.end());
    if (feeds_.empty() || feeds_.back() != "sound")
      feeds_.emplace_back("sound");
  }

  std::vector<speech_edge> edges_;
  std::vector<std::string> feeds_;
};

} // namespace sidevoice
