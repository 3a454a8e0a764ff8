#pragma once

#include "persistence/sqlite_statement.hpp"
#include "persistence/stores.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

/// One connection with its prepared statements; internal to persistence.
namespace sidevoice {

/// `owner` has the folder to itself and makes the file; `side` writes beside it.
enum class sqlite_access { owner, side, read_only };

/// Everything but the constructor may throw `sqlite_failure`; so may the constructor.
class sqlite_connection {
public:
  /// `vfs` names a registered VFS of SQLite; empty: the system's.
  sqlite_connection(const std::filesystem::path& file, sqlite_access access,
                    sqlite_synchronous synchronous, const std::string& vfs = {});
  sqlite_connection(const sqlite_connection&) = delete;
  sqlite_connection& operator=(const sqlite_connection&) = delete;
  /// Closes, which checkpoints the WAL.
  ~sqlite_connection();

  /// Binds the values to a statement that is prepared once. `sql` is a literal.
  template <class... Values>
  [[nodiscard]] sqlite_use use(const char* sql, const Values&... values) {
    return sqlite_use{prepared(sql), values...};
  }

  /// Runs a statement that gives no rows.
  template <class... Values>
  void run(const char* sql, const Values&... values) {
    use(sql, values...)->step();
  }

  /// Runs any number of statements without values.
  void script(const char* sql);

  /// First column of the first row, as text.
  std::string ask(const char* sql);

  /// False once SQLite has rolled back, on its own or by us.
  [[nodiscard]] bool in_transaction() const;

  /// Number of rows that the last statement changed.
  [[nodiscard]] std::int64_t changed() const;

  /// Writes all of the write-ahead log anew and syncs it. What SQLite finds in a log counts after
  /// this, and not before: a sync may have failed, here or in a former process, and then the system
  /// shows what no disk has, and takes it for written.
  void rewrite_log();

  [[nodiscard]] sqlite3* handle() const {
    return db_;
  }

private:
  sqlite_statement& prepared(const char* sql);
  void configure(sqlite_access access, sqlite_synchronous synchronous);

  sqlite3* db_ = nullptr;
  std::map<std::string, std::unique_ptr<sqlite_statement>, std::less<>> statements_;
};

/// The product's error for a code of SQLite, with the remedy. `file` is named in it.
error to_error(const sqlite_failure& failure, const std::filesystem::path& file);

/// True where the connection may have lost its footing: it is closed and opened again.
bool needs_reopening(int code);

} // namespace sidevoice
