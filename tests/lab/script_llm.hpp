#pragma once

#include "providers/catalogue.hpp"
#include "tests/lab/dice.hpp"

namespace sidevoice::lab {

/// How the scripted models behave; percentages of the runs.
struct llm_script {
  std::uint64_t fail_percent = 0;
  std::uint64_t stall_percent = 0;
  std::uint64_t call_percent = 0;
  /// The most pieces of an answer, of some five letters each.
  std::uint64_t pieces_max = 12;
  /// Before each piece.
  std::uint64_t latency_max_ms = 20;
  /// The analyzer is this much later.
  std::uint64_t analyzer_extra_ms = 0;
};

/// A model that talks and proposes topics at random: pieces that cut clauses in the middle, tools,
/// errors before and after the first word, silence. Reads `script` at each request.
llm_factory make_script_llm(dice& chance, const llm_script& script);

/// A model that does what it is told: "ask:TOPIC" where its request names a next topic, else "ok";
/// as analyzer it takes "TOPIC=VALUE" at its word, late by `analyzer_extra_ms`.
llm_factory make_asker_llm(dice& chance, const llm_script& script);

} // namespace sidevoice::lab
