#pragma once

#include "config/app_file.hpp"
#include "config/jsonc.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sidevoice {

/// Collects the faults of one file and finds the line of each.
class fault_list {
public:
  /// `positions` must outlive the list.
  fault_list(std::string file, const jsonc_positions& positions);

  void fault(const std::string& path, std::string found, std::string remedy);
  void warn(const std::string& path, std::string found, std::string remedy);

  /// What was collected, in the order of the lines, each once.
  std::vector<app_fault> take();

private:
  void add(const std::string& path, std::string found, std::string remedy, bool warning);

  std::string file_;
  const jsonc_positions& positions_;
  std::vector<app_fault> faults_;
};

enum class json_kind { text, flag, number, list, object };

/// "text in double quotes", "true or false", ...
const char* to_string(json_kind kind);

/// A value as fault texts show it: scalars in short, "a list", "an object".
std::string describe(const nlohmann::ordered_json& value);

/// A value whose content must not be seen: "a text", "a number".
std::string describe_kind(const nlohmann::ordered_json& value);

/// Reads the members of one object. Every key that is asked for is a known one; `finish` makes a
/// fault of each other key. A value of the wrong kind is a fault and counts as missing.
class object_fields {
public:
  /// `object` and `faults` must outlive the reader. A value that is no object is a fault itself.
  object_fields(const nlohmann::ordered_json& object, std::string path, fault_list& faults);

  [[nodiscard]] std::string path(const std::string& key) const;

  [[nodiscard]] fault_list& faults() {
    return faults_;
  }

  /// The member, whatever its kind; null where it is missing.
  const nlohmann::ordered_json* find(const std::string& key);
  /// The member if it has this kind.
  const nlohmann::ordered_json* find(const std::string& key, json_kind kind);

  /// Text of 1 to `length_max` characters.
  std::optional<std::string> text(const std::string& key, std::size_t length_max);
  /// One of the words; anything else is a fault with a suggestion.
  std::optional<std::string> word(const std::string& key, const std::vector<std::string>& words);
  bool flag(const std::string& key, bool otherwise = false);
  std::optional<double> number(const std::string& key);
  /// A number within bounds; anything else is a fault.
  std::optional<double> number(const std::string& key, double min, double max);
  /// A whole number within bounds; anything else is a fault.
  std::optional<std::int64_t> whole(const std::string& key, std::int64_t min, std::int64_t max);
  /// A list of texts that are not empty.
  std::vector<std::string> texts(const std::string& key);
  /// A list of these words; others are faults with a suggestion.
  std::vector<std::string> words(const std::string& key, const std::vector<std::string>& known);

  /// A key that later parts of the product will read: checked for its kind, with a warning.
  void later(const std::string& key, json_kind kind);

  /// Makes a fault of a missing key.
  void require(const std::string& key, const std::string& remedy);

  /// Makes a fault of each key that nobody asked for.
  void finish();

private:
  const nlohmann::ordered_json& object_;
  std::string path_;
  fault_list& faults_;
  std::set<std::string> known_;
};

} // namespace sidevoice
