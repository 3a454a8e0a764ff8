#include "persistence/store_check.hpp"

#include "config/app_file.hpp"
#include "persistence/append_rules.hpp"
#include "persistence/data_folder.hpp"
#include "persistence/sqlite_rows.hpp"
#include "persistence/sqlite_schema.hpp"

#include <map>
#include <utility>

namespace sidevoice {

namespace {

/// SQLite's check ends there: more of it helps nobody.
constexpr std::size_t file_faults_max = 20;

std::string name_of(std::uint64_t first, std::uint64_t last) {
  if (first == last)
    return "event " + std::to_string(first) + " is";
  return "events " + std::to_string(first) + " to " + std::to_string(last) + " are";
}

/// One session, looked at in one transaction.
class session_check {
public:
  session_check(sqlite_connection& connection, const session_row& row, store_report& report)
      : connection_(connection),
        row_(row),
        report_(report) {}

  void run() {
    for (auto& stored : sqlite_rows::read_snapshots(connection_, row_.key))
      take_snapshot(std::move(stored));
    sqlite_rows::walk_journal(connection_, row_.key,
                              [this](std::int64_t seq, result<event_ptr> found) {
                                ++report_.events;
                                take_event(seq, std::move(found));
                              });
    if (row_.head > last_)
      add("event", last_ + 1, name_of(last_ + 1, row_.head) + " missing");
    else if (row_.head < last_)
      add("row", 0,
          "its row says that its newest event is number " + std::to_string(row_.head)
            + ", its journal ends at " + std::to_string(last_));
    if (is_whole_)
      check_row();
    check_release();
  }

private:
  void add(const char* kind, std::uint64_t event, std::string detail) {
    report_.findings.push_back({row_.key, kind, event, std::move(detail)});
  }

  void take_snapshot(sqlite_rows::stored_snapshot stored) {
    if (!stored.view)
      add("snapshot", stored.seq,
          "its snapshot of event " + std::to_string(stored.seq)
            + " is passed over: " + stored.view.error().detail);
    else
      snapshots_.emplace(stored.seq, std::move(*stored.view));
  }

  void take_event(std::int64_t seq, result<event_ptr> found) {
    if (seq < 1)
      return add("row", 0,
                 "it holds an event of the number " + std::to_string(seq)
                   + ", which is never read");
    const auto number = static_cast<std::uint64_t>(seq);
    if (number != last_ + 1) {
      is_whole_ = false;
      add("event", last_ + 1, name_of(last_ + 1, number - 1) + " missing");
    }
    last_ = number;
    if (!found) {
      is_whole_ = false;
      return add("event", number, "event " + std::to_string(number) + " " + found.error().detail);
    }
    if (!is_whole_)
      return;
    if (const auto applied = apply(fold_, **found); !applied) {
      is_whole_ = false;
      return add("event", number, applied.error().detail);
    }
    if (const auto kept = snapshots_.find(number);
        kept != snapshots_.end() && !(kept->second == fold_))
      add("snapshot", number,
          "its snapshot of event " + std::to_string(number)
            + " says something else than its journal");
  }

  void check_row() {
    for (const auto& [seq, view] : snapshots_)
      if (seq > last_)
        add("snapshot", seq,
            "its snapshot is of event " + std::to_string(seq) + ", its journal ends at "
              + std::to_string(last_));
    // A row that nobody has written to since its claim says what it began with.
    if (last_ == 0)
      return;
    if (row_.status != row_status(fold_))
      add("row", 0,
          "its row says that it is " + row_.status + ", its journal that it is "
            + row_status(fold_));
    if (row_.open_responses != open_work(fold_))
      add("row", 0,
          "its row counts " + std::to_string(row_.open_responses) + " open responses, its journal "
            + std::to_string(open_work(fold_)));
  }

  void check_release() {
    const auto& digest = fold_.about.release;
    if (digest.empty())
      return;
    auto found = connection_.use("SELECT body FROM releases WHERE app = ? AND digest = ?",
                                 row_.key.app, digest);
    if (!found->step())
      return add("release", 0, "its release " + digest + " is not in the store");
    const auto body = found->text(0);
    if ("sha256:" + sha256(body) != digest)
      return add("release", 0, "its release " + digest + " does not match its digest");
    if (const auto app = read_release(body); !app)
      add("release", 0, "its release " + digest + " cannot be read: " + app.error().detail);
  }

