#include "providers/speech/silero_pass.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

// One source, compiled for each set of instructions: everything below is inlined into the entries
// at the end, of which one may use AVX2 and FMA. Vectors travel by reference, since how they are
// passed by value differs between the sets.
#define SIDEVOICE_INLINE [[gnu::always_inline]] inline
#if defined(__clang__)
#  define SIDEVOICE_UNROLL _Pragma("unroll")
#else
#  define SIDEVOICE_UNROLL _Pragma("GCC unroll 8")
#endif

namespace sidevoice {

namespace {

/// A vector of floats, and one of integers of the same size: eight where AVX2 is used, else four,
/// which every 64-bit machine has.
struct eight {
  using floats = float __attribute__((vector_size(32)));
  using ints = std::int32_t __attribute__((vector_size(32)));
};
struct four {
  using floats = float __attribute__((vector_size(16)));
  using ints = std::int32_t __attribute__((vector_size(16)));
};

template <class Wide>
constexpr std::size_t lanes = sizeof(typename Wide::floats) / sizeof(float);

/// What fits into registers beside inputs and weights.
constexpr std::size_t accumulators = 8;

template <class Floats>
SIDEVOICE_INLINE void load(Floats& to, const float* from) {
  std::memcpy(&to, from, sizeof to);
}

template <class Floats>
SIDEVOICE_INLINE void store(float* to, const Floats& from) {
  std::memcpy(to, &from, sizeof from);
}

/// out[r] = bias + in[r] x weights for each of the rows, which lie `in_step` and `out_step` apart.
/// A panel is gone through once with vectors of eight, twice with vectors of four.
template <class Wide, std::size_t Rows>
SIDEVOICE_INLINE void multiply(const packed_matrix& weights, const float* in, std::size_t in_step,
                               float* out, std::size_t out_step) {
  using floats = typename Wide::floats;
  constexpr auto vectors = accumulators / Rows;
  constexpr auto part = vectors * lanes<Wide>;
  constexpr auto width = vectors * lanes<eight>;
  const auto inputs = weights.inputs();
  const auto parts = weights.panels() * (width / part);
  for (std::size_t at = 0; at < parts; ++at, out += part) {
    const auto* w = weights.values() + at / (width / part) * (inputs + 1) * width
                    + at % (width / part) * part;
    floats sum[Rows][vectors]; // NOLINT(modernize-avoid-c-arrays): must become registers
    SIDEVOICE_UNROLL
    for (std::size_t v = 0; v < vectors; ++v) {
      floats bias;
      load(bias, w + v * lanes<Wide>);
      SIDEVOICE_UNROLL
      for (std::size_t r = 0; r < Rows; ++r)
        sum[r][v] = bias;
    }
    w += width;
    for (std::size_t i = 0; i < inputs; ++i, w += width) {
      SIDEVOICE_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) {
        floats weight;
        load(weight, w + v * lanes<Wide>);
        SIDEVOICE_UNROLL
        for (std::size_t r = 0; r < Rows; ++r)
          sum[r][v] += in[r * in_step + i] * weight;
      }
    }
    SIDEVOICE_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      SIDEVOICE_UNROLL
      for (std::size_t v = 0; v < vectors; ++v)
        store(out + r * out_step + v * lanes<Wide>, sum[r][v]);
    }
  }
}

/// Negative values become zero. `count` is a multiple of eight.
template <class Wide>
SIDEVOICE_INLINE void rectify(float* at, std::size_t count) {
  const typename Wide::floats zero{};
  for (std::size_t i = 0; i < count; i += lanes<Wide>) {
    typename Wide::floats x;
    load(x, at + i);
    x = x > zero ? x : zero;
    store(at + i, x);
  }
}

