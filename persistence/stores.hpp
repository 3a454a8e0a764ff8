#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "config/settings.hpp"
#include "persistence/store.hpp"

#include <filesystem>

namespace sidevoice {

struct sqlite_options {
  /// The data folder: made with mode 0700, locked for this process alone. The file in it is
  /// `sidevoice.db`.
  std::filesystem::path folder;
  sqlite_synchronous synchronous = sqlite_synchronous::full;
  /// Name of a registered SQLite VFS; empty: the system's. For tests of broken disks.
  std::string vfs = {};
};

/// Opens (and migrates) the data folder. Errors, each with its remedy in the detail: `conflict`
/// (another process holds the folder), `damaged` (the file is no database or fails its quick
/// check), `full`, `unavailable`.
result<std::unique_ptr<store_writer>> open_sqlite(const sqlite_options& options);

/// Opens an existing data folder for reading beside a running server: no lock, no migration; jobs
/// that write are refused with `invalid`.
result<std::unique_ptr<store_writer>> open_sqlite_read_only(const std::filesystem::path& folder);

/// Opens an existing data folder for a moment, to write keys and releases, whether a server runs on
/// it or not: no lock of the folder, no migration; jobs on sessions are refused with `invalid`.
/// A write waits about ten seconds for a busy server. Errors: `not_found` (no data folder),
/// `conflict` (the file is of an older or a newer sidevoice), `damaged`, `unavailable`.
result<std::unique_ptr<store_writer>> open_sqlite_side(const std::filesystem::path& folder);

/// Keeps everything in memory; for tests, the lab and `sidevoice chat`.
std::unique_ptr<store_writer> make_memory_store(std::string incarnation = "memory");

struct threaded_store_options {
  /// Jobs that may wait (I7); those of one app leave an eighth of it to others.
  std::size_t queue_max = 65536;
  /// Jobs in one group.
  std::size_t group_max = 512;
};

/// Runs a writer on a thread of its own: takes all that waits as one group (group commit without
/// a timer), the apps by turns, then posts the group's completions to the loop as one task. The
/// destructor finishes what was submitted.
std::unique_ptr<store> make_threaded_store(std::unique_ptr<store_writer> writer, loop& where,
                                           counters& count, threaded_store_options options = {});

} // namespace sidevoice
