#pragma once

#include "persistence/store.hpp"

#include <string>
#include <vector>

/// What every store checks and refuses alike, and what an append says of its session.
namespace sidevoice {

/// An event as a table holds it.
struct event_row {
  std::uint64_t seq = 0;
  std::int64_t at = 0;
  std::string type;
  int version = 0;
  json_text body;
  /// What a client may send only once per session: "item:ID" (the first put of an item counts),
  /// "response:ID" or "edit:ID"; empty for other events.
  std::string client_key;
  /// A second event with this key is a replacement and no repetition.
  bool replaceable = false;
};

/// Checks an append and encodes its events. Errors `invalid`: numbers that do not follow its head,
/// no events, no append id, spend without a day, erased bodies, texts that are not UTF-8 or hold
/// NUL.
result<std::vector<event_row>> encode_append(const append_events& job);

/// Errors `invalid`: an empty id, or NUL in a text of the row.
result<void> check_claim(const claim_session& job);

/// The row that a claim makes: epoch 0, which the claim then raises.
session_row new_row(const claim_session& job);

/// Refuses an append whose owner believes something else than the row says.
result<void> check_owner(const append_events& job, const session_row& row);

/// "live", "completed" or "ended": the row's status for a state.
std::string row_status(const session_view& view);

/// What of a state waits for its end: the row's `open_responses`.
std::uint64_t open_work(const session_view& view);

/// The error of an append that repeats a client's key.
error repeated_key(const std::string& client_key);

error unknown_session();

/// The error of an append to a session whose row is gone: like one that another owner took.
error vanished_session();

/// Calls a job's `done` later with its answer.
template <class Job>
store_completion completion(store_task<Job>&& task, result<typename answer_of<Job>::type> answer) {
  return [done = std::move(task.done), answer = std::move(answer)]() mutable {
    if (done)
      done(std::move(answer));
  };
}

} // namespace sidevoice