/// x becomes 1 / (1 + e^-x); the error is a few units of the last place.
template <class Wide>
SIDEVOICE_INLINE void squash(typename Wide::floats& x) {
  using floats = typename Wide::floats;
  const floats limit = floats{} + 80.0F;
  x = x > limit ? limit : x;
  x = x < -limit ? -limit : x;
  // e^-x = 2^n * e^r with |r| <= ln(2) / 2. Adding 1.5 * 2^23 rounds to a whole number, which then
  // stands in the lowest bits.
  const floats magic = floats{} + 12582912.0F;
  const floats shifted = x * -1.44269504F + magic;
  const floats n = shifted - magic;
  const floats r = -x - n * 0.693359375F + n * 2.12194440e-4F;
  floats e = floats{} + 1.0F / 720;
  e = e * r + 1.0F / 120;
  e = e * r + 1.0F / 24;
  e = e * r + 1.0F / 6;
  e = e * r + 0.5F;
  e = e * r + 1.0F;
  e = e * r + 1.0F;
  typename Wide::ints exponent;
  std::memcpy(&exponent, &shifted, sizeof exponent);
  exponent = (exponent + 127) << 23;
  floats power;
  std::memcpy(&power, &exponent, sizeof power);
  x = 1.0F / (1.0F + e * power);
}

/// The cell of the LSTM: gates are i, f, g, o, each of silero_units.
template <class Wide>
SIDEVOICE_INLINE void remember(const float* gates, silero_memory& memory) {
  using floats = typename Wide::floats;
  for (std::size_t u = 0; u < silero_units; u += lanes<Wide>) {
    floats input;
    floats forget;
    floats fresh;
    floats output;
    floats cell;
    load(input, gates + u);
    load(forget, gates + silero_units + u);
    load(fresh, gates + 2 * silero_units + u);
    load(output, gates + 3 * silero_units + u);
    load(cell, memory.cell.data() + u);
    squash<Wide>(input);
    squash<Wide>(forget);
    squash<Wide>(output);
    // tanh(x) = 2 / (1 + e^-2x) - 1
    fresh *= 2.0F;
    squash<Wide>(fresh);
    cell = forget * cell + input * (2.0F * fresh - 1.0F);
    store(memory.cell.data() + u, cell);
    cell *= 2.0F;
    squash<Wide>(cell);
    cell = output * (2.0F * cell - 1.0F);
    store(memory.hidden.data() + u, cell);
  }
}

constexpr std::size_t window = 256;
constexpr std::size_t hop = 128;
constexpr std::size_t columns = 4;
/// Context and frame, and as many again, mirrored, as the last window lacks.
constexpr std::size_t heard = silero_context + vad_frame;
constexpr std::size_t padded = heard + 64;
static_assert(padded == window + hop * (columns - 1));

/// Sums and differences of the samples that share a weight, for each column.
struct folded_samples {
  std::array<float, columns * silero_bins> even;
  std::array<float, columns * silero_bins> odd;
};

SIDEVOICE_INLINE void fold(const float* sound, folded_samples& to) {
  for (std::size_t column = 0; column < columns; ++column) {
    const auto* x = sound + column * hop;
    auto* even = to.even.data() + column * silero_bins;
    auto* odd = to.odd.data() + column * silero_bins;
    even[0] = x[0];
    odd[0] = 0;
    for (std::size_t n = 1; n < window / 2; ++n) {
      even[n] = x[n] + x[window - n];
      odd[n] = x[n] - x[window - n];
    }
    even[window / 2] = x[window / 2];
    odd[window / 2] = 0;
  }
}

/// Context and new samples as numbers of -1 to 1; keeps the context of the next frame.
SIDEVOICE_INLINE void hear(silero_memory& memory, const std::int16_t* frame, float* sound) {
  constexpr float scale = 1.0F / 32768;
  for (std::size_t i = 0; i < silero_context; ++i)
    sound[i] = static_cast<float>(memory.context[i]) * scale;
  for (std::size_t i = 0; i < vad_frame; ++i)
    sound[silero_context + i] = static_cast<float>(frame[i]) * scale;
  for (std::size_t i = 0; i < padded - heard; ++i)
    sound[heard + i] = sound[heard - 2 - i];
  std::memcpy(memory.context.data(), frame + vad_frame - silero_context, sizeof memory.context);
}

