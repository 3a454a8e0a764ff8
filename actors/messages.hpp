#pragma once

#include "config/result.hpp"
#include "persistence/fold.hpp"
#include "providers/llm.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What actors tell each other, in the order an utterance meets it. All of it stays within the
/// process. Every message of a response carries its id and attempt: whoever sees a cancelled one
/// drops it, so that an interruption is a comparison and not a race.
namespace sidevoice {

// -- what clients ask of a session
// ------------------------------------------------------------------ Each is answered by
// `accepted`, which means durable, or by an error (`from_caf`), which means that nothing was
// stored. Each carries an id made by the connection, so that repeating one after a crash gives the
// same answer and no second effect.

/// Overrides of one response; they live with the connection and are not journaled.
struct response_options {
  /// Appended to the app's.
  std::string instructions;
  /// Client tools, added to the app's.
  std::vector<llm_tool> tools;
  std::string tool_choice = "auto";
  std::uint32_t max_output_tokens = 1024;
};
using response_options_ptr = std::shared_ptr<const response_options>;

/// Adds an item. With `answer`, also asks for a response in the same append, and interrupts a
/// running one. A known item id is accepted again without effect. Errors: `invalid` with reason
/// `previous_item_unknown` or `call_unknown` (a function_call_output without its call, or for a
/// call that has its output), `not_found` once the session has ended.
struct put_item {
  item value;
  /// Unset: at the end. "root": at the front. Else behind that item.
  std::optional<std::string> previous;
  bool answer = false;
  bool revive = false;
  /// Id of the response, with `answer`.
  std::string response;
  response_options_ptr options;
};

/// Errors: `not_found`.
struct remove_item {
  std::string id;
};

/// Reads an item; `accepted.found` holds it. Errors: `not_found`.
struct get_item {
  std::string id;
};

/// Asks for a response to what is unanswered, else to the request itself. Errors: `conflict` with
/// reason `response_active`.
struct request_response {
  std::string response;
  response_options_ptr options;
};

/// Errors: `not_found` with reason `response_not_active`.
struct cancel_response {
  /// Empty: the running one.
  std::string response;
};

/// A person sets a topic by hand. Errors: `invalid` (the schema refuses the value; param "value"),
/// `not_found` (no such topic), `conflict` with reason `revision` (it changed after base_revision).
struct edit_topic {
  std::string edit;
  std::string topic;
  /// JSON text; unset: keep the value and set the status.
  std::optional<json_text> value;
  std::optional<topic_status> status;
  /// The topic's revision that the person saw.
  std::uint64_t base_revision = 0;
};

/// Puts back what the newest change replaced. Errors: `not_found` when there is nothing to undo.
struct undo_topic {
  std::string edit;
};

/// The output of a call that a page ran. Errors: `not_found` with reason `call_unknown`; `invalid`
/// with reason `call_answered`.
struct answer_call {
  std::string call;
  /// What the model reads.
  std::string output;
  bool failed = false;
};

/// The visitor agrees to a call, or does not. Errors: `not_found` with reason `call_unknown`.
struct answer_approval {
  std::string call;
  bool approve = false;
};

struct end_session {
  std::string reason = "ended";
};

/// A spoken answer was heard only this far, says its client; beyond its end nothing is to be done.
/// Errors: `not_found`, `invalid` (it was not spoken).
struct hear_item {
  std::string item;
  std::uint32_t ms = 0;
  /// Bytes of its text; unset: in proportion to `ms`.
  std::optional<std::size_t> text_end;
};

using session_command =
  std::variant<put_item, remove_item, get_item, request_response, cancel_response, edit_topic,
               undo_topic, answer_call, answer_approval, hear_item, end_session>;

/// The command's events are in the journal.
struct accepted {
  /// Number of its newest event; of a repeated command, of the event that it had caused.
  std::uint64_t seq = 0;
  bool repeated = false;
  /// Of get_item.
  stored_item_ptr found;
};

// -- what a session tells its listeners
// ---------------------------------------------------------------

/// Durable events, each once and in order: the first is the one after the last published.
struct published {
  std::vector<event_ptr> events;
};

/// A piece of a running answer; ephemeral. Sent only after its response.started was published.
struct answer_delta {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// Counts the pieces of this attempt from 1.
  std::uint32_t n = 1;
  /// The clause it belongs to, counted from 1.
  std::uint32_t clause = 1;
  std::string text;
};

/// The session goes on elsewhere: come back after this time. Nothing follows it.
struct move_away {
  std::chrono::milliseconds reconnect_in{0};
};

/// Something the visitor should know; ephemeral.
struct notice {
  /// Stable, such as "storage_delayed".
  std::string code;
  /// "info", "warning", "error"
  std::string level;
  std::string text;
};

/// A call for this listener to run, which has offered the tool; nobody else gets it. Comes again
/// after a break: the call id says that it is the same one.
struct tool_call {
  std::string call;
  std::string name;
  /// JSON text, checked against the tool's schema.
  json_text arguments;
  std::chrono::milliseconds deadline{0};
  call_author by = call_author::conversation;
};

/// The call has ended without this listener's answer; none is wanted any more.
struct tool_cancelled {
  std::string call;
};

/// The running answer so far, for whoever attaches in its middle.
struct open_answer {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// Pieces published so far, and their text.
  std::uint32_t n = 0;
  std::string text;
};

/// Answer to `attach`.
struct attached {
  /// State at the durable head.
  view_ptr view;
  /// The durable events after the number asked for. Empty with `snapshot`.
  std::vector<event_ptr> events;
  /// The release that the session runs.
  app_ptr app;
  /// The listener asked for a snapshot, or the rest was longer than 1,000 events.
  bool snapshot = false;
  std::optional<open_answer> open;
  /// Names the store's contents; resume tokens carry it.
  std::string store_incarnation;
};

// -- within the session's tree
// -------------------------------------------------------------------------

/// Runs a response; consumes the runner's credit. The item id names the run: attempts repeat where
/// the store refused a start, item ids never do.
struct run_response {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// The state it answers to. May be ahead of the durable head: what comes of it is held back.
  view_ptr view;
  response_options_ptr options;
  app_ptr app;
  /// False: too many rounds of tools came before; this one has to talk.
  bool may_call = true;
  /// Not empty: just this is said, and no model is asked.
  std::string say = {};
  /// W3C trace context of the turn; empty: nobody traces it.
  std::string traceparent = {};
};

/// Runs a call of a tool of this server; its call.started is durable. Answered by `call_done`.
struct run_call {
  call_opened call;
  std::uint32_t attempt = 1;
  app_ptr app;
  std::string session;
  session_started about;
  /// As of `run_response`.
  std::string traceparent = {};
};

/// Forget this call; nothing of it is wanted any more.
struct cancel_call {
  std::string call;
};

/// The end of a run of a call.
struct call_done {
  std::string call;
  std::uint32_t attempt = 1;
  /// As of `call_ended`.
  std::string outcome;
  std::string output;
};

/// Stops a run; nothing more of it is wanted.
struct cancel_run {
  std::string item;
};

/// The end of a run; gives the runner's credit back.
struct answer_done {
  std::string response;
  std::uint32_t attempt = 1;
  /// The run's item id.
  std::string run;
  response_status status = response_status::completed;
  std::string reason;
  /// Function calls for the client, in the order of the model; ids of their items are made here.
  std::vector<item> calls;
  token_usage usage;
};

/// One change that an analysis proposes.
struct proposed_topic {
  std::string topic;
  topic_status status = topic_status::answered;
  json_text value;
  topic_evidence evidence;
};

/// A call of one of the app's tools by the analyzer; its id is made by the analyzer.
struct proposed_call {
  std::string call;
  std::string name;
  json_text arguments;
};

/// The result of an analysis of everything up to `head_read`. Answered by `analysis_taken` once
/// durable.
struct propose_topics {
  std::uint64_t head_read = 0;
  std::vector<proposed_topic> topics;
  std::vector<proposed_call> calls;
  token_usage usage;
};

struct analysis_taken {
  std::uint32_t applied = 0;
  /// Why each refused one was refused, for the model's next attempt and the log.
  std::vector<std::string> refused;
};

/// Which session of which app; `create` makes it where it is unknown.
struct find_session {
  app_ptr app;
  std::string id;
  bool create = false;
  std::string user;
  std::string locale = "en";
  std::string zone = "UTC";
};

/// The node is going away: sessions end the turn that is under way and begin no other, then send
/// their clients elsewhere (`move_away`); after `patience` in any case.
struct drain_session {
  std::chrono::milliseconds patience{0};
};

enum class fault_kind {
  /// An exception leaves a handler.
  crash,
  /// The actor ends as if it had decided so.
  quit,
  /// The next `length` nothing is handled.
  hang,
};

/// A fault made on purpose. Obeyed in test builds only (SIDEVOICE_FAULTS).
struct fault_order {
  /// Empty: all sessions.
  std::string session;
  /// Its name in the supervision tree.
  std::string actor;
  fault_kind kind = fault_kind::crash;
  std::chrono::milliseconds length{0};
};

// -- errors across actors
// -------------------------------------------------------------------------------

/// An `error` as CAF carries it, and back. Errors of CAF itself (time-outs, receivers gone) become
/// `unavailable`.
caf::error to_caf(const error& e);
error from_caf(const caf::error& e);

} // namespace sidevoice

