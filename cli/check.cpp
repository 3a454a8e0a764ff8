#include "cli/commands.hpp"
#include "config/app_file.hpp"
#include "config/settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

namespace sidevoice::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct check_options {
  std::string path = "apps";
  std::optional<std::string> profile;
  bool json = false;
};

/// What a path holds: apps, and where it is a sidevoice.jsonc also the server's own settings.
struct checked {
  apps_load apps;
  std::string profile;
};

checked load(const check_options& options) {
  checked out;
  out.profile = options.profile.value_or("dev");
  auto apps = options.path;
  if (fs::path{options.path}.filename() == "sidevoice.jsonc") {
    auto settings = load_settings(options.path);
    apps = settings.settings.apps;
    out.profile = options.profile.value_or(settings.settings.profile);
    out.apps.faults = std::move(settings.faults);
    if (!settings.good)
      return out;
  }
  auto loaded = load_apps(apps, {.profile = out.profile, .env = process_environment()});
  out.apps.apps = std::move(loaded.apps);
  std::move(loaded.faults.begin(), loaded.faults.end(), std::back_inserter(out.apps.faults));
  return out;
}

bool has_no_effect(const app_fault& fault) {
  return fault.warning && fault.remedy.find("no effect yet") != std::string::npos;
}

/// Vendors that the files name but that this server goes without.
std::set<std::string> skipped_vendors(const std::vector<app_fault>& faults) {
  std::set<std::string> out;
  const std::string place = "live.vendors.";
  for (const auto& fault : faults) {
    const auto at = fault.key.find(place);
    if (!fault.warning || at == std::string::npos || fault.found.find("unset") == std::string::npos)
      continue;
    const auto name = fault.key.substr(at + place.size());
    out.insert(name.substr(0, name.find('.')));
  }
  return out;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

void print_text(const checked& found, std::size_t faults) {
  std::set<std::string> idle;
  for (const auto& fault : found.apps.faults) {
    std::printf("%s\n", to_string(fault).c_str());
    if (has_no_effect(fault))
      idle.insert(fault.key);
  }
  for (const auto& [app, live] : found.apps.apps) {
    std::set<std::string> vendors;
    for (const auto& [name, unused] : live->vendors)
      vendors.insert(name);
    std::printf("%s: good in profile %s, %zu topics, %zu tools, vendors: %s, release %s\n",
                app->id.c_str(), found.profile.c_str(), app->topics.size(), app->tools.size(),
                vendors.empty() ? "none" : joined(vendors).c_str(), app->release.c_str());
  }
  if (const auto skipped = skipped_vendors(found.apps.faults); !skipped.empty())
    std::printf("skipped vendors: %s\n", joined(skipped).c_str());
  if (!idle.empty())
    std::printf("without effect yet: %s\n", joined(idle).c_str());
  if (faults != 0)
    std::printf("%zu %s\n", faults, faults == 1 ? "fault" : "faults");
}

void print_json(const checked& found, std::size_t faults) {
  ordered_json out{{"good", faults == 0},
                   {"profile", found.profile},
                   {"apps", ordered_json::array()},
                   {"skipped_vendors", skipped_vendors(found.apps.faults)},
                   {"faults", ordered_json::array()}};
  for (const auto& [app, live] : found.apps.apps) {
    auto vendors = ordered_json::array();
    for (const auto& [name, unused] : live->vendors)
      vendors.push_back(name);
    out["apps"].push_back({{"app", app->id},
                           {"release", app->release},
                           {"topics", app->topics.size()},
                           {"tools", app->tools.size()},
                           {"vendors", std::move(vendors)}});
  }
  for (const auto& fault : found.apps.faults)
    out["faults"].push_back({{"file", fault.file},
                             {"line", fault.line},
                             {"key", fault.key},
                             {"found", fault.found},
                             {"remedy", fault.remedy},
                             {"warning", fault.warning},
                             {"no_effect_yet", has_no_effect(fault)}});
  // A file's name need not be UTF-8.
  std::printf("%s\n", out.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

int run_check(const check_options& options) {
  const auto found = load(options);
  const auto faults =
    static_cast<std::size_t>(std::count_if(found.apps.faults.begin(), found.apps.faults.end(),
                                           [](const app_fault& fault) { return !fault.warning; }));
  if (options.json)
    print_json(found, faults);
  else
    print_text(found, faults);
  return faults == 0 ? 0 : 2;
}

} // namespace

void add_check(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "check", "Find all faults of app files: file, line, key, what was found, how to mend it");
  auto o = std::make_shared<check_options>();
  command
    ->add_option("PATH", o->path,
                 "An app file, an app's folder, a folder of apps, or a sidevoice.jsonc")
    ->capture_default_str();
  command->add_option("--profile", o->profile, "Profile whose values count (default dev)");
  command->add_flag("--json", o->json, "One JSON object instead of lines");
  command->footer("Exit code 0: no faults, perhaps warnings; 2: faults. Secrets are never shown.");
  command->callback([&chosen, o] { chosen = [o] { return run_check(*o); }; });
}

} // namespace sidevoice::cli
