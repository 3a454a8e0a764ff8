#include "providers/speech/energy_gate.hpp"
#include "tests/providers/vad_conformance.hpp"

namespace sidevoice {

namespace {

using vad_conformance::above;
using vad_conformance::listen;
using vad_conformance::probabilities;

probabilities tail(const probabilities& of, std::size_t count) {
  return {of.end() - static_cast<std::ptrdiff_t>(count), of.end()};
}

} // namespace

TEST_CASE("the energy gate does what every voice activity engine does") {
  const auto engine = make_energy_gate();
  CHECK(engine->name() == "energy");
  vad_conformance::run_all(*engine);
}

TEST_CASE(
  "the energy gate gets used to steady noise within four seconds, and hears speech over it") {
  const auto stream = make_energy_gate()->open();
  const auto hum = speech_models::noise(4 * speech_rate, 1200);
  const auto heard = listen(*stream, hum);
  CHECK(above({heard.begin(), heard.begin() + 10}, 0.5F) > 0);
  CHECK(above(tail(heard, 15), 0.1F) == 0);
  auto speech = speech_models::berlin();
  for (std::size_t i = 0; i < speech.size(); ++i)
    speech[i] = static_cast<std::int16_t>(speech[i] / 2 + hum[i]);
  const auto spoken = listen(*stream, speech);
  CHECK(above(spoken, 0.5F) > spoken.size() / 3);
  CHECK(above(tail(listen(*stream, hum), 20), 0.1F) == 0);
}

TEST_CASE("the energy gate takes half a minute of speech for speech, not for noise") {
  const auto stream = make_energy_gate()->open();
  const auto sentence = speech_models::berlin();
  probabilities last;
  for (int i = 0; i < 16; ++i)
    last = listen(*stream, sentence);
  CHECK(above(last, 0.5F) > last.size() / 2);
}

TEST_CASE("the energy gate does not hear an offset of the sound card") {
  const auto stream = make_energy_gate()->open();
  CHECK(above(listen(*stream, samples(speech_rate, 9000)), 0.1F) == 0);
}

TEST_CASE("the energy gate bridges a pause of a tenth of a second within speech") {
  const auto stream = make_energy_gate()->open();
  listen(*stream, samples(speech_rate, 0));
  const auto voice = speech_models::noise(10 * vad_frame, 6000);
  CHECK(listen(*stream, voice).back() > 0.9F);
  CHECK(listen(*stream, samples(3 * vad_frame, 0)).back() > 0.35F);
  CHECK(listen(*stream, samples(7 * vad_frame, 0)).back() < 0.35F);
}

} // namespace sidevoice
