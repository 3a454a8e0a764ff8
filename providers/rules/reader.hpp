#pragma once

#include "providers/rules/extract.hpp"
#include "providers/rules/understand.hpp"

#include <set>
#include <string>

namespace sidevoice::rules {

/// Reads one user message against a board, and changes the board as it goes.
class reader {
public:
  /// `asked_before`: what the assistant asked for, newest question first, over the whole history;
  /// corrections look for their topic there.
  reader(board& now, const llm_message& message, calendar_day today,
         std::vector<const topic_declaration*> asked_before);

  /// `settled`: topics that an earlier message has answered since the assistant spoke.
  message_reading read(std::vector<asked_topic> asked, const std::string& said,
                       const std::set<std::string>& settled);

  /// Only what needs no question: for messages read again later.
  std::vector<change> read_strong(const topic_declaration& topic);

private:
  scope scope_for(const topic_declaration& topic, bool asked, std::size_t from = 0) const;
  void take(const topic_declaration& topic, const finding& f, bool correction);
  void set(const topic_declaration& topic, const std::string& status, const json_text& value,
           std::size_t begin, std::size_t end, double confidence);

  bool read_skip(const topic_declaration& topic);
  void read_answer_to_check(const asked_topic& a, const std::string& said);
  bool read_correction();
  /// Extraction for a correction; a long text gets no more than some.
  std::optional<finding> try_extract(const scope& s);
  bool correct_named();
  bool correct_not_but();
  /// `refused` is what tokens [first, end) say shall not hold.
  bool correct_refused(const std::string& refused, std::size_t first, std::size_t end);
  bool correct_behind(std::size_t from);
  void read_strong_patterns();
  void read_declined();
  /// The message holds this value and hardly anything else.
  bool is_alone(const topic_declaration& topic, const finding& f) const;
  void read_asked(const topic_declaration& topic);
  bool is_labelled(const topic_declaration& topic, const finding& f) const;

  board& now_;
  const llm_message& message_;
  calendar_day today_;
  std::vector<const topic_declaration*> asked_before_;
  utterance u_;
  std::vector<std::pair<std::size_t, std::size_t>> taken_;
  std::set<std::string> touched_;
  std::size_t tries_left_ = 120;
  message_reading out_;
};

} // namespace sidevoice::rules
