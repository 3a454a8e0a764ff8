#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// Text that holds one JSON value, exactly as it was written.
using json_text = std::string;

enum class topic_type {
  text,
  person_name,
  address,
  date,
  choice,
  integer,
  yes_no,
  money,
  email,
  object
};

/// The spelling of the app file.
const char* to_string(topic_type type);

enum class topic_confirm { never, read_back, person };

/// `"when": {"home": ["studio", "flat"]}` or `{"floor": {"min": 1}}`: what another topic's value
/// must be for this one to matter.
struct topic_condition {
  std::string topic;
  /// JSON texts of the values that satisfy it; empty where only bounds are given.
  std::vector<json_text> any_of;
  std::optional<double> min;
  std::optional<double> max;

  bool operator==(const topic_condition&) const = default;
};

/// One value of a choice and the other words for it.
struct topic_choice {
  std::string value;
  std::vector<std::string> words;

  bool operator==(const topic_choice&) const = default;
};

/// One entry of the checklist as its app declares it.
struct topic_declaration {
  std::string id;
  topic_type type = topic_type::text;
  std::string label;
  bool required = false;
  /// The value is a list of `type`.
  bool list = false;
  /// The question the conversation agent asks; empty: made from the label.
  std::string ask;
  /// Told to the analyzer.
  std::string answered_when;
  std::vector<topic_choice> choices;
  std::optional<double> min;
  std::optional<double> max;
  /// `"min": "today"` of a date.
  bool min_today = false;
  std::string currency;
  std::vector<topic_condition> when;
  /// Order only: these topics are asked before.
  std::vector<std::string> after;
  topic_confirm confirm = topic_confirm::never;
  bool sensitive = false;
  /// Plain JSON Schema of an `object`.
  json_text schema;

  bool operator==(const topic_declaration&) const = default;
};

/// How an agent's model is chosen: "rules", or "openai:gpt-4.1-mini" as vendor and model.
struct model_choice {
  std::string vendor;
  std::string model;
  /// The whole entry as JSON text, for options of the vendor.
  json_text options = "{}";

  bool operator==(const model_choice&) const = default;
};

/// One app: a tenant of the node. What it is (frozen into a release) and how this server runs it.
struct app_definition {
  std::string id;
  std::string title;
  std::string language = "en";

  // -- what it is ---------------------------------------------------------------------------------

  std::string conversation_instructions;
  std::string greeting;
  std::string analyzer_instructions;
  std::vector<topic_declaration> topics;
  std::string complete_say;
  bool complete_summary = false;
  std::vector<model_choice> conversation_models;
  std::vector<model_choice> analyzer_models;
  std::string page_accent;
  std::string page_notice;

  // -- how it runs here (`live`) ------------------------------------------------------------------

  std::vector<std::string> origins;
  /// Listed origins may open anonymous sessions.
  bool is_public = false;
  /// Secrets; never printed.
  std::vector<std::string> server_keys;

  /// "sha256:..." over the canonical JSON of what it is; secrets and `live` are not in it.
  std::string release;

  [[nodiscard]] const topic_declaration* find_topic(const std::string& topic) const;
};

using app_ptr = std::shared_ptr<const app_definition>;

} // namespace sidevoice
