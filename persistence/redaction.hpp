#pragma once

#include "persistence/event.hpp"

#include <map>
#include <set>
#include <string>

namespace sidevoice {

/// Takes what people and models have said out of a journal, for reports that go to others. Kept are
/// ids, types, numbers, times, and words of our own (statuses, reasons); a text becomes
/// "[23 characters]", JSON text its shape. What is not known to be harmless is taken out.
class redaction {
public:
  /// `names`: what the app calls its topics and tools; names that are none of these are texts.
  explicit redaction(std::set<std::string> names) : names_(std::move(names)) {}

  /// As `encode`, without the texts. Null for an erased body.
  [[nodiscard]] json_text event(const event_body& body);

  /// An id as it is where it looks like one; else "[id 1]", the same for the same id.
  [[nodiscard]] std::string id(const std::string& text);

  /// A name of the app's as it is, another one as its length.
  [[nodiscard]] std::string name(const std::string& text) const;

  /// A word of ours ("turn_detected") as it is, anything else as its length.
  [[nodiscard]] static std::string word(const std::string& text);

  /// "[23 characters]"
  [[nodiscard]] static std::string length_of(const std::string& text);

  /// "[object of 2: text of 5 characters, number]"; keys are not shown, since models write them.
  [[nodiscard]] static std::string shape_of(const json_text& text);

  /// The declaration of an app (`app_definition::release_body`): its structure, names, types and
  /// numbers, without instructions, labels and addresses.
  [[nodiscard]] static json_text app(const json_text& body);

private:
  std::set<std::string> names_;
  std::map<std::string, std::string> aliases_;
};

/// What an app calls its topics and tools, by its `release_body`, and the built-in tools.
std::set<std::string> names_of_app(const json_text& body);

} // namespace sidevoice
