#pragma once

#include "actors/messages.hpp"
#include "config/ids.hpp"

#include <optional>
#include <string>
#include <vector>

/// Decides which response runs, and how one that lost its runner goes on. Pure: the state comes in,
/// events come out.
namespace sidevoice {

/// Runs of one response before it is given up: what crashes its runner three times is poison.
inline constexpr std::uint32_t max_attempts = 3;

/// Responses that continue one another after crashes, before the session waits for the visitor.
inline constexpr std::uint32_t max_continuations = 2;

/// What the session knows of its runner. A response that the journal calls running, and that is not
/// `response`, was lost with a crash.
struct runner_status {
  /// Somebody is there to run one.
  bool available = false;
  /// Unset: the node goes away. What runs may end, the rest is for the next owner.
  bool may_begin = true;
  /// The response that runs now in this incarnation; empty: none.
  std::string response;
  /// What listeners had been given of a run that was lost in this incarnation, which the journal
  /// may not know yet.
  std::string lost_response;
  std::string lost_text;
};

struct next_step {
  std::vector<event_body> events;
  /// The run to begin once the events are pushed; its view is left to the caller.
  std::optional<run_response> run;
  /// A response was continued or closed after a crash.
  bool recovered = false;
};

/// What to do now that something has changed. Never runs a step again that had an effect:
/// - nothing of the lost run was out: attempt + 1, at the third `failed` (poison);
/// - something was out: closed as incomplete (owner_lost) with what was heard, and a response that
///   continues it is requested;
/// - else the oldest requested response begins, if anything may.
next_step decide_next(const session_view& view, const runner_status& runner, id_source& ids);

/// How an answer was spoken: its sound in ms, as far as it was heard. Unset: it was not.
using spoken_ms = std::optional<std::uint32_t>;

/// The events that end a running response early: what was heard becomes its item, the rest is kept
/// apart. `reason` "client_cancelled" or "turn_detected".
std::vector<event_body> interrupt_response(const session_view& view, const response_state& response,
                                           const std::string& heard, const std::string& held,
                                           const std::string& reason, spoken_ms spoken = {});

/// The events that end a run by its own account: its message, its calls, its end.
std::vector<event_body> finish_response(const session_view& view, const response_state& response,
                                        const answer_done& done, const std::string& text,
                                        spoken_ms spoken = {});

/// Item ids that a new request answers: what is unanswered, else the request itself.
std::vector<std::string> cause_of(const session_view& view, const std::string& response);

/// Rank of the next item at the end: behind the place that is kept for a running answer.
std::string next_rank(const session_view& view);

} // namespace sidevoice
