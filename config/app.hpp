#pragma once

#include "config/voice.hpp"

#include <chrono>
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

enum class tool_kind { webhook, client, builtin, mcp };
const char* to_string(tool_kind kind);

/// What running a tool twice would do. `none`: nothing, it only answers. `idempotent`: the other
/// side knows the call id and does it once. `once`: it must not be sent again when it is unknown
/// whether it was.
enum class tool_effect { none, idempotent, once };
const char* to_string(tool_effect effect);

/// What becomes of a call to a client's tool while no page is there that offers it.
enum class no_page { skip, wait, fail };

/// One entry of `tools`.
struct tool_declaration {
  std::string name;
  tool_kind kind = tool_kind::client;
  std::string description;
  /// JSON Schema of the arguments, an object.
  json_text parameters = R"({"type":"object","properties":{}})";
  /// Webhook and mcp: as it was written, references included ("${env:SHOP_URL}/estimate").
  std::string url;
  std::chrono::milliseconds timeout{10'000};
  /// Said when the call takes longer than a moment; empty: nothing.
  std::string meanwhile;
  tool_effect effect = tool_effect::none;
  /// Asked of the visitor before the call is sent.
  bool needs_approval = false;
  no_page without_page = no_page::skip;
  /// A longer output is cut, and the model is told.
  std::uint32_t output_bytes_max = 16'384;
  /// mcp: names of tools that may be used; without effect yet.
  std::vector<std::string> allow;

  bool operator==(const tool_declaration&) const = default;
};

/// One app: a tenant of the node. What it is; frozen into a release. How a server runs it is
/// `live_settings`.
struct app_definition {
  std::string id;
  std::string title;
  std::string language = "en";
  std::vector<std::string> other_languages;

  // -- what it is ---------------------------------------------------------------------------------

  std::string conversation_instructions;
  std::string greeting;
  std::string analyzer_instructions;
  std::vector<topic_declaration> topics;
  std::string complete_say;
  bool complete_summary = false;
  std::vector<model_choice> conversation_models;
  std::vector<model_choice> analyzer_models;
  /// Speech to text and back, in the order of trying.
  std::vector<model_choice> stt_models;
  std::vector<model_choice> tts_models;
  voice_settings voice;
  std::string page_accent;
  std::string page_notice;

  // -- tools --------------------------------------------------------------------------------------

  /// By name. Built-in ones are in it when the file declares them.
  std::vector<tool_declaration> tools;
  /// Names of `tools` that the agents may call.
  std::vector<std::string> conversation_tools;
  std::vector<std::string> analyzer_tools;
  /// Model steps that may follow one another on tool outputs alone.
  std::uint32_t max_tool_rounds = 4;
  /// "runs_on": "partial" is listed.
  bool analyzes_partial = false;

  /// "sha256:..." of `release_body`.
  std::string release;
  /// Canonical JSON of what it is, long texts included: `read_release` makes the same app of it.
  /// Secrets and `live` are not in it; references stand as they were written.
  json_text release_body;

  [[nodiscard]] const topic_declaration* find_topic(const std::string& topic) const;
  [[nodiscard]] const tool_declaration* find_tool(const std::string& tool) const;
};

using app_ptr = std::shared_ptr<const app_definition>;

} // namespace sidevoice
