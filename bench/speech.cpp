// What the local engines cost: CPU seconds of an utterance, time to the first sound of a sentence,
// memory. One thread, no server. usage: speech_bench [--models DIR] [--rounds N]
#include "config/app_file.hpp"
#include "providers/speech/flite_speaker.hpp"
#include "providers/speech/heard_text.hpp"
#include "providers/speech/models_folder.hpp"
#include "providers/speech/whisper_decoder.hpp"
#include "tests/support/word_errors.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace sidevoice;

constexpr std::array sentences{
  "Hello! Where are you moving from, and when?",
  "I would like to move from London to Berlin in the spring.",
  "We have a flat on the third floor, and there is no lift.",
  "My name is Anna Miller, and I live near the old station.",
  "The piano is heavy, so please send more people.",
  "Is there anything fragile that needs special care?",
  "Yes, two mirrors and a box of glasses.",
  "Thank you, that is all I need. Have a nice day!",
  "Can we change the date to the last Friday of the month?",
  "No, I do not know how many boxes we will have.",
};

/// CPU of this thread, and the clock on the wall, in milliseconds.
struct instant {
  double cpu = 0;
  double wall = 0;

  static instant now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6,
            std::chrono::duration<double, std::milli>(since).count()};
  }
};

double resident_mib() {
  std::ifstream status{"/proc/self/status"};
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with("VmRSS:"))
      return std::stod(line.substr(6)) / 1024;
  return 0;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double most(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

/// Figures of one voice; its sound goes to `said`, a piece per sentence.
void measure_voice(const std::string& voice, int rounds, std::vector<samples>& said) {
  const auto speaker = make_flite()();
  std::vector<double> first_cpu;
  std::vector<double> first_wall;
  double cpu = 0;
  double sound = 0;
  // Once before: the first call makes the voice.
  for (int round = -1; round < rounds; ++round) {
    said.clear();
    for (const std::string text : sentences) {
      samples all;
      const auto began = instant::now();
      instant first{};
      const speech_output to{[&](samples_view piece, std::uint32_t) {
                               if (all.empty())
                                 first = instant::now();
                               all.insert(all.end(), piece.begin(), piece.end());
                               return true;
                             },
                             [](std::size_t, std::uint32_t) {}};
      if (!speaker->speak({text, voice, 1.0}, to))
        return;
      if (round >= 0) {
        first_cpu.push_back(first.cpu - began.cpu);
        first_wall.push_back(first.wall - began.wall);
        cpu += instant::now().cpu - began.cpu;
        sound += static_cast<double>(sound_ms(all.size(), speech_rate));
      }
      said.push_back(std::move(all));
    }
  }
  std::printf("tts voice=%s requests=%zu first_sound_cpu_ms_p50=%.1f max=%.1f "
              "first_sound_wall_ms_p50=%.1f cpu_per_second_of_sound_ms=%.1f\n",
              voice.c_str(), first_cpu.size(), median(first_cpu), most(first_cpu),
              median(first_wall), sound > 0 ? cpu / sound * 1000 : 0);
}

void measure_recogniser(speech_decoder& decoder, const std::string& voice, int rounds,
                        const std::vector<samples>& said) {
  std::vector<double> cpu;
  double sound = 0;
  std::size_t words = 0;
  std::size_t errors = 0;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < said.size(); ++i) {
      const auto began = instant::now();
      const auto text = decoder.decode(said[i], [] { return true; });
      cpu.push_back(instant::now().cpu - began.cpu);
      sound += static_cast<double>(sound_ms(said[i].size(), speech_rate));
      words += plain_words(sentences[i]).size();
      errors += text ? word_errors(sentences[i], heard_text(*text))
                     : plain_words(sentences[i]).size();
    }
  double all = 0;
  for (const auto one : cpu)
    all += one;
  std::printf(
    "stt voice=%s utterances=%zu cpu_ms_p50=%.0f max=%.0f cpu_per_second_of_sound_ms=%.0f "
    "word_errors=%zu/%zu\n",
    voice.c_str(), cpu.size(), median(cpu), most(cpu), sound > 0 ? all / sound * 1000 : 0, errors,
    words);
}

} // namespace

int main(int argc, char** argv) {
  std::string models = default_models_folder(process_environment());
  int rounds = 3;
  CLI::App cli{"What the local speech engines cost"};
  cli.add_option("--models", models, "Folder with the models");
  cli.add_option("--rounds", rounds, "How often each sentence is taken")
    ->check(CLI::Range(1, 1000));
  CLI11_PARSE(cli, argc, argv);

  std::printf("memory at_start_mib=%.0f\n", resident_mib());
  const auto began = instant::now();
  const auto whisper = load_whisper(models + "/ggml-tiny.en.bin");
  if (!whisper) {
    std::fprintf(stderr, "%s\n", whisper.error().detail.c_str());
    return 1;
  }
  std::printf("memory model_loaded_mib=%.0f load_cpu_ms=%.0f\n", resident_mib(),
              instant::now().cpu - began.cpu);
  const auto decoder = (*whisper)();
  for (const std::string voice : {"slt", "rms", "kal16"}) {
    std::vector<samples> said;
    measure_voice(voice, rounds, said);
    measure_recogniser(*decoder, voice, rounds, said);
  }
  std::printf("memory after_utterances_mib=%.0f\n", resident_mib());
  return 0;
}
