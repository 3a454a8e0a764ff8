#pragma once

#include "persistence/store.hpp"

#include <filesystem>
#include <optional>
#include <string>

/// Repairs by operators; the server is stopped meanwhile.
namespace sidevoice {

struct repair_order {
  std::filesystem::path folder;
  session_key key;
  /// The first event that is taken out of the journal, with all behind it; nothing: none is.
  std::optional<std::uint64_t> cut;
  /// Milliseconds since 1970.
  std::int64_t at = 0;
};

struct repair_report {
  /// Of the journal that is left.
  std::uint64_t head = 0;
  std::uint64_t cut_events = 0;
  /// Where the events are that were taken out, with the row and snapshots as they were; empty: no
  /// event was.
  std::filesystem::path kept_in;
  std::size_t dropped_snapshots = 0;
  /// The row said something else than the journal.
  bool row_mended = false;
};

/// Makes a session one that can be opened: what is cut off goes into a file beside the database
/// first, then, in one transaction, it leaves the journal, snapshots that do not equal the fold are
/// dropped, the row says what the journal says, the epoch is raised, and the store gets a new
/// incarnation, so that clients begin with a snapshot. A session without a fault is left as it is.
/// Errors: `conflict` (a server runs on the folder), `not_found`, `damaged` (an event that would
/// stay is damaged; `param` is its number), `invalid` (nothing has that number), `full`,
/// `unavailable`. Nothing is changed then.
result<repair_report> repair_session(const repair_order& order);

} // namespace sidevoice
