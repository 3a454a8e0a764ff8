#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// How an app talks: `voice` of the app file, with the names of the Realtime API.
namespace sidevoice {

/// Who decides that the visitor's turn is over.
enum class turn_mode {
  /// The client, by input_audio_buffer.commit.
  manual,
  /// A silence of `silence_duration`.
  silence,
  /// An end-of-turn model in each pause; the silence alone where there is no model.
  semantic
};

/// `voice.turn_detection`, and what a client sets instead.
struct turn_settings {
  turn_mode mode = turn_mode::silence;
  /// Probability from which a frame is speech; 0.15 below it is silence again.
  double threshold = 0.5;
  /// Sound kept from before the speech was noticed.
  std::chrono::milliseconds prefix_padding{300};
  std::chrono::milliseconds silence_duration{500};
  /// "low", "medium", "high" or "auto": how long a semantic turn waits at most.
  std::string eagerness = "auto";
  bool create_response = true;
  bool interrupt_response = true;
  /// After an answer has been played, without speech; unset: never.
  std::optional<std::chrono::milliseconds> idle_timeout;

  bool operator==(const turn_settings&) const = default;
};

/// `voice.barge_in`
struct barge_in_settings {
  /// Shorter voice is a noise: it holds the answer for a moment and nothing else.
  std::chrono::milliseconds min_speech{200};
  /// Words that mean "go on".
  std::vector<std::string> ignore = {"mhm",    "mm-hmm", "mm",   "hmm", "uh-huh",
                                     "uh huh", "right",  "okay", "ok",  "yeah"};
  /// A held answer goes on when it was a false alarm; else it is interrupted by any voice.
  bool resume_after_false = true;

  bool operator==(const barge_in_settings&) const = default;
};

/// `voice.dead_air`: nothing is heard of the agent for so long after the visitor's turn.
struct dead_air_settings {
  std::chrono::milliseconds after{2500};
  std::string say;

  bool operator==(const dead_air_settings&) const = default;
};

/// `voice.visitor_silent`
struct visitor_silent_settings {
  std::chrono::seconds after{20};
  std::string say;
  std::uint32_t times = 2;

  bool operator==(const visitor_silent_settings&) const = default;
};

struct voice_settings {
  turn_settings turns;
  barge_in_settings barge_in;
  std::optional<dead_air_settings> dead_air;
  std::optional<visitor_silent_settings> visitor_silent;

  bool operator==(const voice_settings&) const = default;
};

} // namespace sidevoice
