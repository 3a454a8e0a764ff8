#pragma once

#include "config/app_file.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace sidevoice {

/// An app as the server knows it now.
struct app_entry {
  /// Null until a release was named so.
  app_ptr stable;
  app_ptr preview;
  live_ptr live;
  /// False once its file is gone: no new sessions; those that run go on.
  bool open = true;

  /// "" (what new sessions get), "stable", "preview", or the digest of one of the two; null for
  /// others.
  [[nodiscard]] app_ptr release(const std::string& name) const;
};

using app_entries = std::map<std::string, app_entry>;

/// Each app under the name that its settings give to a saved file.
app_entries entries_of(const apps_load& loaded);

/// The apps of a server: one immutable state, replaced whole when files or secrets change. Who
/// works with a release keeps its app_ptr; who needs keys, addresses or limits asks for `live`
/// anew each time. Any thread.
class app_registry {
public:
  app_registry() = default;
  explicit app_registry(app_entries entries);

  [[nodiscard]] std::shared_ptr<const app_entries> all() const;
  /// Counts the replacements, so that what is derived from them can be cached.
  [[nodiscard]] std::uint64_t version() const;

  /// Never null: of an unknown app, settings that allow nothing.
  [[nodiscard]] live_ptr live_of(const std::string& app) const;
  /// Null: unknown app, or none of its named releases.
  [[nodiscard]] app_ptr find(const std::string& app, const std::string& release = {}) const;
  /// False: no such app, or its file is gone. Its sessions go on, new ones are not begun.
  [[nodiscard]] bool is_open(const std::string& app) const;

  void replace(app_entries entries);

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const app_entries> entries_ = std::make_shared<const app_entries>();
  std::uint64_t version_ = 0;
};

} // namespace sidevoice
