#include "providers/speech/models_folder.hpp"

namespace sidevoice {

std::string default_models_folder(const environment& env) {
  const auto set = [&](const char* name) { return env(name).value_or(std::string{}); };
  if (auto models = set("SIDEVOICE_MODELS"); !models.empty())
    return models;
  if (const auto cache = set("SIDEVOICE_CACHE"); !cache.empty())
    return cache + "/models";
  const auto home = set("HOME");
  return (home.empty() ? "." : home) + "/.cache/sidevoice/models";
}

} // namespace sidevoice
