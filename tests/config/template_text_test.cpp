#include "config/template_text.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>

using namespace sidevoice;

namespace {

std::string fill(const std::string& text) {
  static const std::map<std::string, std::string> known = {{"user.name", "Ada"},
                                                           {"empty", ""},
                                                           {"sly", "{{user.name}}"}};
  return fill_variables(text, [](const std::string& name) -> std::optional<std::string> {
    const auto found = known.find(name);
    return found == known.end() ? std::nullopt : std::optional{found->second};
  });
}

} // namespace

TEST_CASE("variables are filled in, defaults where they are unknown or empty") {
  CHECK(fill("Hello {{user.name|there}}!") == "Hello Ada!");
  CHECK(fill("Hello {{ user.name }}!") == "Hello Ada!");
  CHECK(fill("Hello {{nobody|there}}!") == "Hello there!");
  CHECK(fill("Hello {{empty|there}}!") == "Hello there!");
  CHECK(fill("Hello {{nobody}}!") == "Hello !");
  CHECK(fill("{{nobody|}}{{user.name}}{{user.name}}") == "AdaAda");
}

TEST_CASE("a value is not searched for variables again") {
  CHECK(fill("{{sly}}") == "{{user.name}}");
}

TEST_CASE("text without variables and braces without an end stay as they are") {
  CHECK(fill("").empty());
  CHECK(fill("a {b} c }} d") == "a {b} c }} d");
  CHECK(fill("Hello {{user.name") == "Hello {{user.name");
}
