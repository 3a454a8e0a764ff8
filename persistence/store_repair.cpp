#include "persistence/store_repair.hpp"

#include "persistence/append_rules.hpp"
#include "persistence/data_folder.hpp"
#include "persistence/sqlite_rows.hpp"
#include "persistence/sqlite_schema.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr const char* new_incarnation =
  "UPDATE meta SET value = lower(hex(randomblob(16))) WHERE name = 'incarnation'";

/// A folder's file, held as a server would.
struct held_store {
  data_folder folder;
  sqlite_connection connection;
};

result<std::unique_ptr<held_store>> hold(const std::filesystem::path& folder) {
  const auto file = data_folder::database_in(folder);
  std::error_code code;
  // Holding it would make one.
  if (!std::filesystem::is_regular_file(file, code))
    return error{errc::not_found,
                 "there is no " + file.string() + "; name the data folder of a server with --data"};
  auto held = data_folder::hold(folder);
  if (!held)
    return held.error();
  auto store = std::unique_ptr<held_store>{
    new held_store{std::move(*held), {file, sqlite_access::owner, sqlite_synchronous::full}}};
  if (check_schema(store->connection) != schema_state::current)
    return error{errc::conflict,
                 file.string()
                   + " was written by another sidevoice; start this one once with `sidevoice "
                     "serve` to bring it up to date"};
  return store;
}

// -- what is cut off goes into a file -------------------------------------------------------------

/// A column as JSON: texts that are not UTF-8 as {"hex": ...}.
ordered_json column_of(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    default:
      break;
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  const std::string text{bytes ? bytes : "", bytes ? size : 0};
  try {
    // What cannot be dumped is no UTF-8.
    (void)ordered_json(text).dump();
    return text;
  } catch (const nlohmann::json::exception&) {
    static constexpr const char* digits = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : text) {
      hex += digits[byte >> 4];
      hex += digits[byte & 15];
    }
    return {{"hex", hex}};
  }
}

/// Adds the rows of a statement as lines {"NAME": {column: value, ...}}.
void add_rows(std::string& out, sqlite3* db, const char* name, const char* sql,
              const session_key& key, std::uint64_t from) {
  sqlite_statement rows{db, sql};
  rows.bind(1, key.app);
  rows.bind(2, key.id);
  rows.bind(3, from);
  while (rows.step()) {
    ordered_json line;
    for (int i = 0; i < sqlite3_column_count(rows.handle()); ++i)
      line[sqlite3_column_name(rows.handle(), i)] = column_of(rows.handle(), i);
    out += ordered_json{{name, std::move(line)}}.dump() + '\n';
  }
}

std::string tail_of(sqlite3* db, const session_key& key, std::uint64_t from) {
  std::string out;
  add_rows(out, db, "session", "SELECT * FROM sessions WHERE app = ? AND id = ? AND ?3 > 0", key,
           from);
  add_rows(out, db, "snapshot",
           "SELECT * FROM snapshots WHERE app = ? AND session_id = ? AND seq >= ?", key, from);
  add_rows(out, db, "event",
           "SELECT e.*, b.body AS blob FROM events e LEFT JOIN blobs b ON e.in_blob "
           "AND b.app = e.app AND b.sha256 = e.digest "
           "WHERE e.app = ?1 AND e.session_id = ?2 AND (e.seq >= ?3 OR e.seq < 1) ORDER BY e.seq",
           key, from);
  return out;
}

/// Ids are tame where we made them; a damaged row may hold anything.
std::string file_name_of(const repair_order& order) {
  auto name = order.key.app + "-" + order.key.id;
  for (auto& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-')
      c = '_';
  return "cut-" + name.substr(0, 150) + "-from-" + std::to_string(*order.cut) + "-"
         + std::to_string(order.at) + ".jsonl";
}

error cannot_keep(const std::filesystem::path& path, int number) {
  return {.code = number == ENOSPC || number == EDQUOT ? errc::full : errc::unavailable,
          .detail = "cannot write " + path.string() + ": " + std::strerror(number)
                    + "; nothing was changed"};
}

/// Durable before it returns: what is cut off must be somewhere.
result<void> write_file(const std::filesystem::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0)
    return cannot_keep(path, errno);
  int failed = 0;
  for (std::size_t done = 0; done < text.size() && failed == 0;) {
    const auto count = ::write(file, text.data() + done, text.size() - done);
    if (count >= 0)
      done += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      failed = errno;
  }
  if (failed == 0 && ::fsync(file) != 0)
    failed = errno;
  ::close(file);
  if (const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      folder >= 0) {
    if (failed == 0 && ::fsync(folder) != 0)
      failed = errno;
    ::close(folder);
  }
  if (failed == 0)
    return {};
  ::unlink(path.c_str());
  return cannot_keep(path, failed);
}

// -- the repair -----------------------------------------------------------------------------------

