#include "persistence/sqlite_journal.hpp"

#include "persistence/sqlite_rows.hpp"
#include "persistence/sqlite_schema.hpp"

#include <limits>

namespace sidevoice::sqlite_journal {

using namespace sqlite_rows;

namespace {

/// Bodies above this go to `blobs`.
constexpr std::size_t inline_body_max = std::size_t{64} * 1024;
/// The newest one, and one to fall back on should it be damaged.
constexpr std::size_t snapshots_max = 2;

constexpr const char* insert_session =
  "INSERT INTO sessions(app, id, user, release, epoch, node, head, status, open_responses, "
  "created_at, updated_at) VALUES(?, ?, ?, ?, 0, '', 0, 'live', 0, ?, ?)";
constexpr const char* raise_epoch = "UPDATE sessions SET epoch = ?3, node = ?4, updated_at = ?5 "
                                    "WHERE app = ?1 AND id = ?2";
constexpr const char* move_head =
  "UPDATE sessions SET head = ?5, status = ?6, open_responses = ?7, updated_at = ?8 "
  "WHERE app = ?1 AND id = ?2 AND epoch = ?3 AND head = ?4";
constexpr const char* insert_event =
  "INSERT INTO events(app, session_id, seq, epoch, node, append_id, type, v, at, digest, "
  "client_key, body, in_blob) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), ?, ?)";
constexpr const char* insert_blob =
  "INSERT OR IGNORE INTO blobs(app, sha256, body) VALUES(?, ?, ?)";
constexpr const char* key_is_known =
  "SELECT 1 FROM events WHERE app = ? AND session_id = ? AND client_key = ?";
// Newest first: it is asked after a break, about the last thing that was written.
constexpr const char* append_is_known =
  "SELECT 1 FROM events WHERE app = ? AND session_id = ? AND append_id = ? "
  "ORDER BY seq DESC LIMIT 1";
constexpr const char* insert_snapshot =
  "INSERT OR REPLACE INTO snapshots(app, session_id, seq, fold_version, body, digest) "
  "VALUES(?, ?, ?, ?, ?, ?)";
constexpr const char* drop_old_snapshots =
  "DELETE FROM snapshots WHERE app = ?1 AND session_id = ?2 AND seq NOT IN (SELECT seq FROM "
  "snapshots WHERE app = ?1 AND session_id = ?2 ORDER BY seq DESC LIMIT ?3)";
constexpr const char* add_spend = "INSERT INTO spend(app, day, micro) VALUES(?1, ?2, ?3) "
                                  "ON CONFLICT(app, day) DO UPDATE SET micro = micro + ?3";

bool is_known(sqlite_connection& connection, const session_key& key,
              const std::string& client_key) {
  return connection.use(key_is_known, key.app, key.id, client_key)->step();
}

/// Writes one event. Error `conflict`: its client's key is in the journal already.
result<void> insert(sqlite_connection& connection, const append_events& job,
                    const std::string& node, const event_row& row) {
  const bool repeats = !row.client_key.empty() && is_known(connection, job.key, row.client_key);
  if (repeats && !row.replaceable)
    return repeated_key(row.client_key);
  const auto& client_key = repeats ? std::string{} : row.client_key;
  const auto digest = sha256(row.body);
  const bool in_blob = row.body.size() > inline_body_max;
  if (in_blob)
    connection.run(insert_blob, job.key.app, digest, row.body);
  const auto write = [&](const auto& body) {
    connection.run(insert_event, job.key.app, job.key.id, row.seq, job.epoch, node, job.append_id,
                   row.type, row.version, row.at, digest, client_key, body, int{in_blob});
  };
  if (in_blob)
    write(nullptr);
  else
    write(row.body);
  return {};
}

} // namespace

result<claimed> answer_to(sqlite_connection& connection, const claim_session& job) {
  if (auto checked = check_claim(job); !checked)
    return checked.error();
  auto row = find_session_row(connection, job.key);
  const bool create = !row;
  if (create && !job.create)
    return unknown_session();
  if (create) {
    connection.run(insert_session, job.key.app, job.key.id, job.user, job.release, job.at, job.at);
    row = new_row(job);
  }
  row->epoch += 1;
  row->node = job.node;
  row->updated_at = job.at;
  connection.run(raise_epoch, job.key.app, job.key.id, row->epoch, row->node, row->updated_at);
  const auto snapshot = read_snapshot(connection, job.key, row->head);
  auto rest = read_journal(connection, job.key, snapshot->head,
                           std::numeric_limits<std::uint64_t>::max());
  if (!rest)
    return rest.error();
  // Qualified: std::apply would match as well.
  auto view = sidevoice::apply(snapshot, *rest);
  if (!view)
    return view.error();
  if (const auto end = (*view)->head; end < row->head)
    return damaged_event(job.key, end + 1, "is missing");
  else if (end > row->head)
    return damaged_event(job.key, row->head + 1, "is beyond the head that its row tells");
  return claimed{.row = std::move(*row), .view = std::move(*view), .created = create};
}

result<appended> answer_to(sqlite_connection& connection, const append_events& job) {
  const auto rows = encode_append(job);
  if (!rows)
    return rows.error();
  const auto session = find_session_row(connection, job.key);
  if (!session)
    return vanished_session();
  if (auto owner = check_owner(job, *session); !owner)
    return owner.error();
  for (const auto& row : *rows)
    if (auto inserted = insert(connection, job, session->node, row); !inserted)
      return inserted.error();
  const auto head = rows->back().seq;
  connection.run(move_head, job.key.app, job.key.id, job.epoch, job.head, head, job.status,
                 job.open_responses, rows->back().at);
  if (job.spent > 0)
    connection.run(add_spend, job.key.app, int{job.day}, job.spent);
  return appended{head};
}

result<append_found> answer_to(sqlite_connection& connection, const find_append& job) {
  return append_found{
    connection.use(append_is_known, job.key.app, job.key.id, job.append_id)->step()};
}

result<events_page> answer_to(sqlite_connection& connection, const read_events& job) {
  if (!find_session_row(connection, job.key))
    return unknown_session();
  auto events = read_journal(connection, job.key, job.after, job.limit);
  if (!events)
    return events.error();
  return events_page{std::move(*events)};
}

result<snapshot_kept> answer_to(sqlite_connection& connection, const put_snapshot& job) {
  const auto row = find_session_row(connection, job.key);
  if (!row)
    return unknown_session();
  // One that is ahead of the journal would bring back what was never committed.
  if (!job.view || job.view->head == 0 || job.view->head > row->head)
    return snapshot_kept{};
  const auto body = encode(*job.view);
  connection.run(insert_snapshot, job.key.app, job.key.id, job.view->head, fold_version, body,
                 sha256(body));
  connection.run(drop_old_snapshots, job.key.app, job.key.id, std::uint64_t{snapshots_max});
  return snapshot_kept{};
}

result<session_list> answer_to(sqlite_connection& connection, const list_sessions& job) {
  return read_sessions(connection, job);
}

} // namespace sidevoice::sqlite_journal
