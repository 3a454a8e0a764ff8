#include "actors/greeting.hpp"

#include "config/template_text.hpp"

namespace sidevoice {

std::string greeting_of(const app_definition& app, const std::string& user) {
  return fill_variables(app.greeting, [&](const std::string& name) -> std::optional<std::string> {
    if (name == "user.name" && !user.empty())
      return user;
    return std::nullopt;
  });
}

} // namespace sidevoice
