#pragma once

#include "persistence/sqlite_connection.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace sidevoice::sqlite_rows {

/// Reads a session's row; nothing when it is unknown.
std::optional<session_row> find_session_row(sqlite_connection& connection, const session_key& key);

result<session_list> read_sessions(sqlite_connection& connection, const list_sessions& job);

/// Reads up to `limit` events after a number. Error `damaged`: its `param` is the number of the
/// first event that is missing or cannot be read.
result<std::vector<event_ptr>> read_journal(sqlite_connection& connection, const session_key& key,
                                            std::uint64_t after, std::uint64_t limit);

/// Gives every row of a session's journal to `take`, in order, whatever it holds: its number, and
/// the event or why it cannot be read, as the end of the sentence "event 3 ...". Numbers may be
/// missing, or be none that an event has.
void walk_journal(sqlite_connection& connection, const session_key& key,
                  const std::function<void(std::int64_t seq, result<event_ptr> found)>& take);

/// The error of a damaged event. `why` ends the sentence "event 3 of session moving/sess_1".
error damaged_event(const session_key& key, std::uint64_t seq, const std::string& why);

/// A stored snapshot of this build's fold.
struct stored_snapshot {
  std::uint64_t seq = 0;
  /// Error `damaged`: why it is passed over.
  result<session_view> view;
};

/// All of a session, newest first.
std::vector<stored_snapshot> read_snapshots(sqlite_connection& connection, const session_key& key);

/// The newest snapshot of this build's fold that is whole and not beyond `head`; an empty view
/// where there is none.
view_ptr read_snapshot(sqlite_connection& connection, const session_key& key, std::uint64_t head);

} // namespace sidevoice::sqlite_rows
