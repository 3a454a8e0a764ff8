#include "tests/config/app_corpus.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace sidevoice::test {

namespace fs = std::filesystem;

namespace {

const fs::path source_folder{SIDEVOICE_SOURCE_DIR};

/// "// key: checklist.topics[0]": the lines at the top of a file.
faulty_file read_faulty(const fs::path& path) {
  faulty_file out;
  out.path = path.string();
  out.text = read_whole(out.path);
  std::map<std::string, std::string> env;
  std::istringstream lines{out.text};
  for (std::string line; std::getline(lines, line) && line.starts_with("// ");) {
    const auto colon = line.find(": ");
    INFO(out.path);
    REQUIRE(colon != std::string::npos);
    const auto name = line.substr(3, colon - 3);
    const auto value = line.substr(colon + 2);
    if (name == "line")
      out.line = std::stoul(value);
    else if (name == "key")
      out.key = value;
    else if (name == "found")
      out.found = value;
    else if (name == "remedy")
      out.remedy = value;
    else if (name == "schema")
      out.schema = value;
    else if (name == "profile")
      out.options.profile = value;
    else if (name == "env")
      env[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
    else
      FAIL("an unknown line at the top: ", line);
  }
  out.options.env = variables(env);
  return out;
}

} // namespace

std::string read_whole(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<faulty_file> faulty_files() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator{source_folder / "tests/config/faults"})
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<faulty_file> out;
  for (const auto& path : paths)
    out.push_back(read_faulty(path));
  return out;
}

std::vector<std::string> good_files() {
  std::vector<std::string> out;
  for (const auto* name :
       {"apps/moving/app.jsonc", "apps/support/app.jsonc", "tests/config/whole/app.jsonc",
        "tests/config/smallest.jsonc", "cli/templates/app.jsonc"})
    out.push_back((source_folder / name).string());
  return out;
}

} // namespace sidevoice::test
