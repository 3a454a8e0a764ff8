#include "persistence/sqlite_connection.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace sidevoice {

namespace {

/// A foreign process that holds the file (a backup, somebody's shell) gets this long to let go.
constexpr int busy_timeout_ms = 2000;
/// Beside a busy server the file is free for moments only, and SQLite does not queue who waits: one
/// has to look often. Its own waits grow to 100 ms and miss most of them.
constexpr std::chrono::milliseconds side_wait{3};
constexpr int side_waits_max = 3000;

int wait_beside_server(void*, int waits) {
  if (waits >= side_waits_max)
    return 0;
  std::this_thread::sleep_for(side_wait);
  return 1;
}

int open_flags(sqlite_access access) {
  switch (access) {
    case sqlite_access::owner:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case sqlite_access::side:
      return SQLITE_OPEN_READWRITE;
    case sqlite_access::read_only:
      break;
  }
  return SQLITE_OPEN_READONLY;
}

/// Writes a file's bytes over themselves, so that a sync has to bring them to the disk. The sync of
/// an empty log makes durable that the one before it was deleted.
int write_anew(sqlite3_file& file) {
  constexpr sqlite3_int64 piece_max = 65'536;
  sqlite3_int64 size = 0;
  int code = file.pMethods->xFileSize(&file, &size);
  std::vector<char> bytes(static_cast<std::size_t>(std::min(size, piece_max)));
  for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += piece_max) {
    const auto piece = static_cast<int>(std::min(size - at, piece_max));
    code = file.pMethods->xRead(&file, bytes.data(), piece, at);
    if (code == SQLITE_OK)
      code = file.pMethods->xWrite(&file, bytes.data(), piece, at);
  }
  return code == SQLITE_OK ? file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL) : code;
}

} // namespace

sqlite_connection::sqlite_connection(const std::filesystem::path& file, sqlite_access access,
                                     sqlite_synchronous synchronous, const std::string& vfs) {
  const int code = sqlite3_open_v2(file.c_str(), &db_,
                                   open_flags(access) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  try {
    if (code != SQLITE_OK)
      throw_failure(db_, code);
    configure(access, synchronous);
  } catch (...) {
    statements_.clear();
    sqlite3_close(db_);
    throw;
  }
}

sqlite_connection::~sqlite_connection() {
  statements_.clear();
  sqlite3_close(db_);
}

void sqlite_connection::configure(sqlite_access access, sqlite_synchronous synchronous) {
  if (access == sqlite_access::side)
    sqlite3_busy_handler(db_, wait_beside_server, nullptr);
  else
    sqlite3_busy_timeout(db_, busy_timeout_ms);
  // The views are for people; with an untrusted schema their functions do not run here at all.
  script("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  if (access == sqlite_access::read_only)
    return;
  if (ask("PRAGMA journal_mode = WAL") != "wal")
    throw sqlite_failure(SQLITE_CANTOPEN,
                         "its file system does not support a write-ahead log; use a local disk");
  script(synchronous == sqlite_synchronous::full ? "PRAGMA synchronous = FULL"
                                                 : "PRAGMA synchronous = NORMAL");
}

void sqlite_connection::rewrite_log() {
  // Nobody else may write into it meanwhile.
  script("BEGIN IMMEDIATE");
  sqlite3_file* log = nullptr;
  int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code == SQLITE_OK && log && log->pMethods)
    code = write_anew(*log);
  script("ROLLBACK");
  if (code != SQLITE_OK)
    throw sqlite_failure(code, sqlite3_errstr(code));
}

sqlite_statement& sqlite_connection::prepared(const char* sql) {
  const auto known = statements_.find(std::string_view{sql});
  if (known != statements_.end())
    return *known->second;
  return *statements_.emplace(sql, std::make_unique<sqlite_statement>(db_, sql)).first->second;
}

void sqlite_connection::script(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    throw_failure(db_, code);
}

std::string sqlite_connection::ask(const char* sql) {
  sqlite_statement statement{db_, sql};
  return statement.step() ? statement.text(0) : std::string{};
}

bool sqlite_connection::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

std::int64_t sqlite_connection::changed() const {
  return sqlite3_changes64(db_);
}

error to_error(const sqlite_failure& failure, const std::filesystem::path& file) {
  const auto name = file.string();
  const std::string why = std::string{" ("} + failure.what() + ")";
  switch (failure.code & 0xff) {
    case SQLITE_FULL:
      return {.code = errc::full,
              .detail = "no room to write to " + name + why + "; free space on its disk"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {.code = errc::unavailable,
              .detail = "another program holds " + name + why
                        + "; end it, or wait until it has finished"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {.code = errc::damaged,
              .detail = name + " is damaged" + why
                        + "; stop sidevoice, then restore a backup, or save what can be read with "
                          "`sqlite3 sidevoice.db .recover | sqlite3 recovered.db`"};
    case SQLITE_CONSTRAINT:
      return {.code = errc::conflict,
              .detail = "it is in the journal already" + why + "; read it there",
              .reason = "repeated"};
    case SQLITE_TOOBIG:
      return {.code = errc::invalid, .detail = "too large for the store" + why};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {.code = errc::unavailable,
              .detail = "cannot write to " + name + why
                        + "; check its owner, mode and file system"};
    default:
      return {.code = errc::unavailable,
              .detail = name + " failed" + why + "; check its disk and the system's log"};
  }
}

bool needs_reopening(int code) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

} // namespace sidevoice
