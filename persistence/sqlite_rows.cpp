#include "persistence/sqlite_rows.hpp"

#include "persistence/sqlite_schema.hpp"

#include <limits>

namespace sidevoice::sqlite_rows {

namespace {

constexpr const char* row_of_session =
  "SELECT app, id, user, release, epoch, node, head, status, open_responses, created_at, "
  "updated_at FROM sessions WHERE app = ? AND id = ?";
constexpr const char* rows_of_all =
  "SELECT app, id, user, release, epoch, node, head, status, open_responses, created_at, "
  "updated_at FROM sessions WHERE (?1 = '' OR app = ?1) "
  "ORDER BY updated_at DESC, app, id LIMIT ?2";
// The literal condition lets SQLite use the partial index `sessions_open`.
constexpr const char* rows_of_open =
  "SELECT app, id, user, release, epoch, node, head, status, open_responses, created_at, "
  "updated_at FROM sessions WHERE open_responses > 0 AND (?1 = '' OR app = ?1) "
  "ORDER BY updated_at DESC, app, id LIMIT ?2";
constexpr const char* events_after =
  "SELECT e.seq, e.at, e.type, e.v, e.in_blob, e.digest, "
  "CASE WHEN e.in_blob THEN b.body ELSE e.body END "
  "FROM events e LEFT JOIN blobs b ON e.in_blob AND b.app = e.app AND b.sha256 = e.digest "
  "WHERE e.app = ? AND e.session_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?";
constexpr const char* snapshots_before =
  "SELECT seq, body, digest FROM snapshots WHERE app = ? AND session_id = ? AND seq <= ? "
  "AND fold_version = ? ORDER BY seq DESC";

session_row to_row(const sqlite_statement& from) {
  return {.key = {.app = from.text(0), .id = from.text(1)},
          .user = from.text(2),
          .release = from.text(3),
          .epoch = from.count(4),
          .node = from.text(5),
          .head = from.count(6),
          .status = from.text(7),
          .open_responses = from.count(8),
          .created_at = from.number(9),
          .updated_at = from.number(10)};
}

/// SQLite counts in signed numbers.
std::uint64_t bounded(std::uint64_t number) {
  return std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max());
}

/// A version that no build has, for numbers that are none.
int to_version(std::int64_t number) {
  return number < 1 || number > std::numeric_limits<int>::max() ? 0 : static_cast<int>(number);
}

error damage(std::string why) {
  return {.code = errc::damaged, .detail = std::move(why)};
}

/// The error's detail ends the sentence "event 3 ...".
result<event_ptr> to_event(const sqlite_statement& from) {
  const auto seq = from.count(0);
  auto type = from.text(2);
  const bool in_blob = from.number(4) != 0;
  if (from.is_null(6)) {
    if (in_blob)
      return damage("has lost its blob");
    return std::make_shared<const event>(
      event{.seq = seq, .at = from.number(1), .body = erased{std::move(type)}});
  }
  const auto body = from.text(6);
  if (sha256(body) != from.text(5))
    return damage("does not match its digest");
  auto decoded = decode(type, to_version(from.number(3)), body);
  if (!decoded)
    return damage("cannot be read: " + decoded.error().detail);
  return std::make_shared<const event>(
    event{.seq = seq, .at = from.number(1), .body = std::move(*decoded)});
}

/// Why a snapshot is passed over, or what it holds.
result<session_view> to_view(const std::string& body, const std::string& digest,
                             std::uint64_t seq) {
  if (sha256(body) != digest)
    return damage("it does not match its digest");
  auto view = decode_view(body);
  if (view && view->head != seq)
    return damage("it is of another event than it says");
  return view;
}

} // namespace

error damaged_event(const session_key& key, std::uint64_t seq, const std::string& why) {
  return {.code = errc::damaged,
          .detail = "event " + std::to_string(seq) + " of session " + key.app + "/" + key.id + " "
                    + why + "; `sidevoice store verify --session " + key.id
                    + "` says what can be done",
          .param = std::to_string(seq)};
}

std::optional<session_row> find_session_row(sqlite_connection& connection, const session_key& key) {
  auto found = connection.use(row_of_session, key.app, key.id);
  if (!found->step())
    return std::nullopt;
  return to_row(*found.operator->());
}

result<session_list> read_sessions(sqlite_connection& connection, const list_sessions& job) {
  auto found = connection.use(job.open_only ? rows_of_open : rows_of_all, job.app,
                              bounded(std::uint64_t{job.limit}));
  session_list list;
  while (found->step())
    list.rows.push_back(to_row(*found.operator->()));
  return list;
}

result<std::vector<event_ptr>> read_journal(sqlite_connection& connection, const session_key& key,
                                            std::uint64_t after, std::uint64_t limit) {
  auto found = connection.use(events_after, key.app, key.id, bounded(after), bounded(limit));
  std::vector<event_ptr> events;
  while (found->step()) {
    const auto expected = after + events.size() + 1;
    if (found->count(0) != expected)
      return damaged_event(key, expected, "is missing");
    auto next = to_event(*found.operator->());
    if (!next)
      return damaged_event(key, expected, next.error().detail);
    events.push_back(std::move(*next));
  }
  return events;
}

void walk_journal(sqlite_connection& connection, const session_key& key,
                  const std::function<void(std::int64_t seq, result<event_ptr> found)>& take) {
  auto found = connection.use(events_after, key.app, key.id,
                              std::numeric_limits<std::int64_t>::min(), std::int64_t{-1});
  while (found->step())
    take(found->number(0), to_event(*found.operator->()));
}

std::vector<stored_snapshot> read_snapshots(sqlite_connection& connection, const session_key& key) {
  auto found = connection.use(snapshots_before, key.app, key.id,
                              std::numeric_limits<std::int64_t>::max(), fold_version);
  std::vector<stored_snapshot> all;
  while (found->step())
    all.push_back({found->count(0), to_view(found->text(1), found->text(2), found->count(0))});
  return all;
}

view_ptr read_snapshot(sqlite_connection& connection, const session_key& key, std::uint64_t head) {
  auto found = connection.use(snapshots_before, key.app, key.id, bounded(head), fold_version);
  // A snapshot is only a shortcut: a damaged one is passed over, the journal has it all.
  while (found->step())
    if (auto view = to_view(found->text(1), found->text(2), found->count(0)))
      return std::make_shared<const session_view>(std::move(*view));
  return std::make_shared<const session_view>();
}

} // namespace sidevoice::sqlite_rows
