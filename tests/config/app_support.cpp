#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

namespace sidevoice::test {

namespace fs = std::filesystem;

temporary_folder::temporary_folder() {
  auto name = (fs::temp_directory_path() / "sidevoice-test-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code failed;
  fs::remove_all(path_, failed);
}

std::string temporary_folder::write(const std::string& name, const std::string& text) const {
  const auto file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << text;
  return file.string();
}

environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional{found->second};
  };
}

app_load load_text(const std::string& text, const app_load_options& options) {
  const temporary_folder folder;
  folder.write("app.jsonc", text);
  return load_app(folder.path().string(), options);
}

std::string with(const std::string& members) {
  return R"({ "app": "a", "checklist": { "topics": [ { "id": "x" } ] },)"
         "\n"
         + members + "\n}";
}

std::string with_topics(const std::string& topics) {
  return R"({ "app": "a", "checklist": { "topics": [)"
         "\n"
         + topics + "\n] } }";
}

std::string listing(const std::vector<app_fault>& faults) {
  std::string out;
  for (const auto& fault : faults)
    out += to_string(fault) + '\n';
  return out;
}

} // namespace sidevoice::test
