#pragma once

#include "actors/voice_messages.hpp"
#include "config/loop.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Decides what becomes of speech: whether it interrupts, when the turn is over, whether it asks
/// for an answer. Plain: time and events in, actions out.
namespace sidevoice {

/// The held answer goes on: it was no interruption.
struct let_go_on {
  std::string item;
};
/// The running answer ends here.
struct break_off {
  playout_point playing;
};
/// The turn is over; journal it.
struct take_turn {
  std::string utterance;
  std::string stream;
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = 0;
  turn_over why;
};
/// A noise: nothing of it is kept.
struct drop_noise {
  std::string utterance;
};
/// Its words are known, or that there are none.
struct take_words {
  std::string utterance;
  std::string text;
  /// As of `input_transcribed`.
  std::string reason;
  bool answer = false;
  playout_point playing;
};
/// Ask the end-of-turn model.
struct ask_model {
  std::string utterance;
  samples_ptr tail;
};
/// The model says that the open utterance is over.
struct close_turn {
  turn_over why;
};
/// The engine owes the words.
struct ask_other_engine {
  std::string utterance;
};

using turn_action = std::variant<let_go_on, break_off, take_turn, drop_noise, take_words, ask_model,
                                 close_turn, ask_other_engine>;

class turn_taking {
public:
  using time = loop::clock::time_point;
  using actions = std::vector<turn_action>;

  struct settings {
    turn_settings turns;
    barge_in_settings barge_in;
    /// The client flushes at the first edge.
    bool interrupts_at_once = false;
    /// There is an end-of-turn model.
    bool has_model = false;
    std::chrono::milliseconds transcript{8'000};
  };

  void set(settings now) {
    settings_ = std::move(now);
  }

  /// Voice that commits an interruption without words.
  static constexpr std::chrono::milliseconds voice_interrupts{500};
  /// From here on the end-of-turn model is believed.
  static constexpr float turn_is_over = 0.5F;

  /// An answer is being made or spoken, or none any more.
  void on_answer(bool running) {
    answering_ = running;
  }

  actions on_edge(const speech_edge& edge, time now);
  /// Input.speech is durable under this id; `known`: all of it was dealt with before.
  actions on_committed(const std::string& utterance, const speech_committed& as, time now);
  actions on_text(const utterance_text& text, time now);
  actions on_model(const std::string& utterance, float probability, time now);
  /// What is due by now. Call it at `next`.
  actions on_time(time now);
  /// The words of this item (or utterance) are durable, or it is gone: the utterances that were
  /// it. What still has to be done goes to `out`.
  std::vector<std::string> on_settled(const std::string& item, actions& out);

  /// When on_time has something to do.
  [[nodiscard]] std::optional<time> next() const;
  /// Somebody speaks now.
  [[nodiscard]] bool is_open() const;

  /// True for words that mean no more than "go on". `ignore` is matched without case, punctuation
  /// and repetition.
  static bool is_backchannel(const std::string& text, const std::vector<std::string>& ignore);

private:
  enum class phase { open, paused, ended, committed };

  struct speech {
    std::string id;
    /// The item it goes under: `id`, or that of the same speech heard before.
    std::string item;
    phase where = phase::open;
    std::uint32_t voiced_ms = 0;
    std::uint64_t from_ms = 0;
    std::uint64_t to_ms = 0;
    std::string stream;
    bool manual = false;
    /// The answer that was audible when it began.
    playout_point playing;
    /// It talks over an answer: one that is heard, or one that is on its way.
    bool held = false;
    bool interrupted = false;
    float probability = -1;
    /// When 500 ms of voice are full, while it is open and holds.
    std::optional<time> interrupts_at;
    /// When the words are overdue.
    std::optional<time> words_due;
    bool asked_other = false;
    std::optional<utterance_text> words;
  };

  speech* find(const std::string& utterance);
  void let_go(speech& s, actions& out);
  void interrupt(speech& s, actions& out);
  void end(speech& s, const speech_edge& edge, time now, actions& out);
  void finish(speech& s, actions& out);
  [[nodiscard]] bool may_interrupt(const speech& s) const;

  settings settings_;
  bool answering_ = false;
  std::vector<speech> open_;
};

} // namespace sidevoice
