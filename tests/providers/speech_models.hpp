#pragma once

#include "providers/sound.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

/// Models and sound for the tests of local speech.
namespace sidevoice::speech_models {

inline std::filesystem::path folder() {
  if (const auto* const named = std::getenv("SIDEVOICE_MODELS"))
    return named;
  const auto* const home = std::getenv("HOME");
  return std::filesystem::path{home == nullptr ? "" : home} / ".cache" / "sidevoice" / "models";
}

/// Path of a model's file. A missing one skips the test with a message, or fails it where
/// SIDEVOICE_REQUIRE_MODELS is set, as scripts/test.sh does: a test that did not run is no pass.
inline std::optional<std::string> find(const std::string& name) {
  const auto path = folder() / name;
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed))
    return path.string();
  const auto why = "there is no " + path.string()
                   + ": run scripts/models.sh, or set SIDEVOICE_MODELS to the folder that has it";
  if (std::getenv("SIDEVOICE_REQUIRE_MODELS") != nullptr)
    FAIL_CHECK(why);
  else
    MESSAGE("SKIPPED: " << why);
  return std::nullopt;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::string out(std::filesystem::file_size(path), '\0');
  std::ifstream file{path, std::ios::binary};
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  REQUIRE(file.gcount() == static_cast<std::streamsize>(out.size()));
  return out;
}

/// "I would like to move to Berlin.", spoken by flite's slt, 1.87 s at 16 kHz: the samples of
/// tests/providers/sounds/berlin.wav behind its plain header of 44 bytes.
inline samples berlin() {
  const auto bytes =
    bytes_of(std::filesystem::path{SIDEVOICE_SOURCE_DIR} / "tests/providers/sounds/berlin.wav");
  constexpr std::size_t header = 44;
  REQUIRE(bytes.size() > header);
  samples out((bytes.size() - header) / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto low = static_cast<unsigned char>(bytes[header + 2 * i]);
    const auto high = static_cast<unsigned char>(bytes[header + 2 * i + 1]);
    out[i] = std::bit_cast<std::int16_t>(static_cast<std::uint16_t>(low | high << 8));
  }
  return out;
}

/// The same numbers on every machine.
class noise_source {
public:
  /// A sample between -`most` and `most`.
  std::int16_t next(int most) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto drawn = static_cast<std::int64_t>(state_ >> 40U) - (1 << 23);
    return static_cast<std::int16_t>(drawn * most / (1 << 23));
  }

private:
  std::uint64_t state_ = 20;
};

inline samples noise(std::size_t count, int most) {
  noise_source source;
  samples out(count);
  for (auto& sample : out)
    sample = source.next(most);
  return out;
}

inline void append(samples& to, const samples& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Half a minute as a microphone gives it: silence, the sentence at three loudnesses, with and
/// without noise behind it, noise alone, and a clipped one.
inline samples half_a_minute() {
  samples out(16'000, 0);
  const auto sentence = berlin();
  const auto quiet = noise(sentence.size(), 300);
  for (const auto percent : {100, 30, 300})
    for (const auto noisy : {false, true}) {
      for (std::size_t i = 0; i < sentence.size(); ++i) {
        const auto loud = sentence[i] * percent / 100 + (noisy ? quiet[i] : 0);
        out.push_back(static_cast<std::int16_t>(std::clamp(loud, -32768, 32767)));
      }
      append(out, noisy ? noise(12'000, 300) : samples(20'000, 0));
    }
  append(out, noise(40'000, 20'000));
  append(out, samples(40'000, 0));
  append(out, sentence);
  append(out, samples(16'000, 0));
  return out;
}

} // namespace sidevoice::speech_models
