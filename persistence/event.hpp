#pragma once

#include "config/app.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The durable events of a session. The journal is the single truth; everything else is a fold of
/// it (`persistence/fold.hpp`). Texts are valid UTF-8 without NUL: every input is checked before.
namespace sidevoice {

// -- items
// ------------------------------------------------------------------------------------------

enum class item_kind { message, function_call, function_call_output };
enum class item_role { system, user, assistant };
enum class item_status { completed, incomplete };

/// One entry of the history (the Realtime API's notion). Holds what was heard: the part of an
/// interrupted answer that nobody received is kept apart in `unheard`.
struct item {
  std::string id;
  item_kind kind = item_kind::message;
  /// Messages only.
  item_role role = item_role::user;
  item_status status = item_status::completed;
  std::string text;
  std::string unheard;
  /// Function calls and their outputs.
  std::string call_id;
  std::string name;
  std::string arguments;
  std::string output;
  /// The response that made it; empty for items of clients.
  std::string response;
  /// A message that was spoken; `text` is its transcript.
  bool spoken = false;
  /// Length of its sound, of an answer as far as it was heard.
  std::uint32_t audio_ms = 0;

  bool operator==(const item&) const = default;
};

// -- the checklist
// ----------------------------------------------------------------------------------

enum class topic_status { open, answered, confirmed, contradicted, skipped };

/// Who changed a topic: an analysis, a person by hand, or the checklist's own conditions.
enum class topic_author { analyzer, person, rule };

/// The proof of a value: a quote that is a substring of that item's text.
struct topic_evidence {
  std::string item;
  std::string quote;
  double confidence = 1.0;

  bool operator==(const topic_evidence&) const = default;
};

// -- responses
// --------------------------------------------------------------------------------------

enum class response_status { completed, cancelled, incomplete, failed };

struct token_usage {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  /// Part of the input that the vendor had kept.
  std::uint64_t cached = 0;
  /// What it cost, in millionths of a euro.
  std::uint64_t cost = 0;

  bool operator==(const token_usage&) const = default;
};

// -- calls of tools
// ---------------------------------------------------------------------------------

/// Which agent called.
enum class call_author { conversation, analyzer };

/// Who runs the call: this server (webhooks and built-in tools), a page that has offered the
/// tool, or the client that brought the tool along and answers on its own.
enum class call_runner { server, page, client };

// -- the events, in the order a session meets them
// ---------------------------------------------------

struct session_started {
  static constexpr std::string_view type = "session.started";
  std::string app;
  std::string user;
  std::string release;
  /// Frozen, so that "tomorrow" stays the same day when the session is folded again.
  std::string locale;
  std::string zone;

  bool operator==(const session_started&) const = default;
};

/// Adds an item, or replaces the one of the same id. The view is the newest put per id, by rank.
struct item_put {
  static constexpr std::string_view type = "item.put";
  std::string rank;
  item value;

  bool operator==(const item_put&) const = default;
};

struct item_removed {
  static constexpr std::string_view type = "item.removed";
  std::string id;

  bool operator==(const item_removed&) const = default;
};

/// The visitor has spoken and their turn is over; what was said is not known yet. Adds the item,
/// without words.
struct input_speech {
  static constexpr std::string_view type = "input.speech";
  std::string rank;
  std::string item;
  /// The microphone's stream it was heard on, and where: milliseconds since its beginning.
  std::string stream;
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = 0;

  bool operator==(const input_speech&) const = default;
};

/// What was said. The item counts as new from here on.
struct input_transcribed {
  static constexpr std::string_view type = "input.transcribed";
  std::string item;
  std::string text;
  /// Empty; or why there is no text: "nothing" (no words in it), "failed" (every engine did),
  /// "lost" (a crash, and the sound did not come again).
  std::string reason;

  bool operator==(const input_transcribed&) const = default;
};

/// A spoken answer was heard only so far, as became known after its end.
struct item_heard {
  static constexpr std::string_view type = "item.heard";
  std::string id;
  std::uint32_t ms = 0;
  /// A prefix of what the item said.
  std::string text;

  bool operator==(const item_heard&) const = default;
};

/// Somebody waits for an answer. At most one response per cause.
struct response_requested {
  static constexpr std::string_view type = "response.requested";
  std::string response;
  /// Ids of the items it answers, or "greeting", or the response's own id (a request of its own).
  std::vector<std::string> cause;

  bool operator==(const response_requested&) const = default;
};

/// One run of the model begins. Attempts count from 1.
struct response_started {
  static constexpr std::string_view type = "response.started";
  std::string response;
  std::uint32_t attempt = 1;
  /// The id its message item will have; a new one for each attempt.
  std::string item;

  bool operator==(const response_started&) const = default;
};

/// A clause that was handed to connections; written at most one clause behind.
struct response_spoken {
  static constexpr std::string_view type = "response.spoken";
  std::string response;
  std::uint32_t attempt = 1;
  /// Counted from 1.
  std::uint32_t clause = 1;
  std::string text;

  bool operator==(const response_spoken&) const = default;
};

/// The one terminal event of a response. Its items were put before, in the same append.
struct response_done {
  static constexpr std::string_view type = "response.done";
  std::string response;
  response_status status = response_status::completed;
  /// "turn_detected", "client_cancelled", "max_output_tokens", "owner_lost", "poison", or an errc.
  std::string reason;
  token_usage usage;