/// Magnitudes of the spectrum, a row of bins for each column.
template <class Wide>
SIDEVOICE_INLINE void spectrum(const silero_weights& weights, const float* sound, float* to) {
  folded_samples folded; // NOLINT(cppcoreguidelines-pro-type-member-init): fold writes all of it
  fold(sound, folded);
  alignas(64) std::array<float, columns * silero_bins_padded> real;
  alignas(64) std::array<float, columns * silero_bins_padded> imaginary;
  multiply<Wide, 4>(weights.real, folded.even.data(), silero_bins, real.data(), silero_bins_padded);
  multiply<Wide, 4>(weights.imaginary, folded.odd.data(), silero_bins, imaginary.data(),
                    silero_bins_padded);
  for (std::size_t column = 0; column < columns; ++column) {
    const auto* re = real.data() + column * silero_bins_padded;
    const auto* im = imaginary.data() + column * silero_bins_padded;
    for (std::size_t bin = 0; bin < silero_bins; ++bin)
      to[column * silero_bins + bin] = std::sqrt(re[bin] * re[bin] + im[bin] * im[bin]);
  }
}

template <class Wide>
SIDEVOICE_INLINE float
pass(const silero_weights& weights, silero_memory& memory, const std::int16_t* frame) {
  alignas(64) std::array<float, padded> sound;
  hear(memory, frame, sound.data());
  // A row of zeros before and behind the columns makes each convolution a plain product: the three
  // taps of a column are one run of inputs.
  alignas(64) std::array<float, (columns + 2) * silero_bins> bins{};
  spectrum<Wide>(weights, sound.data(), bins.data() + silero_bins);
  alignas(64) std::array<float, 6 * 128UL> first{};
  multiply<Wide, 4>(weights.encode_0, bins.data(), silero_bins, first.data() + 128, 128);
  rectify<Wide>(first.data() + 128, 4 * 128UL);
  alignas(64) std::array<float, 2 * 64UL> second;
  multiply<Wide, 2>(weights.encode_1, first.data(), 2 * 128UL, second.data(), 64);
  rectify<Wide>(second.data(), second.size());
  alignas(64) std::array<float, 64> third;
  multiply<Wide, 1>(weights.encode_2, second.data(), 0, third.data(), 0);
  rectify<Wide>(third.data(), third.size());
  alignas(64) std::array<float, 2 * silero_units> features;
  multiply<Wide, 1>(weights.encode_3, third.data(), 0, features.data(), 0);
  rectify<Wide>(features.data(), silero_units);
  std::memcpy(features.data() + silero_units, memory.hidden.data(), sizeof memory.hidden);
  alignas(64) std::array<float, 4 * silero_units> gates;
  multiply<Wide, 1>(weights.gates, features.data(), 0, gates.data(), 0);
  remember<Wide>(gates.data(), memory);
  float sum = weights.decode_bias;
  for (std::size_t u = 0; u < silero_units; ++u)
    sum += std::max(memory.hidden[u], 0.0F) * weights.decode[u];
  return 1.0F / (1.0F + std::exp(-sum));
}

} // namespace

float silero_pass_portable(const silero_weights& weights, silero_memory& memory,
                           std::span<const std::int16_t, vad_frame> frame) {
  return pass<four>(weights, memory, frame.data());
}

#if defined(__x86_64__)

bool has_wide_silero_pass() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

[[gnu::target("avx2,fma")]] float silero_pass_wide(const silero_weights& weights,
                                                   silero_memory& memory,
                                                   std::span<const std::int16_t, vad_frame> frame) {
  return pass<eight>(weights, memory, frame.data());
}

#else

bool has_wide_silero_pass() {
  return false;
}

float silero_pass_wide(const silero_weights& weights, silero_memory& memory,
                       std::span<const std::int16_t, vad_frame> frame) {
  return pass<four>(weights, memory, frame.data());
}

#endif

} // namespace sidevoice
