#pragma once

#include "config/loop.hpp"
#include "persistence/event.hpp"

#include <deque>
#include <optional>
#include <string>

/// Measures the silence that the visitor hears after a spoken turn, in its parts. Plain.
namespace sidevoice {

class turn_ledger {
public:
  using time = loop::clock::time_point;

  /// The voice ended `silence` before now, when the turn was decided to be over.
  void ended(const std::string& utterance, std::chrono::milliseconds silence, time now);
  /// Its words are known.
  void words(const std::string& utterance, time now);
  /// And ask for this response.
  void asked(const std::string& utterance, const std::string& response);
  void first_token(const std::string& response, time now);
  void first_clause(const std::string& response, time now);
  /// Its first sound went to the client.
  void sent(const std::string& item, const std::string& response, time now);
  /// Its first sound was played: the turn is measured. Each once; unset for answers to nothing
  /// spoken.
  std::optional<turn_measured> played(const std::string& item, time now);
  /// No answer comes of it.
  void forget(const std::string& response);

private:
  struct turn {
    std::string utterance;
    std::string response;
    std::string item;
    time voice_end;
    time decided;
    std::optional<time> words;
    std::optional<time> first_token;
    std::optional<time> first_clause;
    std::optional<time> sent;
  };

  turn* of_utterance(const std::string& utterance);
  turn* of_response(const std::string& response);

  /// Few: turns whose answer has not been heard.
  std::deque<turn> open_;
};

} // namespace sidevoice
