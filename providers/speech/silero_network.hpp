#pragma once

#include "config/result.hpp"
#include "providers/vad.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

/// Silero's voice activity network (v6, 16 kHz) as arithmetic of our own over the published
/// weights: a third of the time of a general runtime, and no library of 35 MB.
namespace sidevoice {

/// New samples are looked at behind the last 64 of the frame before.
inline constexpr std::size_t silero_context = 64;
inline constexpr std::size_t silero_units = 128;

/// What one stream remembers; a new one has heard silence.
struct silero_memory {
  std::array<float, silero_units> hidden{};
  std::array<float, silero_units> cell{};
  std::array<std::int16_t, silero_context> context{};
};

/// Which instructions the pass is made of. All give the same probabilities but for rounding.
enum class silero_code {
  /// The best that this machine has.
  best,
  /// What every machine has: for tests and for other processors.
  portable,
};

struct silero_weights;

/// The weights, laid out for the pass. Constant once read: any number of threads.
class silero_network {
public:
  /// Takes the bytes of the ONNX file. Error `damaged`: not an ONNX file, cut off, or another
  /// network's.
  static result<silero_network> read(std::string_view model, silero_code code = silero_code::best);

  silero_network(silero_network&&) noexcept;
  silero_network& operator=(silero_network&&) noexcept;
  silero_network(const silero_network&) = delete;
  silero_network& operator=(const silero_network&) = delete;
  ~silero_network();

  /// Probability of speech in the next frame of the stream whose memory this is.
  float run(silero_memory& memory, std::span<const std::int16_t, vad_frame> frame) const;

  /// Such as "avx2" or "portable".
  [[nodiscard]] const char* code() const;

private:
  explicit silero_network(std::unique_ptr<const silero_weights> weights, silero_code code);

  std::unique_ptr<const silero_weights> weights_;
  bool is_wide_ = false;
};

} // namespace sidevoice
