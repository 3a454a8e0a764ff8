#pragma once

#include "providers/rules/board.hpp"
#include "providers/rules/speak.hpp"

#include <string>
#include <vector>

/// What the visitor's messages change on the checklist. Both agents read with the same code, so the
/// conversation knows at once what the analyzer will write a moment later. Pure functions.
namespace sidevoice::rules {

/// One change that a message makes.
struct change {
  const topic_declaration* topic = nullptr;
  std::string status;
  json_text value;
  /// The evidence; `quote` is a substring of the item's text.
  std::string item_id;
  std::string quote;
  double confidence = 0.9;
  /// It replaces what was said before.
  bool is_correction = false;
};

/// A question or remark about the conversation itself.
enum class aside {
  none,
  what_is_left,
  what_is_known,
  repeat,
  help,
  who,
  why,
  thanks,
  hello,
  question
};

/// One user message, read.
struct message_reading {
  std::size_t index = 0;
  std::vector<change> changes;
  /// What the assistant had asked for before it.
  std::vector<asked_topic> asked;
  aside remark = aside::none;
  /// Why a value for what was asked does not do; a sentence.
  std::string refused;
  /// The visitor would rather not answer, but the topic is required.
  bool is_reluctant = false;
};

struct reading {
  board now;
  question_book book;
  std::vector<message_reading> messages;
};

/// Reads the user messages of the history from `first` on.
reading understand(const llm_request& request, std::size_t first);

/// What the assistant said last before `index`, as one text; no further back than the user message
/// before that.
std::string said_before(const std::vector<llm_message>& history, std::size_t index);

/// Remarks by their words; `question` is left to the caller.
aside read_aside(std::string_view text);

} // namespace sidevoice::rules
