#pragma once

#include "providers/vad.hpp"
#include "tests/providers/speech_models.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

/// The comments of providers/vad.hpp, executable; every clause is one function here.
namespace sidevoice::vad_conformance {

using probabilities = std::vector<float>;

/// What the stream says of the sound's whole frames.
inline probabilities listen(vad_stream& stream, const samples& sound) {
  probabilities out;
  for (std::size_t at = 0; at + vad_frame <= sound.size(); at += vad_frame)
    out.push_back(stream.push(std::span<const std::int16_t, vad_frame>{&sound[at], vad_frame}));
  return out;
}

inline std::size_t above(const probabilities& of, float threshold) {
  return static_cast<std::size_t>(
    std::count_if(of.begin(), of.end(), [=](float p) { return p > threshold; }));
}

inline samples alternating(std::size_t count) {
  samples out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = i / 40 % 2 == 0 ? std::int16_t{32767} : std::int16_t{-32768};
  return out;
}

inline void says_a_probability_whatever_it_hears(const vad_engine& engine) {
  constexpr std::size_t count = 40 * vad_frame;
  const std::vector<std::pair<const char*, samples>> sounds{
    {"silence", samples(count, 0)},
    {"the lowest value", samples(count, -32768)},
    {"the highest value", samples(count, 32767)},
    {"a clipped square wave", alternating(count)},
    {"soft noise", speech_models::noise(count, 30)},
    {"loud noise", speech_models::noise(count, 32767)},
    {"speech", speech_models::berlin()},
  };
  // Each in a stream of its own, and all in one, so that each follows on another.
  const auto shared = engine.open();
  for (const auto& [name, sound] : sounds) {
    const std::string what = name;
    CAPTURE(what);
    const auto own = engine.open();
    for (auto* const stream : {own.get(), shared.get()})
      for (const auto p : listen(*stream, sound)) {
        REQUIRE(std::isfinite(p));
        REQUIRE(p >= 0);
        REQUIRE(p <= 1);
      }
  }
}

inline void hears_speech_and_not_silence(const vad_engine& engine) {
  const auto stream = engine.open();
  CHECK(above(listen(*stream, samples(2 * speech_rate, 0)), 0.5F) == 0);
  const auto sentence = listen(*stream, speech_models::berlin());
  CHECK(above(sentence, 0.5F) > sentence.size() / 2);
  const auto after = listen(*stream, samples(speech_rate, 0));
  // The end of a word may ring on; then there is silence.
  CHECK(above(probabilities(after.begin() + 12, after.end()), 0.35F) == 0);
}

inline void is_new_after_a_reset(const vad_engine& engine) {
  const auto sound = speech_models::berlin();
  const auto fresh = listen(*engine.open(), sound);
  // Whatever it has heard, and however often it was reset.
  const auto stream = engine.open();
  for (const auto& before :
       {samples{}, sound, alternating(30 * vad_frame), speech_models::noise(9 * vad_frame, 9000)}) {
    listen(*stream, before);
    stream->reset();
    CHECK(listen(*stream, sound) == fresh);
    stream->reset();
  }
  // And it matters: without a reset, what came before is remembered.
  listen(*stream, sound);
  CHECK(listen(*stream, sound) != fresh);
}

inline void does_not_mix_streams(const vad_engine& engine) {
  const auto speech = speech_models::berlin();
  const auto other = alternating(speech.size());
  const auto alone = listen(*engine.open(), speech);
  const auto other_alone = listen(*engine.open(), other);
  // Frame by frame in turn.
  const auto one = engine.open();
  const auto two = engine.open();
  for (std::size_t frame = 0; frame < alone.size(); ++frame) {
    const auto at = frame * vad_frame;
    CHECK(one->push(std::span<const std::int16_t, vad_frame>{&speech[at], vad_frame})
          == alone[frame]);
    CHECK(two->push(std::span<const std::int16_t, vad_frame>{&other[at], vad_frame})
          == other_alone[frame]);
  }
}

inline void streams_run_on_threads_of_their_own(const vad_engine& engine) {
  const auto speech = speech_models::berlin();
  const auto alone = listen(*engine.open(), speech);
  std::vector<probabilities> heard(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : heard)
      threads.emplace_back([&] { mine = listen(*engine.open(), speech); });
  }
  for (const auto& mine : heard)
    CHECK(mine == alone);
}

inline void run_all(const vad_engine& engine) {
  CHECK_FALSE(engine.name().empty());
  says_a_probability_whatever_it_hears(engine);
  hears_speech_and_not_silence(engine);
  is_new_after_a_reset(engine);
  does_not_mix_streams(engine);
  streams_run_on_threads_of_their_own(engine);
}

} // namespace sidevoice::vad_conformance
