#pragma once

#include "actors/messages.hpp"
#include "config/ids.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Decides what becomes of the calls of tools. Pure: the state comes in, events come out.
namespace sidevoice {

/// Starts of one call before it is given up. One with `effect: once` is started once.
inline constexpr std::uint32_t max_call_attempts = 3;

/// Calls of one answer; more are refused, and the model is told.
inline constexpr std::size_t max_calls_of_answer = 16;

/// What the session knows of those who run calls.
struct call_status {
  /// The conversation actor is there to run calls of this server.
  bool runner = false;
  /// Calls whose start this incarnation has decided, and that nobody has lost.
  std::set<std::string> ours;
  /// Names of tools that attached pages offer.
  std::set<std::string> offered;
  /// Calls that are to be sent again, since a page has come back that offers their tool.
  std::set<std::string> send_again;
  /// The release is tried out: calls with effects are not made.
  bool simulate = false;
  std::int64_t wall_ms = 0;
};

/// What a finished answer's calls lead to, each behind its item: call.opened where somebody runs
/// it, else its output at once (no such tool, arguments that break the schema, too many calls).
/// `options` are those of the response; null after a crash.
std::vector<event_body> take_calls(const app_definition& app, const session_view& view,
                                   const std::vector<item>& calls, const response_options* options,
                                   id_source& ids);

/// The same for the analyzer, which may call only what `analyzer_tools` lists. `refused` gets a
/// sentence for each call that was not taken.
std::vector<event_body> take_analyzer_calls(const app_definition& app, const session_view& view,
                                            const std::vector<proposed_call>& calls,
                                            std::vector<std::string>& refused);

/// What is to be done with the open calls now that something has changed: starts, starts again
/// after a loss (never where the effect forbids it), ends. A call.started that is durable is then
/// handed to whoever runs it.
std::vector<event_body> decide_calls(const app_definition& app, const session_view& view,
                                     const call_status& status, id_source& ids);

/// The request for an answer to outputs that this server or a page has given, once all calls of
/// their response have ended; nothing while a response is open. Rests on the state alone, so that
/// a crash between the two is made good.
std::optional<response_requested> continue_after_calls(const session_view& view, id_source& ids);

/// Ends a call: its output as an item (of the conversation), and call.ended.
std::vector<event_body> end_call(const session_view& view, const call_state& call,
                                 const std::string& outcome, std::string output, id_source& ids);

/// The call's time is over: "timeout", "unknown" where it may have had its effect, "refused"
/// without an approval, "no_page".
std::vector<event_body> expire_call(const app_definition& app, const session_view& view,
                                    const call_state& call, id_source& ids);

/// Waits for people and for clients that brought their tools along; tools of the app have their
/// own.
struct call_patience {
  std::chrono::milliseconds approval = std::chrono::minutes{5};
  std::chrono::milliseconds client = std::chrono::minutes{10};
};

/// How long a call is waited for from its newest event on.
std::chrono::milliseconds patience_of(const app_definition& app, const call_state& call,
                                      const call_patience& patience);

/// Rounds of tools that led to this response.
std::uint32_t tool_rounds(const session_view& view, const std::string& response);

/// Calls without an effect that a new input makes pointless.
std::vector<event_body> cancel_calls(const app_definition& app, const session_view& view,
                                     id_source& ids, std::vector<std::string>& cancelled);

/// The visitor's decision. Errors as of `answer_approval`.
result<std::vector<event_body>> judge_approval(const session_view& view,
                                               const answer_approval& answer, id_source& ids);

/// Error `invalid`, for the model: what is wrong with the arguments and what the schema wants.
result<void> check_arguments(const tool_declaration& tool, const json_text& arguments);

} // namespace sidevoice
