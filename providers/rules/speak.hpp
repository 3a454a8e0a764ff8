#pragma once

#include "providers/rules/board.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The offline agent's English. Pure: the same topic and seed give the same words.
namespace sidevoice::rules {

/// "Moving day" as it stands within a sentence: "moving day".
std::string label_within(const topic_declaration& topic);

/// The label as a heading, without its question mark: "Lift".
std::string label_of(const topic_declaration& topic);

/// The ways to ask for a topic; the app's `ask` comes first.
std::vector<std::string> questions(const topic_declaration& topic);

/// What an answer looks like, with an example.
std::string expectation(const topic_declaration& topic);

/// "I have anna@example.com for e-mail. Is that right?", and other ways.
std::vector<std::string> read_backs(const topic_declaration& topic, const json_text& value);

/// Asks which of two answers holds.
std::vector<std::string> contradictions(const topic_declaration& topic, const json_text& value);

/// What a run of assistant messages asked for last.
struct asked_topic {
  const topic_declaration* topic = nullptr;
  step kind = step::ask;
};

/// Knows by its words what a text asks for. Made once for a board's topics; they outlive it.
class question_book {
public:
  explicit question_book(const board& topics);

  /// The topics that `said` asks for, the surest first: by our own questions or the app's `ask`,
  /// else (another model spoke) by the words of its last question. At most one for each topic type.
  [[nodiscard]] std::vector<asked_topic> find(std::string_view said) const;

private:
  /// A question, or a part of one that nothing else says.
  struct form {
    std::string text;
    asked_topic asks;
  };

  std::vector<form> forms_;
  std::vector<const topic_declaration*> topics_;
};

/// A number that varies the wording: the same id, the same words.
std::uint64_t seed_of(std::string_view id);

/// The variant at `seed`, or the next one that `said` does not contain.
std::string choose(const std::vector<std::string>& variants, std::uint64_t seed,
                   std::string_view said);

/// "a, b and c"
std::string enumerated(const std::vector<std::string>& parts, std::string_view last = "and");

} // namespace sidevoice::rules
