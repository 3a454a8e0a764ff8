#pragma once

#include "config/result.hpp"

#include <filesystem>
#include <iosfwd>
#include <string>

namespace sidevoice::cli {

struct bundle_options {
  std::filesystem::path data;
  /// Empty: the app of the session with this id.
  std::string app;
  std::string id;
  /// What was said stays in.
  bool with_text = false;
};

/// Writes everything that a report about one session needs, as JSON lines; docs/tracing.md says
/// which. Events that cannot be read become lines that name them. Errors: as
/// `open_sqlite_read_only`; `not_found`; `invalid` where two apps have a session of this id.
result<void> write_bundle(const bundle_options& options, std::ostream& to);

} // namespace sidevoice::cli
