#include "bench/percentiles.hpp"
#include "bench/voice_visitor.hpp"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// Load of spoken sessions on a running server: N WebSockets, each a plain Realtime session of its
/// own that speaks a sentence in real time, listens to the answer, and speaks again. One thread.
/// Prints one JSON object: milliseconds of all turns that were begun behind the ramp, violations of
/// the order, and how late this client's own microphones were (a client that slips is no witness).
namespace {

using namespace voice_bench;
using nlohmann::json;

/// Quieter than this is no voice (of 32767).
constexpr int voice_level = 600;

std::string base64(const char* data, std::size_t size) {
  static constexpr char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  const auto byte = [&](std::size_t i) {
    return i < size ? static_cast<unsigned char>(data[i]) : 0U;
  };
  for (std::size_t i = 0; i < size; i += 3) {
    const auto bits = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    out += letters[bits >> 18U];
    out += letters[bits >> 12U & 63U];
    out += i + 1 < size ? letters[bits >> 6U & 63U] : '=';
    out += i + 2 < size ? letters[bits & 63U] : '=';
  }
  return out;
}

frame_ptr append_frame(const std::vector<std::int16_t>& piece) {
  return std::make_shared<const std::string>(
    R"({"type":"input_audio_buffer.append","audio":")"
    + base64(reinterpret_cast<const char*>(piece.data()), piece.size() * 2) + "\"}");
}

/// The sentence, PCM16 at 24 kHz without a header, as frames that are made once.
microphone load_sentence(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  std::vector<std::int16_t> sound(bytes.size() / 2);
  std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(sound.size() * 2),
            reinterpret_cast<char*>(sound.data()));
  const auto is_voice = [](std::int16_t s) { return s > voice_level || s < -voice_level; };
  const auto last = std::find_if(sound.rbegin(), sound.rend(), is_voice);
  if (last == sound.rend())
    throw std::runtime_error(file + " holds no voice: PCM16 at 24 kHz is expected");
  microphone out;
  out.voice_ms = static_cast<std::size_t>(std::distance(last, sound.rend())) * 1000 / mic_rate;
  const auto piece = std::size_t{mic_rate} * tick_ms / 1000;
  sound.resize((sound.size() + piece - 1) / piece * piece);
  for (std::size_t at = 0; at < sound.size(); at += piece)
    out.sentence.push_back(append_frame({sound.begin() + static_cast<std::ptrdiff_t>(at),
                                         sound.begin() + static_cast<std::ptrdiff_t>(at + piece)}));
  out.silence = append_frame(std::vector<std::int16_t>(piece));
  return out;
}

json report(const load_options& options, tally& count) {
  return {{"sessions", options.sessions},
          {"seconds", options.seconds},
          {"turns", count.turns},
          {"interruptions", count.interruptions},
          {"violations", count.violations},
          {"errors", count.errors},
          {"voice_to_sound_ms", percentiles(count.voice_to_sound)},
          {"stopped_ms", percentiles(count.stopped)},
          {"stopped_to_transcript_ms", percentiles(count.stopped_to_transcript)},
          {"transcript_to_sound_ms", percentiles(count.transcript_to_sound)},
          {"share_ms", percentiles(count.share)},
          {"append_to_started_ms", percentiles(count.append_to_started)},
          {"started_to_last_sound_ms", percentiles(count.started_to_last)},
          {"sound_after_started_ms", percentiles(count.sound_after_started)},
          {"client_slip_ms", percentiles(count.slip)}};
}

} // namespace

int main(int argc, char** argv) {
  load_options options;
  std::string sentence;
  CLI::App cli{"Load of spoken sessions on a running server"};
  cli.add_option("--port", options.port)->required();
  cli.add_option("--key", options.key)->required();
  cli.add_option("--app", options.app);
  cli.add_option("--sound", sentence, "PCM16 at 24 kHz, mono, no header")->required();
  cli.add_option("--sessions", options.sessions);
  cli.add_option("--seconds", options.seconds, "Turns that begin within so long after the ramp");
  cli.add_option("--ramp", options.ramp_s, "Seconds in which the sessions begin");
  cli.add_option("--silence-ms", options.silence_ms, "silence_duration_ms of the sessions");
  cli.add_option("--engines-ms", options.engines_ms, "What scripted engines take themselves");
  cli.add_option("--interrupt-every", options.interrupt_every,
                 "Talk over every n-th answer after its first second; 0: never");
  CLI11_PARSE(cli, argc, argv);
  microphone mic;
  try {
    mic = load_sentence(sentence);
  } catch (const std::exception& e) {
    std::cerr << "voice_load: " << e.what() << '\n';
    return 2;
  }

  asio::io_context io{1};
  tally count;
  const auto begin = steady::now();
  count.from = begin + std::chrono::seconds{options.ramp_s};
  count.until = count.from + std::chrono::seconds{options.seconds};
  std::vector<std::shared_ptr<visitor>> visitors;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    visitors.push_back(visitor::make(io, options, mic, count, i));
    visitors.back()->start(
      begin + std::chrono::microseconds{i * options.ramp_s * 1'000'000 / options.sessions});
  }
  io.run();
  std::cout << report(options, count).dump(2) << '\n';
  return count.errors + count.violations == 0 ? 0 : 1;
}
