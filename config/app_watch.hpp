#pragma once

#include "config/app_file.hpp"
#include "config/app_registry.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// Releases of an app that have a name, as the store knows them.
struct named_releases {
  app_ptr stable;
  app_ptr preview;
};

/// What became of one app.
struct app_change {
  enum class kind {
    added,
    /// What it is: a saved file has become stable or preview.
    changed,
    /// Only how it runs: keys, origins, accounts, limits.
    live_changed,
    /// Its file is gone: no new sessions, those that run go on.
    removed,
    /// Its file cannot be used: the app stays as it was before.
    faulty,
  };

  kind what = kind::added;
  /// The app's id; empty where a faulty file does not even tell it.
  std::string app;
  std::string file;
  /// The release that the file now is; null for removed and faulty.
  app_ptr release;
  /// Faults and warnings of the file.
  std::vector<app_fault> faults;
};

/// "added", "changed", "live_changed", "removed", "faulty".
const char* to_string(app_change::kind what);

/// Keeps the apps of a server in step with their files. Plain: who calls `reload` (a timer, a
/// signal) and what is done with the answer is the caller's affair. One thread.
class app_watch {
public:
  using names = std::map<std::string, named_releases>;

  /// `path` as for load_apps. `known`: names that were stored before, by app. A file whose
  /// `releases.on_save` is "preview" leaves the stored stable alone.
  app_watch(std::string path, app_load_options options, names known = {});

  /// Looks whether a file has changed that was looked for (app files, instructions, secrets) or an
  /// app file has come or gone, by time, size and inode; `force` reads all of them anyway. What has
  /// changed since the last call; empty where nothing has. The first call adds all apps.
  std::vector<app_change> reload(bool force = false);

  /// Other names for an app's releases, as promote and rollback give. False: there is no such app.
  bool name_releases(const std::string& app, named_releases now);

  [[nodiscard]] const app_entries& entries() const {
    return entries_;
  }

private:
  /// What of a file tells that it has changed.
  struct stamp {
    bool exists = false;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;

    bool operator==(const stamp&) const = default;
  };
  /// What is known of an app file.
  struct source {
    /// The app it was the last time it was good.
    std::string app;
    /// Its last faults as one text, so that they are told once.
    std::string told;
  };

  static stamp stamp_of(const std::string& file);
  [[nodiscard]] bool is_stale(const std::vector<std::string>& app_files) const;
  void take_file(const std::string& file, std::vector<app_change>& changes);
  void take_app(app_load loaded, const std::string& file, std::vector<app_change>& changes);
  void take_fault(const app_load& loaded, const std::string& file,
                  std::vector<app_change>& changes);
  void close_missing(std::vector<app_change>& changes);

  std::string path_;
  app_load_options options_;
  names known_;
  app_entries entries_;
  std::map<std::string, source> sources_;
  std::map<std::string, stamp> stamps_;
  /// While `reload` runs: files looked for, and apps that have a good file.
  std::map<std::string, stamp> fresh_;
  std::map<std::string, std::string> seen_;
};

} // namespace sidevoice