// In-process only: they hold shared pointers and never cross a wire.
#define SIDEVOICE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sidevoice::type)
SIDEVOICE_LOCAL_MESSAGE(put_item)
SIDEVOICE_LOCAL_MESSAGE(remove_item)
SIDEVOICE_LOCAL_MESSAGE(get_item)
SIDEVOICE_LOCAL_MESSAGE(request_response)
SIDEVOICE_LOCAL_MESSAGE(cancel_response)
SIDEVOICE_LOCAL_MESSAGE(edit_topic)
SIDEVOICE_LOCAL_MESSAGE(undo_topic)
SIDEVOICE_LOCAL_MESSAGE(answer_call)
SIDEVOICE_LOCAL_MESSAGE(answer_approval)
SIDEVOICE_LOCAL_MESSAGE(hear_item)
SIDEVOICE_LOCAL_MESSAGE(end_session)
SIDEVOICE_LOCAL_MESSAGE(accepted)
SIDEVOICE_LOCAL_MESSAGE(published)
SIDEVOICE_LOCAL_MESSAGE(answer_delta)
SIDEVOICE_LOCAL_MESSAGE(move_away)
SIDEVOICE_LOCAL_MESSAGE(notice)
SIDEVOICE_LOCAL_MESSAGE(drain_session)
SIDEVOICE_LOCAL_MESSAGE(fault_order)
SIDEVOICE_LOCAL_MESSAGE(attached)
SIDEVOICE_LOCAL_MESSAGE(tool_call)
SIDEVOICE_LOCAL_MESSAGE(tool_cancelled)
SIDEVOICE_LOCAL_MESSAGE(run_call)
SIDEVOICE_LOCAL_MESSAGE(cancel_call)
SIDEVOICE_LOCAL_MESSAGE(call_done)
SIDEVOICE_LOCAL_MESSAGE(run_response)
SIDEVOICE_LOCAL_MESSAGE(cancel_run)
SIDEVOICE_LOCAL_MESSAGE(answer_done)
SIDEVOICE_LOCAL_MESSAGE(propose_topics)
SIDEVOICE_LOCAL_MESSAGE(analysis_taken)
SIDEVOICE_LOCAL_MESSAGE(find_session)
