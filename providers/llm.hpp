#pragma once

#include "config/app.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "config/result.hpp"
#include "config/vendor_account.hpp"
#include "providers/http.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// The language-model interface. A vendor is one file, one line in catalog.def and one test that
/// runs the conformance suite (tests/providers/llm_conformance.hpp) against its fake.
namespace sidevoice {

class speech_engines;

enum class llm_role { system, user, assistant, function_call, function_call_output };

/// One entry of the prompt's history.
struct llm_message {
  llm_role role = llm_role::user;
  /// Id of the item it came from.
  std::string id;
  /// Text of a message, arguments (JSON text) of a call, output of a call.
  std::string text;
  std::string call_id;
  /// Function name of a call.
  std::string name;

  bool operator==(const llm_message&) const = default;
};

struct llm_tool {
  std::string name;
  std::string description;
  /// JSON Schema of the arguments.
  json_text parameters;

  bool operator==(const llm_tool&) const = default;
};

/// A topic with its state, for the board that both agents see.
struct board_topic {
  /// Declaration; points into the request's app.
  const topic_declaration* topic = nullptr;
  /// "open", "answered", "confirmed", "contradicted", "skipped"
  std::string status;
  json_text value;
};

enum class llm_purpose {
  /// Lead the conversation: text and tool calls.
  converse,
  /// Keep the checklist: calls of `update_topic` only.
  analyze,
};

struct llm_request {
  llm_purpose purpose = llm_purpose::converse;
  app_ptr app;
  std::string instructions;
  /// Sorted by name.
  std::vector<llm_tool> tools;
  /// "auto", "none", "required" or a tool's name.
  std::string tool_choice = "auto";
  /// Oldest first.
  std::vector<llm_message> history;
  /// The checklist as it stood when the request was made, in the app's order. Text models get it as
  /// one last developer message.
  std::vector<board_topic> board;
  /// Topic that the checklist wants asked next; empty: none. Left out where the newest message has
  /// not been analyzed yet and may answer it.
  std::string next_topic;
  /// Items from this index of `history` on have not been analyzed yet.
  std::size_t unanalyzed_from = 0;
  /// The session's day and language, for "tomorrow".
  std::int64_t wall_ms = 0;
  std::string zone;
  std::string locale;
  std::uint32_t max_output_tokens = 1024;
  /// W3C trace context, passed on to vendors; empty: none.
  std::string traceparent;
};

// -- what a stream says
// -------------------------------------------------------------------------------

struct llm_text {
  std::string delta;
};

/// A whole call; arguments are JSON text as the model wrote it (not checked).
struct llm_call {
  std::string call_id;
  std::string name;
  json_text arguments;
};

struct llm_done {
  /// "stop", "length", "content_filter"
  std::string reason = "stop";
  std::uint64_t input_tokens = 0;
  /// Part of the input tokens.
  std::uint64_t cached_tokens = 0;
  std::uint64_t output_tokens = 0;
};

struct llm_failed {
  error why;
};

/// Any number of texts and calls, then exactly one llm_done or llm_failed, then nothing.
using llm_event = std::variant<llm_text, llm_call, llm_done, llm_failed>;

/// Called on the loop, never from inside `open`; must not block and must not throw.
using llm_sink = std::function<void(llm_event)>;

/// One generation under way. Destroying it cancels it; a call to the sink already under way may
/// still arrive, so the sink carries response and attempt.
class llm_stream {
public:
  virtual ~llm_stream() = default;
};

class llm_provider {
public:
  virtual ~llm_provider() = default;

  /// Starts a generation. Errors that are known at once are returned; later ones arrive as
  /// llm_failed. Called from any actor's thread.
  virtual result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) = 0;
};

/// What every provider factory gets. The references outlive the providers.
struct provider_context {
  loop& where;
  id_source& ids;
  counters& count;
  /// Null: no network; vendors answer `unavailable`, reason `no_network`.
  http_client* http = nullptr;
  /// The app's account with this vendor, as it is now.
  vendor_account account = {};
  failover_settings failover = {};
  /// Null: no local speech.
  speech_engines* speech = nullptr;
};

} // namespace sidevoice
