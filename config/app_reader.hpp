#pragma once

#include "config/app_fields.hpp"
#include "config/live.hpp"

#include <filesystem>
#include <set>
#include <string>

namespace sidevoice {

/// Where an app file stands and how its references are to be read.
struct app_source {
  /// The app's folder: files that the app names lie below it.
  std::filesystem::path folder;
  std::string profile;
  environment env;
  /// False where another profile than the chosen one is checked: its secrets are not for this
  /// server, so only their form counts.
  bool resolve_secrets = true;
  /// A release is read: long texts stand in it, and nothing is looked up.
  bool frozen = false;
  /// Gets the path of each file that is looked for; may be null.
  std::set<std::string>* files = nullptr;

  [[nodiscard]] bool is_dev() const {
    return profile == "dev";
  }
};

/// Reads the whole file, profiles merged already. The definition is complete only where no fault
/// was added.
app_definition read_app(const nlohmann::ordered_json& root, const app_source& source,
                        live_settings& live, fault_list& faults);

/// Reads `tools`, sorted by name.
void read_tools(const nlohmann::ordered_json& tools, const std::string& path,
                const app_source& source, app_definition& app, fault_list& faults);

/// Reads `models`; `rules` where an agent has no list.
void read_models(const nlohmann::ordered_json* models, const std::string& path, app_definition& app,
                 fault_list& faults);

/// Reads `voice`.
voice_settings read_voice(const nlohmann::ordered_json& voice, const std::string& path,
                          fault_list& faults);

/// Reads `live`.
void read_live(const nlohmann::ordered_json& object, const std::string& path,
               const app_source& source, live_settings& live, fault_list& faults);

/// Reads `live.access`.
void read_access(const nlohmann::ordered_json& object, const std::string& path,
                 const app_source& source, live_settings& live, fault_list& faults);

/// Reads `live.vendors`. In profile dev a vendor with an unset variable is left out with a warning.
void read_vendors(const nlohmann::ordered_json& object, const std::string& path,
                  const app_source& source, live_settings& live, fault_list& faults);

/// What no key shows alone: tools that agents name, models and vendors, limits and prices.
void check_app_links(const nlohmann::ordered_json& root, const app_source& source,
                     const app_definition& app, const live_settings& live, fault_list& faults);

/// The text of an instruction file below the app's folder. Error `invalid` says why not.
result<std::string> read_text_below(const std::filesystem::path& folder, const std::string& name);

/// What the app is as canonical JSON, for `app_definition::release_body`.
json_text make_release_body(const nlohmann::ordered_json& root, const app_definition& app);

/// "sha256:..." of a release's body.
std::string release_digest(const json_text& body);

/// Lays the objects of `profiles.NAME` over the rest of the file; other values replace. Positions
/// move along, so that faults name the line in the profile. False if there is no such profile.
bool merge_profile(nlohmann::ordered_json& root, jsonc_positions& positions,
                   const std::string& profile);

} // namespace sidevoice
