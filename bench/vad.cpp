// Voice activity of one stream, our own pass and ONNX Runtime in turn: what a frame of 32 ms costs.
// Prints a line a round and the medians.
#include "providers/speech/onnx_runtime.hpp"
#include "providers/speech/silero_network.hpp"
#include "tests/providers/silero_reference.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace sidevoice;

std::string bytes_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

/// Samples of a plain WAV file with a header of 44 bytes, on a little-endian machine.
samples sound_of(const std::string& path) {
  const auto bytes = bytes_of(path);
  if (bytes.size() < 44 + 2 * vad_frame)
    throw std::runtime_error{"no sound in " + path};
  samples out((bytes.size() - 44) / 2);
  std::memcpy(out.data(), bytes.data() + 44, out.size() * 2);
  return out;
}

struct cost {
  double wall_us = 0;
  double cpu_us = 0;
  float probability = 0;
};

double cpu_now_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

using engine = std::function<float(std::span<const std::int16_t, vad_frame>)>;

/// The sound again and again; the mean cost of a frame.
cost measure(const engine& push, const samples& sound, int frames) {
  cost out;
  const auto cpu = cpu_now_us();
  const auto wall = std::chrono::steady_clock::now();
  std::size_t at = 0;
  for (int i = 0; i < frames; ++i, at += vad_frame) {
    if (at + vad_frame > sound.size())
      at = 0;
    out.probability += push(std::span<const std::int16_t, vad_frame>{&sound[at], vad_frame});
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - wall;
  out.wall_us = spent.count() / frames;
  out.cpu_us = (cpu_now_us() - cpu) / frames;
  out.probability /= static_cast<float>(frames);
  return out;
}

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

struct contestant {
  std::string name;
  engine push;
  std::vector<double> wall;
  std::vector<double> cpu;
};

void run(const std::string& models, const std::string& wav, int rounds, int frames) {
  const auto path = models + "/silero_vad_16k_op15.onnx";
  const auto bytes = bytes_of(path);
  const auto sound = sound_of(wav);
  const auto wide = silero_network::read(bytes).value();
  const auto portable = silero_network::read(bytes, silero_code::portable).value();
  const auto runtime = open_onnx_runtime(models + "/libonnxruntime.so").value();
  const auto session = runtime->open(path).value();
  silero_memory wide_memory;
  silero_memory portable_memory;
  silero_reference reference{*session};
  std::vector<contestant> all{
    {std::string{"own "} + wide.code(), [&](auto frame) { return wide.run(wide_memory, frame); }},
    {std::string{"own "} + portable.code(),
     [&](auto frame) { return portable.run(portable_memory, frame); }},
    {"ONNX Runtime " + runtime->version(), [&](auto frame) { return reference.push(frame); }},
  };
  // Round 0 warms caches and clocks, and is not counted.
  for (int round = 0; round <= rounds; ++round)
    for (auto& one : all) {
      const auto got = measure(one.push, sound, round == 0 ? frames / 10 : frames);
      if (round == 0)
        continue;
      one.wall.push_back(got.wall_us);
      one.cpu.push_back(got.cpu_us);
      std::printf("round %d  %-20s  wall %7.2f us  cpu %7.2f us  mean probability %.6f\n", round,
                  one.name.c_str(), got.wall_us, got.cpu_us, static_cast<double>(got.probability));
    }
  for (const auto& one : all)
    std::printf("median   %-20s  wall %7.2f us  cpu %7.2f us\n", one.name.c_str(), median(one.wall),
                median(one.cpu));
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Cost of voice activity a frame"};
  std::string models;
  std::string wav;
  int rounds = 7;
  int frames = 2000;
  app.add_option("--models", models, "Folder of the model files")
    ->envname("SIDEVOICE_MODELS")
    ->required();
  app.add_option("--wav", wav, "Sound: 16 kHz, mono, 16 bits")->required();
  app.add_option("--rounds", rounds, "Rounds that count")->check(CLI::Range(5, 1000));
  app.add_option("--frames", frames, "Frames a round")->check(CLI::Range(10, 10'000'000));
  CLI11_PARSE(app, argc, argv);
  try {
    run(models, wav, rounds, frames);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
