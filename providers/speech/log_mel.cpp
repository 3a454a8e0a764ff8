#include "providers/speech/log_mel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::size_t window_size = 400;
constexpr std::size_t bins = window_size / 2 + 1;
constexpr std::size_t hop = 160;
/// 4 * 4 * 5 * 5 = 400
constexpr std::array<std::size_t, 4> radices{4, 4, 5, 5};
constexpr double energy_min = 1e-10;

/// Slaney's scale: linear up to 1 kHz, logarithmic above.
constexpr double linear_hz = 200.0 / 3;
constexpr double bend_hz = 1000;
constexpr double bend_mel = bend_hz / linear_hz;
const double log_step = std::log(6.4) / 27;

double mel_of(double hz) {
  return hz < bend_hz ? hz / linear_hz : bend_mel + std::log(hz / bend_hz) / log_step;
}

double hz_of(double mel) {
  return mel < bend_mel ? mel * linear_hz : bend_hz * std::exp(log_step * (mel - bend_mel));
}

/// The newest 8 s, padded on the left, with mean 0 and variance 1.
std::vector<double> normalized(samples_view sound) {
  const auto kept = sound.last(std::min(sound.size(), log_mel::samples_max));
  std::vector<double> out(log_mel::samples_max);
  std::transform(kept.begin(), kept.end(), out.end() - static_cast<std::ptrdiff_t>(kept.size()),
                 [](std::int16_t sample) { return sample / 32768.0; });
  constexpr auto count = static_cast<double>(log_mel::samples_max);
  double mean = 0;
  for (const auto x : out)
    mean += x / count;
  double variance = 0;
  for (const auto x : out)
    variance += (x - mean) * (x - mean) / count;
  const auto scale = 1 / std::sqrt(variance + 1e-7);
  for (auto& x : out)
    x = (x - mean) * scale;
  return out;
}

/// Index of a sample, mirrored at both ends.
std::size_t mirrored(std::ptrdiff_t at, std::size_t size) {
  const auto last = static_cast<std::ptrdiff_t>(size) - 1;
  at = std::abs(at);
  return static_cast<std::size_t>(at > last ? 2 * last - at : at);
}

} // namespace

log_mel::log_mel() : window_(window_size), roots_(window_size), triangles_(bands) {
  for (std::size_t n = 0; n < window_size; ++n) {
    const auto angle = 2 * std::numbers::pi * static_cast<double>(n) / window_size;
    window_[n] = 0.5 - 0.5 * std::cos(angle);
    roots_[n] = {std::cos(angle), -std::sin(angle)};
  }
  constexpr double top_hz = speech_rate / 2.0;
  std::vector<double> corner(bands + 2);
  for (std::size_t i = 0; i < corner.size(); ++i)
    corner[i] = hz_of(mel_of(top_hz) * static_cast<double>(i) / (bands + 1));
  for (std::size_t band = 0; band < bands; ++band) {
    const auto* c = &corner[band];
    auto& t = triangles_[band];
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const auto hz = top_hz * static_cast<double>(bin) / (bins - 1);
      const auto weight = std::min((hz - c[0]) / (c[1] - c[0]), (c[2] - hz) / (c[2] - c[1]));
      if (weight <= 0)
        continue;
      if (t.weights.empty())
        t.first = bin;
      t.weights.push_back(weight * 2 / (c[2] - c[0]));
    }
  }
}

/// Stockham's transform: each round takes sums of `radix` values and leaves them sorted, so that
/// nothing has to be reordered.
void log_mel::transform(std::vector<complex>& x, std::vector<complex>& scratch) const {
  std::size_t length = window_size;
  std::size_t stride = 1;
  for (const auto radix : radices) {
    const auto part = length / radix;
    for (std::size_t p = 0; p < part; ++p)
      for (std::size_t k = 0; k < radix; ++k) {
        std::array<complex, 5> turn;
        for (std::size_t j = 0; j < radix; ++j)
          turn[j] = roots_[(p * k * stride + j * k * (window_size / radix)) % window_size];
        for (std::size_t q = 0; q < stride; ++q) {
          complex sum;
          for (std::size_t j = 0; j < radix; ++j) {
            const auto& value = x[q + stride * (p + part * j)];
            sum.re += value.re * turn[j].re - value.im * turn[j].im;
            sum.im += value.re * turn[j].im + value.im * turn[j].re;
          }
          scratch[q + stride * (radix * p + k)] = sum;
        }
      }
    std::swap(x, scratch);
    length = part;
    stride *= radix;
  }
}

/// The spectrum is that of two moments, one as the real and one as the imaginary part. The first of
/// them is written to `count` moments from `moment` on, the second behind them.
void log_mel::add_energies(const std::vector<complex>& spectrum, std::size_t moment,
                           std::size_t count, std::vector<double>& out) const {
  std::array<double, bins> first{};
  std::array<double, bins> second{};
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const auto& a = spectrum[bin];
    const auto& b = spectrum[(window_size - bin) % window_size];
    const auto square = [](double re, double im) { return (re * re + im * im) / 4; };
    first[bin] = square(a.re + b.re, a.im - b.im);
    second[bin] = square(a.im + b.im, b.re - a.re);
  }
  for (std::size_t band = 0; band < bands; ++band) {
    const auto& t = triangles_[band];
    double energy = 0;
    double energy_after = 0;
    for (std::size_t i = 0; i < t.weights.size(); ++i) {
      energy += t.weights[i] * first[t.first + i];
      energy_after += t.weights[i] * second[t.first + i];
    }
    auto* const row = &out[band * moments];
    std::fill_n(row + moment, count, std::log10(std::max(energy, energy_min)));
    if (moment + count < moments)
      row[moment + count] = std::log10(std::max(energy_after, energy_min));
  }
}

std::vector<float> log_mel::of(samples_view sound) const {
  const auto x = normalized(sound);
  std::vector<complex> frame(window_size);
  std::vector<complex> scratch(window_size);
  std::vector<double> energies(bands * moments);
  // Silence in front is the same at each moment whose window ends before the sound begins.
  const auto silent = samples_max - std::min(sound.size(), samples_max);
  const auto same = silent < window_size ? 1
                                         : std::min((silent - window_size / 2) / hop + 1, moments);
  for (std::size_t moment = 0; moment < moments;) {
    const auto count = moment == 0 ? same : 1;
    const auto begin = [](std::size_t of) {
      return static_cast<std::ptrdiff_t>(of * hop) - static_cast<std::ptrdiff_t>(window_size / 2);
    };
    for (std::size_t n = 0; n < window_size; ++n) {
      const auto at = static_cast<std::ptrdiff_t>(n);
      frame[n] = {x[mirrored(begin(moment) + at, x.size())] * window_[n],
                  x[mirrored(begin(moment + count) + at, x.size())] * window_[n]};
    }
    transform(frame, scratch);
    add_energies(frame, moment, count, energies);
    moment += count + 1;
  }
  const auto floor = *std::max_element(energies.begin(), energies.end()) - 8;
  std::vector<float> out(energies.size());
  std::transform(energies.begin(), energies.end(), out.begin(), [floor](double energy) {
    return static_cast<float>((std::max(energy, floor) + 4) / 4);
  });
  return out;
}

} // namespace sidevoice
