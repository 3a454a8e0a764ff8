#pragma once

#include "config/app.hpp"
#include "config/topic_value.hpp"
#include "providers/rules/words.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Values of topics in free English text. Pure functions.
namespace sidevoice::rules {

/// A value in a text. What an extractor finds is not checked against the topic yet.
struct finding {
  json_text value;
  /// Byte offsets of the words it stands on: the quote.
  std::size_t begin = 0;
  std::size_t end = 0;
  /// 0 to 1
  double confidence = 0.9;
};

/// What an extractor may assume.
struct scope {
  const topic_declaration* topic = nullptr;
  calendar_day today;
  /// The visitor was asked for this topic, so a bare answer counts. Else only strong patterns do.
  bool asked = false;
  /// No other topic has this type: a strong pattern needs no word of the label beside it.
  bool only_of_kind = true;
  /// Tokens before this one are not looked at.
  std::size_t from = 0;
  /// Byte ranges that other topics have used already.
  std::vector<std::pair<std::size_t, std::size_t>> taken;

  [[nodiscard]] bool is_taken(std::size_t begin, std::size_t end) const;
};

/// A topic's value in a text, checked and in canonical form.
struct extraction {
  std::optional<finding> found;
  /// Why a value that was found does not do (a sentence for the visitor); empty where none was.
  std::string refused;
};

/// Looks for the topic's value.
extraction extract(const utterance& u, const scope& s);

// -- one function a type: candidates, best first ----------------------------------------------

std::vector<finding> find_dates(const utterance& u, const scope& s);
std::vector<finding> find_places(const utterance& u, const scope& s);
std::vector<finding> find_names(const utterance& u, const scope& s);
std::vector<finding> find_emails(const utterance& u, const scope& s);
std::vector<finding> find_money(const utterance& u, const scope& s);
std::vector<finding> find_integers(const utterance& u, const scope& s);
std::vector<finding> find_yes_no(const utterance& u, const scope& s);
std::vector<finding> find_choices(const utterance& u, const scope& s);
std::vector<finding> find_text(const utterance& u, const scope& s);
std::vector<finding> find_objects(const utterance& u, const scope& s);

// -- shared between them -----------------------------------------------------------------------

/// A date that begins at token `i`, with the index behind it.
struct date_at {
  calendar_day day;
  std::size_t next = 0;
  /// Names a month or weekday, or is relative: a date even where nobody asked for one.
  bool is_strong = true;
  double confidence = 0.9;
};
std::optional<date_at> read_date(const utterance& u, std::size_t i, calendar_day today);

/// The finding over tokens [first, end).
finding over(const utterance& u, std::size_t first, std::size_t end, json_text value,
             double confidence);

/// Plain agreement or refusal at the beginning of an answer.
enum class consent { none, yes, no };
consent read_consent(const utterance& u, std::size_t i);

/// True when "not", "no", "without"... stands closely before token `i` in its clause.
bool is_negated(const utterance& u, std::size_t i);

/// A JSON string; bytes that are not UTF-8 become U+FFFD.
json_text quoted(const std::string& text);

} // namespace sidevoice::rules
