#include "cli/commands.hpp"
#include "config/app_file.hpp"

#include <cstdio>
#include <memory>

namespace sidevoice::cli {

namespace {

int run_check(const std::string& path, const std::string& profile) {
  const auto loaded = load_apps(path, {.profile = profile, .env = process_environment()});
  std::size_t faults = 0;
  for (const auto& fault : loaded.faults) {
    faults += fault.warning ? 0 : 1;
    std::printf("%s%s\n", fault.warning ? "warning: " : "", to_string(fault).c_str());
  }
  for (const auto& app : loaded.apps)
    std::printf("%s: good, %zu topics, release %s\n", app->id.c_str(), app->topics.size(),
                app->release.c_str());
  if (faults != 0)
    std::printf("%zu %s\n", faults, faults == 1 ? "fault" : "faults");
  return faults == 0 ? 0 : 2;
}

} // namespace

void add_check(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "check", "Find all faults of app files: file, line, key, what was found, how to mend it");
  auto path = std::make_shared<std::string>("apps");
  auto profile = std::make_shared<std::string>("dev");
  command->add_option("PATH", *path, "An app file, an app's folder, or a folder of apps")
    ->capture_default_str();
  command->add_option("--profile", *profile, "Profile whose values count")->capture_default_str();
  command->callback(
    [&chosen, path, profile] { chosen = [path, profile] { return run_check(*path, *profile); }; });
}

} // namespace sidevoice::cli
