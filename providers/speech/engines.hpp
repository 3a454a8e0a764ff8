#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "providers/end_of_turn.hpp"
#include "providers/stt.hpp"
#include "providers/tts.hpp"
#include "providers/vad.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

/// The local speech engines of a node: models are loaded once, at start, and shared by all
/// sessions.
namespace sidevoice {

struct speech_options {
  /// Folder with the model files (`scripts/models.sh` fills it).
  std::string models = "models/";
  /// Threads that transcribe, and that speak; each runs one request at a time.
  std::size_t stt_workers = 1;
  std::size_t tts_workers = 1;
  /// Requests of an app that wait; more are refused as `overloaded`.
  std::size_t queue_max = 64;
};

/// A part that is missing: what does not work, why, and how to get it.
struct speech_gap {
  /// "vad", "stt", "tts" or "end_of_turn".
  std::string part;
  std::string why;
  std::string remedy;
};

/// Any thread. Outlives all providers that were made with it.
class speech_engines {
public:
  virtual ~speech_engines() = default;

  /// Silero, or the energy gate where its model is missing.
  [[nodiscard]] virtual const vad_engine& vad() const = 0;
  /// Null: missing.
  [[nodiscard]] virtual end_of_turn_model* end_of_turn() = 0;
  /// Null: missing. Streams share the workers.
  [[nodiscard]] virtual stt_provider* stt() = 0;
  [[nodiscard]] virtual tts_provider* tts() = 0;
  [[nodiscard]] virtual const std::vector<speech_gap>& missing() const = 0;
};

/// Loads what there is; a missing or damaged file is a gap and a line in the log, never an error.
/// `where` and `count` outlive it.
std::unique_ptr<speech_engines> open_speech(const speech_options& options, loop& where,
                                            counters& count);

} // namespace sidevoice
