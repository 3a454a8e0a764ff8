#pragma once

#include "persistence/store.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// For operators: what of a data folder is damaged, what of a damaged session can still be read,
/// and its repair. All of it goes to the SQLite file itself, beside the jobs of a store.
namespace sidevoice {

/// One thing that is wrong.
struct store_finding {
  /// Empty: of the file.
  session_key key;
  /// "file", "event", "snapshot", "row" or "release".
  std::string kind;
  /// Number of the event or of the snapshot; 0: neither.
  std::uint64_t event = 0;
  /// A sentence without its full stop; holds nothing that a user said.
  std::string detail;
};

struct store_report {
  std::size_t sessions = 0;
  std::uint64_t events = 0;
  /// In the order of the sessions, the file's first.
  std::vector<store_finding> findings;
};

/// Which sessions are looked at: empty texts mean all.
struct session_choice {
  std::string app;
  std::string id;
};

/// Reads everything: SQLite's own check, and of each session its numbers, digests and bodies,
/// whether it folds, its snapshots and its row against the fold, its blobs and its release. Also
/// beside a running server. Errors: as `open_sqlite_read_only`; `not_found` where no session is
/// such.
result<store_report> verify_store(const std::filesystem::path& folder,
                                  const session_choice& which = {});

/// The app of a session. Errors: as `open_sqlite_read_only`; `not_found`; `invalid` where two apps
/// have a session of this id.
result<session_key> find_session_key(const std::filesystem::path& folder, const std::string& id);

/// Events that cannot be read, from one number to another.
struct missing_events {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  /// The end of the sentence "event 3 ...".
  std::string why;

  bool operator==(const missing_events&) const = default;
};

/// A session as far as it can be read.
struct readable_session {
  /// The fold of the readable events, as if the others had changed nothing.
  view_ptr view;
  std::vector<missing_events> missing;
};

/// Errors: as `open_sqlite_read_only`; `not_found` for an unknown session.
result<readable_session> read_readable(const std::filesystem::path& folder, const session_key& key);

} // namespace sidevoice
