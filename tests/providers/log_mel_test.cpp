#include "providers/speech/log_mel.hpp"

#include "tests/providers/speech_models.hpp"

#include <algorithm>
#include <cmath>

namespace sidevoice {

namespace {

/// Three seconds of noise and pauses from whole numbers, the same in every language.
samples test_sound() {
  samples out(48'000);
  for (std::int64_t i = 0; i < 48'000; ++i)
    if (i / 4000 % 3 != 2)
      out[static_cast<std::size_t>(i)] =
        static_cast<std::int16_t>((i * i * 7 + i * 131) % 20'011 - 10'005);
  return out;
}

float greatest_difference(const std::vector<float>& one, const std::vector<float>& other) {
  float out = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    out = std::max(out, std::abs(one[i] - other[i]));
  return out;
}

} // namespace

TEST_CASE("the features are those that Whisper's extractor makes of the same sound") {
  struct place {
    std::size_t band;
    std::size_t moment;
    float value;
  };
  // From the reference implementation in Python, in double precision.
  constexpr place places[]{
    {0, 0, 0.357160F},    {0, 499, 0.853105F},   {5, 500, 1.465680F},  {10, 501, 1.183966F},
    {20, 520, 1.031672F}, {40, 560, -0.338093F}, {79, 600, 1.249888F}, {79, 799, -0.338093F},
    {0, 799, 0.357160F},  {33, 650, 1.081008F},  {60, 700, 1.207248F}, {12, 777, -0.338093F},
  };
  const auto got = log_mel{}.of(test_sound());
  REQUIRE(got.size() == log_mel::bands * log_mel::moments);
  for (const auto& [band, moment, value] : places)
    CHECK(got[band * log_mel::moments + moment] == doctest::Approx(value).epsilon(1e-4));
}

TEST_CASE("only the newest eight seconds count") {
  const log_mel features;
  samples newest = speech_models::noise(log_mel::samples_max, 4000);
  samples longer = speech_models::noise(12'345, 20'000);
  speech_models::append(longer, newest);
  CHECK(features.of(longer) == features.of(newest));
}

TEST_CASE("short sound is the same as with silence in front of it") {
  const log_mel features;
  const auto sound = test_sound();
  for (const auto size : {1U, 159U, 160U, 161U, 399U, 4001U, 30'000U}) {
    const samples one(sound.begin(), sound.begin() + size);
    samples padded(log_mel::samples_max - size, 0);
    speech_models::append(padded, one);
    CHECK(greatest_difference(features.of(one), features.of(padded)) < 1e-5F);
  }
}

TEST_CASE("loudness does not matter") {
  auto half = test_sound();
  for (auto& sample : half)
    sample = static_cast<std::int16_t>(sample / 2 * 2);
  auto whole = half;
  for (auto& sample : half)
    sample = static_cast<std::int16_t>(sample / 2);
  const log_mel features;
  CHECK(greatest_difference(features.of(half), features.of(whole)) < 1e-3F);
}

TEST_CASE("no sound, and silence, have features that are numbers") {
  const log_mel features;
  for (const auto& sound :
       {samples{}, samples(1, 0), samples(200'000, 0), samples(200'000, -32768)})
    for (const auto value : features.of(sound)) {
      REQUIRE(std::isfinite(value));
      REQUIRE(std::abs(value) < 10);
    }
}

} // namespace sidevoice
