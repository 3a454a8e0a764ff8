#include "providers/speech/energy_gate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace sidevoice {

namespace {

/// Loudness in dB below full scale. What is taken for noise lies between these two: a silent line
/// must not make a whisper of noise look loud, and steady speech must not become noise.
constexpr float noise_min = -65;
constexpr float noise_max = -25;
/// What the noise is taken for until something has been heard.
constexpr float noise_first = -50;
/// A frame this far above the noise is as likely speech as not, and one step further up makes it
/// e times as likely.
constexpr float margin = 12;
constexpr float step = 2;
/// Share of the way that the probability goes in one frame, up and down.
constexpr float attack = 0.7F;
constexpr float release = 0.2F;

/// The quietest frame of the last 3 s, in blocks of a quarter of a second.
class noise_floor {
public:
  float take(float level) {
    blocks_[at_] = std::min(blocks_[at_], level);
    const auto quietest = *std::min_element(blocks_.begin(), blocks_.end());
    if (++frames_ == block_frames) {
      frames_ = 0;
      at_ = (at_ + 1) % blocks_.size();
      blocks_[at_] = level;
    }
    return std::clamp(quietest, noise_min, noise_max);
  }

private:
  static constexpr std::size_t block_frames = 8;
  static constexpr std::size_t block_count = 12;

  static constexpr std::array<float, block_count> first() {
    std::array<float, block_count> out{};
    out.fill(noise_first);
    return out;
  }

  std::array<float, block_count> blocks_ = first();
  std::size_t at_ = 0;
  std::size_t frames_ = 0;
};

/// Loudness of the frame without its offset: some sound cards have one that outshouts a voice.
float level_of(std::span<const std::int16_t, vad_frame> frame) {
  std::int64_t sum = 0;
  std::int64_t squares = 0;
  for (const std::int64_t sample : frame) {
    sum += sample;
    squares += sample * sample;
  }
  constexpr double count = vad_frame;
  const auto mean = static_cast<double>(sum) / count;
  const auto variance = static_cast<double>(squares) / count - mean * mean;
  constexpr double full = 32768.0 * 32768.0;
  return static_cast<float>(10 * std::log10(std::max(variance, 0.0) / full + 1e-9));
}

class gate_stream final : public vad_stream {
public:
  float push(std::span<const std::int16_t, vad_frame> frame) override {
    const auto level = level_of(frame);
    const auto above = level - floor_.take(level) - margin;
    const auto likely = 1 / (1 + std::exp(-above / step));
    probability_ += (likely > probability_ ? attack : release) * (likely - probability_);
    return probability_;
  }

  void reset() override {
    *this = {};
  }

private:
  noise_floor floor_;
  float probability_ = 0;
};

class gate_engine final : public vad_engine {
public:
  [[nodiscard]] std::unique_ptr<vad_stream> open() const override {
    return std::make_unique<gate_stream>();
  }

  [[nodiscard]] std::string name() const override {
    return "energy";
  }
};

} // namespace

std::unique_ptr<vad_engine> make_energy_gate() {
  return std::make_unique<gate_engine>();
}

} // namespace sidevoice
