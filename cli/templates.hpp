#pragma once

#include <string_view>

/// What `sidevoice init` writes, from cli/templates/. The id "my-app" and the title "My app" stand
/// for the new app's own.
namespace sidevoice {

std::string_view app_template();
std::string_view host_template();
std::string_view analyzer_template();

} // namespace sidevoice
