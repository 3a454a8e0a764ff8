#pragma once

#include "config/app.hpp"

#include <string>

namespace sidevoice {

/// The app's greeting for this user, variables filled in; empty where the app has none.
std::string greeting_of(const app_definition& app, const std::string& user);

} // namespace sidevoice