  bool operator==(const response_done&) const = default;
};

/// A call that is waited for. Of the conversation: in the same append as its item.
struct call_opened {
  static constexpr std::string_view type = "call.opened";
  std::string call;
  std::string name;
  /// JSON text.
  json_text arguments;
  call_author by = call_author::conversation;
  call_runner runner = call_runner::server;
  /// The response that made it; empty for the analyzer's.
  std::string response;
  /// Nothing runs before the visitor has agreed.
  bool needs_approval = false;

  bool operator==(const call_opened&) const = default;
};

/// The visitor agreed (or not: then call.ended is in the same append).
struct call_approved {
  static constexpr std::string_view type = "call.approved";
  std::string call;
  bool approved = false;

  bool operator==(const call_approved&) const = default;
};

/// From when this is durable on, the call may have run.
struct call_started {
  static constexpr std::string_view type = "call.started";
  std::string call;
  std::uint32_t attempt = 1;

  bool operator==(const call_started&) const = default;
};

/// The one end of a call. The output of the conversation's stands in its item, put in the same
/// append; the analyzer's stands here.
struct call_ended {
  static constexpr std::string_view type = "call.ended";
  std::string call;
  /// "ok", "failed", "timeout", "unknown", "cancelled", "refused", "no_page", "simulated"
  std::string outcome;
  std::string output;

  bool operator==(const call_ended&) const = default;
};

/// A topic's whole new state. `revision` is the checklist's, one higher than before.
struct topic_updated {
  static constexpr std::string_view type = "topic.updated";
  std::string topic;
  topic_status status = topic_status::open;
  /// JSON text in canonical form; empty: no value.
  json_text value;
  topic_evidence evidence;
  topic_author by = topic_author::analyzer;
  std::uint64_t revision = 0;
  /// The head that the author had read.
  std::uint64_t head_read = 0;
  /// Id of the edit, so that a repeated one is known; empty for analyses.
  std::string edit;
  /// True when this puts back what an earlier change replaced.
  bool undo = false;
  /// Of a topic that a rule skips: the status it comes back to, with the value it keeps meanwhile.
  topic_status resumes = topic_status::open;

  bool operator==(const topic_updated&) const = default;
};

/// Everything up to `head_read` has been analyzed.
struct analysis_done {
  static constexpr std::string_view type = "analysis.done";
  std::uint64_t head_read = 0;
  token_usage usage;

  bool operator==(const analysis_done&) const = default;
};

/// The parts of a spoken turn's silence, in ms, each since the one before: they add up to the
/// silence that the visitor heard.
struct turn_measured {
  static constexpr std::string_view type = "turn.measured";
  std::string response;
  std::string item;
  /// From the end of the voice to the decision that the turn is over.
  std::uint32_t end_of_speech = 0;
  std::uint32_t transcript = 0;
  std::uint32_t first_token = 0;
  std::uint32_t first_clause = 0;
  /// To the first sound that was sent.
  std::uint32_t first_audio = 0;
  /// To the first sound that was played, where the client tells.
  std::uint32_t played = 0;

  bool operator==(const turn_measured&) const = default;
};

struct session_completed {
  static constexpr std::string_view type = "session.completed";
  std::uint64_t revision = 0;
  /// {"topic": value, ...} of the topics with a value.
  json_text result;

  bool operator==(const session_completed&) const = default;
};

struct session_reopened {
  static constexpr std::string_view type = "session.reopened";
  std::uint64_t revision = 0;

  bool operator==(const session_reopened&) const = default;
};

struct session_ended {
  static constexpr std::string_view type = "session.ended";
  /// completed, left, expired, ended, budget, failed
  std::string reason;

  bool operator==(const session_ended&) const = default;
};

/// A body that was erased: the event keeps its number, its type and its digest, nothing else.
struct erased {
  static constexpr std::string_view type = "erased";
  std::string was;

  bool operator==(const erased&) const = default;
};

using event_body =
  std::variant<session_started, item_put, item_removed, input_speech, input_transcribed, item_heard,
               response_requested, response_started, response_spoken, response_done, call_opened,
               call_approved, call_started, call_ended, topic_updated, analysis_done, turn_measured,
               session_completed, session_reopened, session_ended, erased>;

/// One entry of the journal.
struct event {
  /// Numbered from 1 without a gap within its session.
  std::uint64_t seq = 0;
  /// Milliseconds since 1970, UTC; display only.
  std::int64_t at = 0;
  event_body body;

  bool operator==(const event&) const = default;
};

using event_ptr = std::shared_ptr<const event>;

/// The body's type name, such as "item.put"; of an erased one the type it had.
std::string_view type_of(const event_body& body);

/// The version that `encode` writes for this type.
int version_of(const event_body& body);

/// The body as JSON text (an object; keys in alphabetical order, so equal bodies give equal bytes).
json_text encode(const event_body& body);

/// Reads a body of any known version (upcasters live here). Unknown fields are ignored. Errors:
/// `damaged` for unknown types, versions from the future and bodies that do not parse.
result<event_body> decode(std::string_view type, int version, std::string_view body);

// Spellings in journals and protocols, such as "function_call" and "answered".
const char* to_string(item_kind kind);
const char* to_string(item_role role);
const char* to_string(item_status status);
const char* to_string(topic_status status);
const char* to_string(topic_author author);
const char* to_string(response_status status);
const char* to_string(call_author author);
const char* to_string(call_runner runner);
std::optional<topic_status> topic_status_from(std::string_view name);

} // namespace sidevoice
