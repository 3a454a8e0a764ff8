#pragma once

#include "config/app.hpp"
#include "config/live.hpp"
#include "config/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// One fault of an app file, with all its reader needs to mend it.
struct app_fault {
  std::string file;
  /// Counted from 1; 0 where the fault has no place.
  std::size_t line = 0;
  /// Dotted path such as "checklist.topics[2].type".
  std::string key;
  std::string found;
  std::string remedy;
  /// A warning does not stop the app from loading.
  bool warning = false;
};

/// "apps/moving/app.jsonc:12: checklist.topics[2].type: found \"adress\": did you mean
/// \"address\"?"
std::string to_string(const app_fault& fault);

/// Reads environment variables; injected so that tests need none.
using environment = std::function<std::optional<std::string>(const std::string&)>;
environment process_environment();

struct app_load_options {
  std::string profile = "dev";
  environment env = process_environment();
};

struct app_load {
  /// Both are null when there is any fault that is not a warning.
  app_ptr app;
  live_ptr live;
  std::vector<app_fault> faults;
  /// All files that were looked for: the app file itself, instructions, secrets.
  std::vector<std::string> files;
  /// `app` of the file, where it could be read at all.
  std::string id;
};

/// Loads one app from its folder (`app.jsonc` inside) or its file. Finds all faults at once.
app_load load_app(const std::string& path, const app_load_options& options = {});

struct loaded_app {
  app_ptr app;
  live_ptr live;
};

struct apps_load {
  std::vector<loaded_app> apps;
  std::vector<app_fault> faults;
};

/// Loads a path that is an app file, an app folder, or a folder of app folders.
apps_load load_apps(const std::string& path, const app_load_options& options = {});

/// The app files at or below such a path, in the order of their names.
std::vector<std::string> find_app_files(const std::string& path);

/// The app of a stored release, equal in all fields to the one it was made of, whatever its
/// folder and server are now. Error `damaged`.
result<app_ptr> read_release(const json_text& body);

} // namespace sidevoice
