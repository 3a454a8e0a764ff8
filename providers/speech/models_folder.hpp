#pragma once

#include "config/secrets.hpp"

#include <string>

namespace sidevoice {

/// Where models are looked for when nobody names a folder: SIDEVOICE_MODELS, else the folder that
/// `scripts/models.sh` fills: "models" in SIDEVOICE_CACHE, else in ~/.cache/sidevoice.
std::string default_models_folder(const environment& env);

} // namespace sidevoice
