#pragma once

#include "providers/speech/silero_network.hpp"

#include <cstddef>
#include <vector>

/// The arithmetic of silero_network, and the layout of the weights that it wants.
namespace sidevoice {

/// A matrix for products with one, two or four rows of inputs. Outputs come in panels of `width`,
/// which are as many as the accumulators that fit into registers; a panel holds the biases, then a
/// line of `width` weights for each input, one behind the other as the product reads them.
class packed_matrix {
public:
  /// Whole vectors, so that no load crosses a cache line.
  struct alignas(64) line {
    std::array<float, 16> at{};
  };

  packed_matrix() = default;
  packed_matrix(std::size_t inputs, std::size_t outputs, std::size_t width)
      : inputs_(inputs),
        width_(width),
        panels_((outputs + width - 1) / width),
        lines_(panels_ * (inputs + 1) * width / 16) {}

  float& bias(std::size_t output) {
    return place(output, 0);
  }

  float& weight(std::size_t output, std::size_t input) {
    return place(output, input + 1);
  }

  [[nodiscard]] std::size_t inputs() const {
    return inputs_;
  }

  [[nodiscard]] std::size_t panels() const {
    return panels_;
  }

  [[nodiscard]] const float* values() const {
    return lines_.data()->at.data();
  }

private:
  float& place(std::size_t output, std::size_t row) {
    const auto at = (output / width_ * (inputs_ + 1) + row) * width_ + output % width_;
    return lines_[at / 16].at[at % 16];
  }

  std::size_t inputs_ = 0;
  std::size_t width_ = 16;
  std::size_t panels_ = 0;
  std::vector<line> lines_;
};

inline constexpr std::size_t silero_bins = 129;
/// Bins with their panel's padding.
inline constexpr std::size_t silero_bins_padded = 144;

struct silero_weights {
  /// Of 129 folded samples: the basis is even in its real rows and odd in its imaginary ones, so
  /// sample n and 256 - n share a weight.
  packed_matrix real{silero_bins, silero_bins, 16};
  packed_matrix imaginary{silero_bins, silero_bins, 16};
  /// 3 times in a row x 129 bins -> 128, at four times.
  packed_matrix encode_0{3 * silero_bins, 128, 16};
  /// 3 x 128 -> 64, at two times.
  packed_matrix encode_1{3 * 128UL, 64, 32};
  /// 2 x 64 -> 64, once: the third tap of both of these sees only padding.
  packed_matrix encode_2{2 * 64UL, 64, 64};
  packed_matrix encode_3{64, 128, 64};
  /// Features and hidden state -> gates i, f, g, o.
  packed_matrix gates{2 * silero_units, 4 * silero_units, 64};
  std::array<float, silero_units> decode{};
  float decode_bias = 0;
};

/// One frame with the instructions that every machine of this architecture has.
float silero_pass_portable(const silero_weights& weights, silero_memory& memory,
                           std::span<const std::int16_t, vad_frame> frame);

/// Whether this machine has wider ones that `silero_pass_wide` uses.
bool has_wide_silero_pass();
float silero_pass_wide(const silero_weights& weights, silero_memory& memory,
                       std::span<const std::int16_t, vad_frame> frame);

} // namespace sidevoice
