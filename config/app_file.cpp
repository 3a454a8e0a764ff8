#include "config/app_file.hpp"

#include "config/app_reader.hpp"
#include "config/schemas.hpp"
#include "config/text_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

namespace sidevoice {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t app_bytes_max = 1'000'000;
constexpr const char* file_name = "app.jsonc";

bool stops(const app_fault& fault) {
  return !fault.warning;
}

void append(std::vector<app_fault>& to, std::vector<app_fault> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// One app file on its way to a definition.
class app_loading {
public:
  app_loading(fs::path file, const app_load_options& options)
      : file_(std::move(file)),
        options_(options) {}

  app_load run() {
    auto out = load();
    files_.insert(file_.string());
    out.files.assign(files_.begin(), files_.end());
    return out;
  }

private:
  app_load load() {
    app_load out;
    const auto text = read_text_file(file_, app_bytes_max);
    if (!text) {
      out.faults.push_back({file_.string(), 0, "", "no app file", text.error().detail});
      return out;
    }
    document_ = parse_jsonc(*text);
    for (auto& f : document_.faults)
      out.faults.push_back(
        {file_.string(), f.line, std::move(f.key), std::move(f.found), std::move(f.remedy)});
    if (!document_.root)
      return out;
    const auto& root = *document_.root;
    if (root.is_object() && root.contains("app") && root["app"].is_string())
      out.id = root["app"].get<std::string>();
    auto profiles = profile_names();
    append(out.faults, check_profiles(profiles));
    live_settings live;
    auto app = read(options_.profile, true, live, out.faults);
    // What stands in the file must be right for every server, not only for this one.
    std::erase(profiles, options_.profile);
    for (const auto& other : profiles)
      read_other(other, out.faults);
    if (std::none_of(out.faults.begin(), out.faults.end(), stops))
      append(out.faults, enforce_schema(root, document_.positions));
    if (std::none_of(out.faults.begin(), out.faults.end(), stops)) {
      out.app = std::make_shared<const app_definition>(std::move(app));
      out.live = std::make_shared<const live_settings>(std::move(live));
    }
    return out;
  }

  /// The published schema has the last word on what may stand in a file; the readers before it
  /// say the same in better words.
  std::vector<app_fault> enforce_schema(const ordered_json& root,
                                        const jsonc_positions& positions) const {
    fault_list faults{file_.string(), positions};
    if (const auto wrong = find_breach(app_schema(), nlohmann::json(root)))
      faults.fault(wrong->path, "a value that the schema refuses",
                   "it " + wrong->what + " (sidevoice.schema.json)");
    return faults.take();
  }

  std::vector<std::string> profile_names() const {
    std::vector<std::string> names;
    const auto& root = *document_.root;
    if (root.is_object() && root.contains("profiles") && root["profiles"].is_object())
      for (const auto& member : root["profiles"].items())
        names.push_back(member.key());
    return names;
  }

  /// A profile may change how an app runs, not which app it is.
  std::vector<app_fault> check_profiles(const std::vector<std::string>& names) {
    fault_list faults{file_.string(), document_.positions};
    const auto& root = *document_.root;
    if (root.is_object() && root.contains("profiles"))
      object_fields{root["profiles"], "profiles", faults};
    for (const auto& name : names) {
      object_fields fields{root["profiles"][name], path_of("profiles", name), faults};
      for (const auto* key : {"app", "$schema", "profiles"})
        if (fields.find(key) != nullptr)
          faults.fault(fields.path(key), "a key that no profile changes",
                       "remove it; profiles change keys such as \"live\"");
    }
    return faults.take();
  }

  app_definition read(const std::string& profile, bool resolve_secrets, live_settings& live,
                      std::vector<app_fault>& into) {
    auto root = *document_.root;
    auto positions = document_.positions;
    merge_profile(root, positions, profile);
    fault_list faults{file_.string(), positions};
    const auto folder = file_.has_parent_path() ? file_.parent_path() : fs::path{"."};
    const app_source source{folder, profile, options_.env, resolve_secrets, false, &files_};
    auto app = read_app(root, source, live, faults);
    auto found = faults.take();
    if (root.is_object())
      root.erase("profiles");
    if (std::none_of(found.begin(), found.end(), stops))
      append(found, enforce_schema(root, positions));
    if (std::none_of(found.begin(), found.end(), stops)) {
      app.release_body = make_release_body(root, app);
      app.release = release_digest(app.release_body);
    }
    append(into, std::move(found));
    return app;
  }

  /// Keeps what lies in the profile itself: the rest was found already.
  void read_other(const std::string& profile, std::vector<app_fault>& into) {
    std::vector<app_fault> found;
    live_settings unused;
    read(profile, false, unused, found);
    const auto own = path_of("profiles", profile);
    std::erase_if(found, [&](const app_fault& f) { return !f.key.starts_with(own); });
    append(into, std::move(found));
  }

  fs::path file_;
  const app_load_options& options_;
  jsonc_document document_;
  std::set<std::string> files_;
};

} // namespace

std::vector<std::string> find_app_files(const std::string& given) {
  const fs::path path{given};
  std::error_code failed;
  if (!fs::is_directory(path, failed))
    return {given};
  if (fs::exists(path / file_name, failed))
    return {(path / file_name).string()};
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator{path, failed})
    if (fs::exists(entry.path() / file_name, failed))
      out.push_back((entry.path() / file_name).string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string to_string(const app_fault& fault) {
  auto out = fault.file;
  if (fault.line > 0)
    out += ':' + std::to_string(fault.line);
  out += fault.warning ? ": warning: " : ": ";
  if (!fault.key.empty())
    out += fault.key + ": ";
  return out + "found " + fault.found + ": " + fault.remedy;
}

app_load load_app(const std::string& path, const app_load_options& options) {
  std::error_code failed;
  const fs::path given{path};
  return app_loading{fs::is_directory(given, failed) ? given / file_name : given, options}.run();
}

apps_load load_apps(const std::string& path, const app_load_options& options) {
  apps_load out;
  const auto files = find_app_files(path);
  if (files.empty())
    out.faults.push_back({path, 0, "", "no app in this folder",
                          "create one as NAME/app.jsonc, or name the folder that holds them"});
  for (const auto& file : files) {
    auto loaded = load_app(file, options);
    append(out.faults, std::move(loaded.faults));
    if (!loaded.app)
      continue;
    const auto twin = std::any_of(out.apps.begin(), out.apps.end(), [&](const loaded_app& one) {
      return one.app->id == loaded.app->id;
    });
    if (twin)
      out.faults.push_back({file, 0, "app", '"' + loaded.app->id + "\" a second time",
                            "give each app an id of its own"});
    else
      out.apps.push_back({std::move(loaded.app), std::move(loaded.live)});
  }
  return out;
}

} // namespace sidevoice
