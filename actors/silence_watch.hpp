#pragma once

#include "config/loop.hpp"
#include "config/voice.hpp"

#include <optional>
#include <string>

/// Watches silences that somebody should end: the agent's, while an answer is awaited (dead air),
/// and the visitor's, after an answer. Plain.
namespace sidevoice {

class silence_watch {
public:
  using time = loop::clock::time_point;

  struct settings {
    std::optional<dead_air_settings> dead_air;
    std::optional<visitor_silent_settings> visitor_silent;
    /// The Realtime API's idle_timeout_ms: the model speaks up, once a silence.
    std::optional<std::chrono::milliseconds> idle_timeout;
  };

  void set(settings now) {
    settings_ = std::move(now);
  }

  /// The visitor has said something, by voice or by hand.
  void on_visitor();
  /// A voice begins: no silence now.
  void on_voice();
  /// It was a noise: the silence it broke counts as a whole one.
  void on_noise();
  /// An answer has been requested. `is_ours`: by this watch, so that no visitor awaits it.
  void on_asked(const std::string& response, bool is_ours, time now);
  /// The agent is heard.
  void on_agent();
  /// This answer has ended, maybe without sound.
  void on_ended(const std::string& response, time now);
  /// What the agent said has been played to its end, which may be known before the end itself is.
  void on_played(time now);

  enum class what {
    nothing,
    /// Say the filler of `dead_air`.
    filler,
    /// Say the prompt of `visitor_silent`.
    prompt,
    /// The model speaks up.
    idle
  };
  /// What is due by now; each thing once.
  what on_time(time now);
  [[nodiscard]] std::optional<time> next() const;

private:
  struct watched {
    std::optional<time> filler;
    std::optional<time> prompt;
    std::optional<time> idle;
  };

  void watch_visitor(time now);

  settings settings_;
  /// The newest answer that has not ended.
  std::string awaited_;
  bool played_early_ = false;
  watched now_;
  /// What was watched before the voice that speaks now.
  std::optional<watched> before_;
  std::uint32_t prompts_ = 0;
};

} // namespace sidevoice
