#pragma once

#include "persistence/append_rules.hpp"
#include "persistence/sqlite_connection.hpp"

namespace sidevoice::sqlite_journal {

/// Each runs one job in the open transaction of the connection. What it returns counts once that
/// transaction is committed; after an error the caller takes its changes back. Throws
/// `sqlite_failure`.
result<claimed> answer_to(sqlite_connection& connection, const claim_session& job);
result<appended> answer_to(sqlite_connection& connection, const append_events& job);
result<append_found> answer_to(sqlite_connection& connection, const find_append& job);
result<events_page> answer_to(sqlite_connection& connection, const read_events& job);
result<snapshot_kept> answer_to(sqlite_connection& connection, const put_snapshot& job);
result<session_list> answer_to(sqlite_connection& connection, const list_sessions& job);
result<release_kept> answer_to(sqlite_connection& connection, const put_release& job);
result<release_found> answer_to(sqlite_connection& connection, const get_release& job);
result<release_pointed> answer_to(sqlite_connection& connection, const point_release& job);
result<release_list> answer_to(sqlite_connection& connection, const list_releases& job);
result<key_kept> answer_to(sqlite_connection& connection, const put_key& job);
result<key_list> answer_to(sqlite_connection& connection, const list_keys& job);
result<key_revoked> answer_to(sqlite_connection& connection, const revoke_key& job);
result<spend_found> answer_to(sqlite_connection& connection, const get_spend& job);

} // namespace sidevoice::sqlite_journal
