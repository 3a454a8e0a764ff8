#pragma once

#include "providers/sound.hpp"

#include <cstddef>
#include <vector>

namespace sidevoice {

/// What smart-turn hears: Whisper's features of the newest 8 s. Constant once made: any number of
/// threads.
class log_mel {
public:
  static constexpr std::size_t bands = 80;
  /// Every 10 ms.
  static constexpr std::size_t moments = 800;
  static constexpr std::size_t samples_max = 8 * std::size_t{speech_rate};

  log_mel();

  /// Logarithmic energies, band by band, each with its 800 moments. The newest 8 s of the sound
  /// count; shorter sound stands at the end, behind silence. All of it is brought to mean 0 and
  /// variance 1 first, so that loudness does not matter.
  [[nodiscard]] std::vector<float> of(samples_view sound) const;

private:
  struct complex {
    double re = 0;
    double im = 0;
  };
  /// A band's triangle over the spectrum: weights from the bin `first` on.
  struct triangle {
    std::size_t first = 0;
    std::vector<double> weights;
  };

  void transform(std::vector<complex>& x, std::vector<complex>& scratch) const;
  void add_energies(const std::vector<complex>& spectrum, std::size_t moment, std::size_t count,
                    std::vector<double>& out) const;

  std::vector<double> window_;
  /// e^(-2 pi i n / 400)
  std::vector<complex> roots_;
  std::vector<triangle> triangles_;
};

} // namespace sidevoice
