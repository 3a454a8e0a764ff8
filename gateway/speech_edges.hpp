#pragma once

#include "config/voice.hpp"

#include <cstdint>
#include <optional>

/// Finds where speech begins and ends, from the probabilities of frames. Plain; time is the
/// sound's.
namespace sidevoice {

class speech_edges {
public:
  struct edge {
    enum class kind { begun, paused, resumed, ended } what = kind::begun;
    /// Milliseconds of sound since reset: of a beginning, that of the first voiced frame; of the
    /// others, now.
    std::uint64_t at_ms = 0;
    /// Voiced milliseconds of this speech so far, and the silence behind the last of them.
    std::uint32_t voiced_ms = 0;
    std::uint32_t silence_ms = 0;
  };

  /// With `manual` turns there are no edges. New settings count from the next frame.
  void set(const turn_settings& settings);

  /// The next frame of `frame_ms`. Speech begins with two frames in a row at or above the threshold
  /// (one, above 0.9); it pauses after 200 ms below threshold - 0.15, and ends after
  /// `silence_duration` of that. In semantic mode a pause does not end by itself before the longest
  /// wait of its eagerness (low 8 s, medium and auto 4 s, high 2 s). A pause is over by the same
  /// rule as speech begins; between the two thresholds things stay as they are.
  std::optional<edge> push(float probability, std::uint32_t frame_ms = 32);

  /// Somebody else says that speech is open from here on (manual turns); no edge. What is voice in
  /// it is counted in every mode.
  void open();

  /// The open speech is over (a commit, a decision by somebody else): back to waiting.
  void close();

  [[nodiscard]] bool in_speech() const;
  [[nodiscard]] std::uint64_t now_ms() const;
  /// Of the open speech: its voice so far, and the silence behind the last of it.
  [[nodiscard]] std::uint32_t voiced_ms() const;
  [[nodiscard]] std::uint32_t silence_ms() const;

private:
  [[nodiscard]] bool is_voiced(float probability) const;
  bool is_believed(float probability, std::uint32_t frame_ms);
  std::optional<edge> doubt();
  std::optional<edge> begin(float probability, std::uint32_t frame_ms);
  std::optional<edge> go_on(float probability, std::uint32_t frame_ms);
  std::optional<edge> fall_silent(std::uint32_t frame_ms);

  turn_settings settings_;
  std::uint64_t now_ms_ = 0;
  bool in_speech_ = false;
  bool paused_ = false;
  std::uint32_t candidate_ms_ = 0;
  std::uint64_t candidate_at_ = 0;
  std::uint32_t voiced_ms_ = 0;
  std::uint32_t silence_ms_ = 0;
};

} // namespace sidevoice