  sqlite_connection& connection_;
  const session_row& row_;
  store_report& report_;
  std::map<std::uint64_t, session_view> snapshots_;
  session_view fold_;
  std::uint64_t last_ = 0;
  /// All events so far were there and could be folded.
  bool is_whole_ = true;
};

void check_file(sqlite_connection& connection, store_report& report) {
  sqlite_statement integrity{connection.handle(), "PRAGMA integrity_check(20)"};
  while (integrity.step())
    if (const auto line = integrity.text(0); line != "ok")
      report.findings.push_back({{}, "file", 0, "SQLite's check says: " + line});
  sqlite_statement orphans{connection.handle(), "PRAGMA foreign_key_check"};
  for (std::size_t n = 0; n < file_faults_max && orphans.step(); ++n)
    report.findings.push_back({{},
                               "file",
                               0,
                               "row " + orphans.text(1) + " of table " + orphans.text(0)
                                 + " belongs to nothing in table " + orphans.text(2)});
}

/// Runs `read` on a connection of its own. What SQLite throws becomes an error.
template <class F>
auto with_file(const std::filesystem::path& folder, F read)
  -> decltype(read(std::declval<sqlite_connection&>())) {
  // Refuses what is no data folder, or one of another sidevoice.
  if (auto opened = open_sqlite_read_only(folder); !opened)
    return opened.error();
  const auto file = data_folder::database_in(folder);
  try {
    sqlite_connection connection{file, sqlite_access::read_only, sqlite_synchronous::full};
    return read(connection);
  } catch (const sqlite_failure& failure) {
    return to_error(failure, file);
  }
}

std::vector<session_key> keys_of(sqlite_connection& connection, const session_choice& which) {
  auto found = connection.use("SELECT app, id FROM sessions WHERE (?1 = '' OR app = ?1) "
                              "AND (?2 = '' OR id = ?2) ORDER BY app, id",
                              which.app, which.id);
  std::vector<session_key> keys;
  while (found->step())
    keys.push_back({found->text(0), found->text(1)});
  return keys;
}

error unknown_here(const std::string& id) {
  return {errc::not_found,
          "there is no session " + id + " here; `sidevoice sessions list` shows what there is"};
}

void check_session(sqlite_connection& connection, const session_key& key, store_report& report) {
  connection.script("BEGIN");
  try {
    // Beside a running server it may be gone by now.
    if (const auto row = sqlite_rows::find_session_row(connection, key)) {
      ++report.sessions;
      session_check{connection, *row, report}.run();
    }
  } catch (const sqlite_failure& failure) {
    report.findings.push_back(
      {key, "file", 0, std::string{"it cannot be read: "} + failure.what()});
  }
  if (connection.in_transaction())
    connection.script("ROLLBACK");
}

} // namespace

result<store_report> verify_store(const std::filesystem::path& folder,
                                  const session_choice& which) {
  return with_file(folder, [&](sqlite_connection& connection) -> result<store_report> {
    store_report report;
    check_file(connection, report);
    const auto keys = keys_of(connection, which);
    if (keys.empty() && !which.id.empty())
      return unknown_here(which.id);
    for (const auto& key : keys)
      check_session(connection, key, report);
    return report;
  });
}

result<session_key> find_session_key(const std::filesystem::path& folder, const std::string& id) {
  return with_file(folder, [&](sqlite_connection& connection) -> result<session_key> {
    auto keys = keys_of(connection, {{}, id});
    if (keys.empty())
      return unknown_here(id);
    if (keys.size() > 1)
      return error{errc::invalid, "more than one app has a session " + id + ": name it with --app"};
    return std::move(keys.front());
  });
}

result<readable_session> read_readable(const std::filesystem::path& folder,
                                       const session_key& key) {
  return with_file(folder, [&](sqlite_connection& connection) -> result<readable_session> {
    connection.script("BEGIN");
    const auto row = sqlite_rows::find_session_row(connection, key);
    if (!row)
      return unknown_session();
    readable_session out;
    session_view view;
    const auto is_missing = [&out](std::uint64_t first, std::uint64_t last, std::string why) {
      if (first <= last)
        out.missing.push_back({first, last, std::move(why)});
    };
    sqlite_rows::walk_journal(connection, key,
                              [&](std::int64_t seq, const result<event_ptr>& found) {
                                if (seq < 1)
                                  return;
                                const auto number = static_cast<std::uint64_t>(seq);
                                is_missing(view.head + 1, number - 1, "is missing");
                                view.head = number - 1;
                                if (!found)
                                  is_missing(number, number, found.error().detail);
                                else if (const auto applied = apply(view, **found); !applied)
                                  is_missing(number, number, applied.error().detail);
                                view.head = number;
                              });
    is_missing(view.head + 1, row->head, "is missing");
    out.view = std::make_shared<const session_view>(std::move(view));
    return out;
  });
}

} // namespace sidevoice
