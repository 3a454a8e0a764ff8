#pragma once

#include "config/app_fields.hpp"

#include <filesystem>
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
};

/// Reads the whole file, profiles merged already. The definition is complete only where no fault
/// was added.
app_definition read_app(const nlohmann::ordered_json& root, const app_source& source,
                        fault_list& faults);

/// Reads `live`.
void read_live(const nlohmann::ordered_json& live, const std::string& path,
               const app_source& source, app_definition& app, fault_list& faults);

/// Reads `models.conversation` and `models.analyzer`; `rules` where they are missing.
void read_models(const nlohmann::ordered_json* models, const std::string& path, app_definition& app,
                 fault_list& faults);

/// The text of an instruction file below the app's folder. Error `invalid` says why not.
result<std::string> read_text_below(const std::filesystem::path& folder, const std::string& name);

/// "sha256:..." over the canonical JSON of what the app is: instruction files inlined; `live`,
/// `profiles` and `$schema` left out; keys sorted, except where their order means something.
std::string release_digest(const nlohmann::ordered_json& root, const app_definition& app);

/// Lays the objects of `profiles.NAME` over the rest of the file; other values replace. Positions
/// move along, so that faults name the line in the profile. False if there is no such profile.
bool merge_profile(nlohmann::ordered_json& root, jsonc_positions& positions,
                   const std::string& profile);

} // namespace sidevoice
