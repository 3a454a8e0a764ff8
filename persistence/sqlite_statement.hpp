#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

/// Thin RAII over prepared statements; internal to persistence.
namespace sidevoice {

/// An error of SQLite. Thrown below `sqlite_writer` only, which turns it into an `error`.
struct sqlite_failure : std::runtime_error {
  sqlite_failure(int failed_with, const char* what)
      : std::runtime_error(what ? what : "no message"),
        code(failed_with) {}
  /// The extended result code.
  int code;
};

[[noreturn]] inline void throw_failure(sqlite3* db, int code) {
  throw sqlite_failure(code, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

class sqlite_statement {
public:
  sqlite_statement(sqlite3* db, std::string_view sql) : db_(db) {
    const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK)
      throw_failure(db, code);
  }

  sqlite_statement(const sqlite_statement&) = delete;
  sqlite_statement& operator=(const sqlite_statement&) = delete;

  ~sqlite_statement() {
    sqlite3_finalize(statement_);
  }

  void bind(int index, std::string_view text) {
    // A view without data would bind NULL.
    check(sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                              SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  void bind(int index, const std::string& text) {
    bind(index, std::string_view{text});
  }
  void bind(int index, const char* text) {
    bind(index, std::string_view{text});
  }
  void bind(int index, std::int64_t number) {
    check(sqlite3_bind_int64(statement_, index, number));
  }
  void bind(int index, std::uint64_t number) {
    bind(index, static_cast<std::int64_t>(number));
  }
  void bind(int index, int number) {
    bind(index, std::int64_t{number});
  }
  void bind(int index, std::nullptr_t) {
    check(sqlite3_bind_null(statement_, index));
  }

  /// True: there is a row to read. False: done.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
      throw_failure(db_, code);
    return code == SQLITE_ROW;
  }

  void reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  [[nodiscard]] sqlite3_stmt* handle() const {
    return statement_;
  }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] std::int64_t number(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] std::uint64_t count(int column) const {
    return static_cast<std::uint64_t>(number(column));
  }
  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes ? std::string{bytes, size} : std::string{};
  }

private:
  void check(int code) {
    if (code != SQLITE_OK)
      throw_failure(db_, code);
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

/// One use of a statement: gives it back ready for the next.
class sqlite_use {
public:
  template <class... Values>
  explicit sqlite_use(sqlite_statement& statement, const Values&... values)
      : statement_(statement) {
    try {
      int index = 0;
      (statement_.bind(++index, values), ...);
    } catch (...) {
      statement_.reset();
      throw;
    }
  }

  sqlite_use(const sqlite_use&) = delete;
  sqlite_use& operator=(const sqlite_use&) = delete;

  ~sqlite_use() {
    statement_.reset();
  }

  sqlite_statement* operator->() {
    return &statement_;
  }

private:
  sqlite_statement& statement_;
};

} // namespace sidevoice