struct folded_journal {
  session_view view;
  /// Snapshots that do not equal the fold, as far as it goes.
  std::vector<std::uint64_t> wrong_snapshots;
  /// The first event that stops the fold.
  std::optional<error> damage;
  std::uint64_t last = 0;
};

/// Folds what comes before `end`.
folded_journal fold_before(sqlite_connection& connection, const session_key& key,
                           std::optional<std::uint64_t> end) {
  folded_journal out;
  const auto snapshots = sqlite_rows::read_snapshots(connection, key);
  std::vector<std::uint64_t> right;
  const auto take = [&](std::uint64_t seq, const result<event_ptr>& found) {
    if (out.damage || (end && seq >= *end))
      return;
    const auto next = out.view.head + 1;
    if (seq != next)
      out.damage = sqlite_rows::damaged_event(key, next, "is missing");
    else if (!found)
      out.damage = sqlite_rows::damaged_event(key, seq, found.error().detail);
    else if (auto applied = apply(out.view, **found); !applied)
      out.damage = applied.error();
    for (const auto& stored : snapshots)
      if (!out.damage && stored.seq == seq && stored.view && *stored.view == out.view)
        right.push_back(seq);
  };
  sqlite_rows::walk_journal(connection, key, [&](std::int64_t seq, const result<event_ptr>& found) {
    // Numbers that no event has are never read.
    if (seq < 1)
      return;
    out.last = static_cast<std::uint64_t>(seq);
    take(out.last, found);
  });
  for (const auto& stored : snapshots)
    if (std::find(right.begin(), right.end(), stored.seq) == right.end())
      out.wrong_snapshots.push_back(stored.seq);
  return out;
}

result<repair_report> repair_held(held_store& store, const repair_order& order) {
  auto& connection = store.connection;
  const auto row = sqlite_rows::find_session_row(connection, order.key);
  if (!row)
    return unknown_session();
  if (order.cut && *order.cut == 0)
    return error{errc::invalid, "events are numbered from 1"};
  auto folded = fold_before(connection, order.key, order.cut);
  if (folded.damage)
    return error{errc::damaged,
                 folded.damage->detail + "; `--cut " + folded.damage->param
                   + "` keeps what comes before it",
                 folded.damage->param};
  const auto& view = folded.view;
  const auto end = std::max(folded.last, row->head);
  if (order.cut && *order.cut > end)
    return error{errc::invalid,
                 "its journal ends at event " + std::to_string(end) + ": there is nothing to cut"};
  // A gap just before the cut, or at the end.
  if (const auto kept = order.cut ? *order.cut - 1 : row->head; view.head < kept) {
    const auto number = std::to_string(view.head + 1);
    return error{
      errc::damaged,
      "event " + number + " is missing; `--cut " + number + "` keeps what comes before it", number};
  }
  repair_report report{.head = view.head, .dropped_snapshots = folded.wrong_snapshots.size()};
  report.row_mended = row->head != view.head || row->status != row_status(view)
                      || row->open_responses != open_work(view);
  if (order.cut) {
    report.cut_events = folded.last >= *order.cut ? folded.last - *order.cut + 1 : 0;
    report.kept_in = data_folder::database_in(order.folder).parent_path() / file_name_of(order);
    if (auto kept = write_file(report.kept_in, tail_of(connection.handle(), order.key, *order.cut));
        !kept)
      return kept.error();
  } else if (report.dropped_snapshots == 0 && !report.row_mended) {
    return report;
  }
  if (order.cut)
    connection.run("DELETE FROM events WHERE app = ? AND session_id = ? AND (seq >= ? OR seq < 1)",
                   order.key.app, order.key.id, *order.cut);
  for (const auto seq : folded.wrong_snapshots)
    connection.run("DELETE FROM snapshots WHERE app = ? AND session_id = ? AND seq = ? "
                   "AND fold_version = ?",
                   order.key.app, order.key.id, seq, fold_version);
  connection.run("DELETE FROM snapshots WHERE app = ? AND session_id = ? AND seq > ?",
                 order.key.app, order.key.id, view.head);
  connection.run("UPDATE sessions SET head = ?3, status = ?4, open_responses = ?5, "
                 "epoch = epoch + 1, node = '', updated_at = ?6 WHERE app = ?1 AND id = ?2",
                 order.key.app, order.key.id, view.head, row_status(view), open_work(view),
                 order.at);
  connection.run(new_incarnation);
  return report;
}

} // namespace

result<repair_report> repair_session(const repair_order& order) {
  try {
    auto store = hold(order.folder);
    if (!store)
      return store.error();
    auto& connection = (*store)->connection;
    connection.script("BEGIN IMMEDIATE");
    auto done = repair_held(**store, order);
    connection.script(done ? "COMMIT" : "ROLLBACK");
    return done;
  } catch (const sqlite_failure& failure) {
    // Closing the connection has taken everything back.
    return to_error(failure, data_folder::database_in(order.folder));
  }
}

} // namespace sidevoice
