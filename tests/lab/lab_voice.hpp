#pragma once

#include "providers/catalogue.hpp"
#include "providers/vad.hpp"
#include "tests/lab/dice.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Voice in the lab: sound whose loudness stands for a sentence, and engines that read and make it.
namespace sidevoice::lab {

/// What the engines do in this run; chances in percent.
struct voice_script {
  std::uint64_t hear_fail_percent = 0;
  std::uint64_t hear_hang_percent = 0;
  std::uint64_t say_fail_percent = 0;
  std::uint64_t say_hang_percent = 0;
  std::uint64_t hear_max_ms = 400;
  /// Utterances whose words an engine has kept to itself, counted by the engines.
  std::uint64_t unheard = 0;
};

/// Sentences by number, as many as loudness can tell apart: 0 holds no words (a cough), 1 is "mhm",
/// the others are "said N".
inline constexpr std::size_t sentences_max = 120;
const std::vector<std::string>& lab_sentences();

/// Loud is speech.
const vad_engine& lab_vad();

/// Adds the engines as "local", which needs no account. `script` and `chance` outlive them.
void add_lab_voice(catalogue& to, dice& chance, voice_script& script);

} // namespace sidevoice::lab
