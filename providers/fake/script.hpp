#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a fake provider is told to answer (docs/fake-providers.md has the format for people).
namespace sidevoice {

/// An error as the Chat Completions service reports it.
struct fake_error {
  unsigned status = 400;
  std::string message;
  /// Empty: the one that belongs to the status.
  std::string type;
  /// Empty: null.
  std::string code;
  std::string param;
};

struct fake_call {
  std::string name = {};
  /// JSON text, or with `raw` any text.
  std::string arguments = {};
  /// Goes out as it is; else strings in it may name variables.
  bool raw = false;
  /// Empty: one is made.
  std::string id = {};
};

/// How tool calls look on the wire; compatible servers differ.
struct fake_call_style {
  bool no_index = false;
  bool whole_call = false;
  bool repeat_ids = false;
  bool empty_ids = false;
  bool object_arguments = false;
};

struct fake_pace {
  /// Before the first byte, the status line included.
  std::uint64_t latency_ms = 0;
  /// Up to this much more before each piece.
  std::uint64_t jitter_ms = 0;
  /// Pieces a second; 0: all at once.
  double words_per_second = 0;
  /// Code points in a piece; 0: a word is a piece.
  std::size_t delta_chars = 0;
};

enum class fake_line_end { lf, crlf, cr };

/// One answer. A piece is one delta of text, of a refusal or of arguments.
struct fake_reply {
  std::optional<std::string> text;
  std::optional<std::string> refusal;
  std::optional<std::string> reasoning;
  std::vector<fake_call> calls;
  fake_call_style call_style;
  /// Empty: "tool_calls" with calls, else "stop".
  std::string finish_reason;
  bool finish_null = false;
  fake_pace pace;

  std::optional<std::size_t> stall_after;
  std::optional<std::size_t> drop_after;
  std::optional<std::size_t> error_after;
  fake_error stream_error{500, "The server had an error while it made the answer.", "server_error",
                          "", ""};

  unsigned status = 200;
  fake_error error;
  std::optional<std::uint64_t> retry_after_ms;
  /// Sent in place of everything that would be made.
  std::optional<std::string> body;
  std::map<std::string, std::string> headers;

  bool split_bytes = false;
  std::optional<fake_line_end> line_end;
  bool comments = false;
  bool empty_choices_first = false;
  bool json_instead_of_sse = false;
  bool no_done = false;
  std::optional<bool> azure_filter;
  bool no_usage = false;
  /// JSON object that is merged over the usage; empty: none.
  std::string usage;
};

/// All that is given must hold. Texts are found anywhere, without regard to case of ASCII.
struct fake_match {
  std::optional<std::string> model;
  std::optional<std::string> last_user;
  std::optional<std::string> last_role;
  std::optional<std::string> tool_output;
  std::optional<std::string> system;
  std::optional<std::string> tool;
  std::optional<bool> stream;
  /// Number of the good chat request since the start or the last reset, from 1.
  std::optional<std::uint64_t> call;
};

struct fake_rule {
  fake_match match;
  fake_reply answer;
  /// How often it may be used; unset: always.
  std::optional<std::uint64_t> times;
};

struct fake_script {
  /// Names that exist; empty: every name does.
  std::vector<std::string> models;
  /// For requests that no rule matches; rules begin with it.
  fake_reply defaults;
  std::vector<fake_rule> rules;
};

struct fake_script_reading {
  fake_script script;
  /// "line 4, rules[0].answer.txt: unknown key: did you mean "text"?". Not empty: no script.
  std::vector<std::string> faults;
};

/// Reads a script, with comments and trailing commas: {"models", "defaults", "rules"}, or the list
/// of rules alone. All faults at once.
fake_script_reading read_fake_script(std::string_view text);

} // namespace sidevoice
