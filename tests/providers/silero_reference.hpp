#pragma once

#include "providers/speech/onnx_runtime.hpp"
#include "providers/speech/silero_network.hpp"

#include <algorithm>
#include <array>

/// What our own pass is measured against, in tests and in bench/.
namespace sidevoice {

/// The published network in ONNX Runtime, one frame a call. Throws where the network is another.
class silero_reference final : public vad_stream {
public:
  explicit silero_reference(onnx_session& network) : network_(network) {}

  float push(std::span<const std::int16_t, vad_frame> frame) override {
    for (std::size_t i = 0; i < vad_frame; ++i)
      input_[silero_context + i] = static_cast<float>(frame[i]) / 32768;
    const std::array inputs{
      onnx_value{"input", {1, silero_context + vad_frame}, std::span<float>{input_}},
      onnx_value{"state", {2, 1, silero_units}, std::span<float>{state_}},
      onnx_value{"sr", {}, std::span<std::int64_t>{rate_}},
    };
    std::array<float, 1> probability{};
    std::array<float, 2 * silero_units> next{};
    const std::array outputs{
      onnx_value{"output", {1, 1}, std::span<float>{probability}},
      onnx_value{"stateN", {2, 1, silero_units}, std::span<float>{next}},
    };
    network_.run(inputs, outputs).value();
    state_ = next;
    std::copy(input_.end() - silero_context, input_.end(), input_.begin());
    return probability[0];
  }

  void reset() override {
    input_ = {};
    state_ = {};
  }

private:
  onnx_session& network_;
  std::array<float, silero_context + vad_frame> input_{};
  std::array<float, 2 * silero_units> state_{};
  std::array<std::int64_t, 1> rate_{speech_rate};
};

} // namespace sidevoice
