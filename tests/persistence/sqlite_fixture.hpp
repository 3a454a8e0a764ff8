#pragma once

#include "persistence/sqlite_writer.hpp"
#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

namespace sidevoice::samples {

inline const session_key sample_key{.app = "moving", .id = "sess_1"};

/// A data folder of its own, and the store that holds it.
struct sqlite_fixture {
  temporary_folder above;
  std::filesystem::path folder = above / "data";
  std::unique_ptr<store_writer> store;

  explicit sqlite_fixture(sqlite_synchronous synchronous = sqlite_synchronous::full) {
    open(synchronous);
  }

  void open(sqlite_synchronous synchronous = sqlite_synchronous::full) {
    store.reset();
    auto opened = open_sqlite({.folder = folder, .synchronous = synchronous});
    REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
    store = std::move(*opened);
  }

  [[nodiscard]] std::filesystem::path file() const {
    return folder / "sidevoice.db";
  }

  /// SQL on the store's own connection; the first column of the first row.
  std::string sql(const char* text) {
    sqlite_statement statement{dynamic_cast<sqlite_writer&>(*store).handle(), text};
    return statement.step() ? statement.text(0) : std::string{};
  }

  /// SQL as a person at a shell runs it, beside the store.
  std::string ask_as_a_person(const char* text) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open_v2(file().c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closing{db, sqlite3_close};
    sqlite_statement statement{db, text};
    return statement.step() ? statement.text(0) : std::string{};
  }

  /// Claims, and appends messages.
  result<appended> write(const std::string& id, std::size_t count = 1) {
    auto held = claim(*store, sample_key);
    if (!held)
      return held.error();
    return ask(*store, append(sample_key, held->row.epoch, held->row.head,
                              messages(held->row.head, count), id));
  }

  std::vector<event_ptr> journal() {
    auto page = ask(*store, read_events{.key = sample_key, .limit = 100'000});
    return page ? page->events : std::vector<event_ptr>{};
  }
};

} // namespace sidevoice::samples
