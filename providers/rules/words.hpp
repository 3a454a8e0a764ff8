#pragma once

#include "config/app.hpp"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading free English text for the offline agent. Everything here is linear in the text, whose
/// length is capped: what a visitor pastes must not hold up the loop.
namespace sidevoice::rules {

/// A word, a number with its inner separators ("1,200", "2027-03-12"), or one mark.
struct token {
  enum class kind { word, number, mark };

  kind what = kind::mark;
  /// Byte offsets into the text.
  std::size_t begin = 0;
  std::size_t end = 0;
  /// Lower case (ASCII), typographic apostrophes made plain.
  std::string lower;
  /// The word begins with an upper-case letter, or one beyond ASCII.
  bool capital = false;
  /// No space before it.
  bool glued = false;

  [[nodiscard]] bool is_word() const {
    return what == kind::word;
  }
  [[nodiscard]] bool is_number() const {
    return what == kind::number;
  }
  [[nodiscard]] bool is(std::string_view text) const {
    return lower == text;
  }
  [[nodiscard]] bool is_any(std::initializer_list<std::string_view> texts) const;
  /// Ends a sentence: . ! ? or a line break.
  [[nodiscard]] bool ends_sentence() const;
};

/// A text cut into tokens.
struct utterance {
  /// Only this much of a text is read; the rest stays in the history.
  static constexpr std::size_t bytes_max = 8100;
  static constexpr std::size_t tokens_max = 800;

  std::string text;
  std::vector<token> tokens;

  explicit utterance(std::string_view whole);

  [[nodiscard]] std::size_t size() const {
    return tokens.size();
  }
  /// The token at `i`, or an empty mark beyond the end.
  [[nodiscard]] const token& at(std::size_t i) const;
  /// The text from token `first` up to, not including, token `end`.
  [[nodiscard]] std::string slice(std::size_t first, std::size_t end) const;
  /// How many tokens from `i` on spell these words (parted by single spaces); 0 where they do not.
  [[nodiscard]] std::size_t phrase_at(std::size_t i, std::string_view phrase) const;
  /// The longest of several phrases at `i`.
  [[nodiscard]] std::size_t phrase_at(std::size_t i,
                                      std::initializer_list<std::string_view> phrases) const;
  [[nodiscard]] bool has_phrase(std::initializer_list<std::string_view> phrases) const;
  /// Index of the first token of the sentence that `i` is in.
  [[nodiscard]] std::size_t sentence_begin(std::size_t i) const;
  /// Index behind the last token of the sentence that `i` is in, its mark not included.
  [[nodiscard]] std::size_t sentence_end(std::size_t i) const;
  [[nodiscard]] bool is_question(std::size_t i) const;
};

/// A number that was read, in digits or words.
struct number {
  double value = 0;
  /// Index of the token behind it.
  std::size_t next = 0;
  /// "third", "3rd"
  bool is_ordinal = false;
};

/// Reads "3", "1,200", "1.5k", "twenty-one", "two thousand five hundred", "third" at token `i`.
std::optional<number> number_at(const utterance& u, std::size_t i);

/// A plain figure with separators: "1,200.50", "1.200,50", "1.5". Not dates, times or ranges.
std::optional<double> figure(std::string_view digits);

std::string to_lower(std::string_view text);
std::string trimmed(std::string_view text);
/// The longest start of at most `bytes` that does not cut a character.
std::string_view cut(std::string_view text, std::size_t bytes);

/// The words of a topic's label and id that say what it is about, lower case.
std::vector<std::string> topic_words(const topic_declaration& topic);

/// True for words that mean the same in front of a checklist ("lift" and "elevator").
bool same_word(std::string_view a, std::string_view b);

/// Words that open an answer and carry nothing ("well", "sure", ","): the index behind them.
std::size_t skip_fillers(const utterance& u, std::size_t i);

/// Pronouns, question words, verbs: what no name, place or list begins with.
bool is_function_word(const std::string& lower);

} // namespace sidevoice::rules
