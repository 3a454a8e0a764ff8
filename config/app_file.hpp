#pragma once

#include "config/app.hpp"
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
  /// Null when there is any fault that is not a warning.
  app_ptr app;
  std::vector<app_fault> faults;
};

/// Loads one app from its folder (`app.jsonc` inside) or its file. Finds all faults at once.
app_load load_app(const std::string& path, const app_load_options& options = {});

struct apps_load {
  std::vector<app_ptr> apps;
  std::vector<app_fault> faults;
};

/// Loads a path that is an app file, an app folder, or a folder of app folders.
apps_load load_apps(const std::string& path, const app_load_options& options = {});

} // namespace sidevoice
