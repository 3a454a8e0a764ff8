#pragma once

#include "persistence/sqlite_connection.hpp"
#include "persistence/store.hpp"

#include <optional>
#include <vector>

namespace sidevoice::sqlite_rows {

/// Reads a session's row; nothing when it is unknown.
std::optional<session_row> find_session_row(sqlite_connection& connection, const session_key& key);

result<session_list> read_sessions(sqlite_connection& connection, const list_sessions& job);

/// Reads up to `limit` events after a number. Error `damaged`: names the first event that is
/// missing or does not match its digest.
result<std::vector<event_ptr>> read_journal(sqlite_connection& connection, const session_key& key,
                                            std::uint64_t after, std::uint64_t limit);

/// The newest snapshot of this build's fold that is whole and not beyond `head`; an empty view
/// where there is none.
view_ptr read_snapshot(sqlite_connection& connection, const session_key& key, std::uint64_t head);

} // namespace sidevoice::sqlite_rows
