#include "cli/commands.hpp"
#include "cli/templates.hpp"
#include "config/app_file.hpp"
#include "config/schemas.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

namespace sidevoice::cli {

namespace {

namespace fs = std::filesystem;

bool is_app_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 && id.front() >= 'a' && id.front() <= 'z'
         && std::all_of(id.begin(), id.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
            });
}

/// "blue-sky" becomes "Blue sky".
std::string title_of(std::string id) {
  std::replace_if(
    id.begin(), id.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
  id.front() = static_cast<char>(id.front() - 'a' + 'A');
  return id;
}

std::string filled(std::string_view text, const std::string& id) {
  std::string out{text};
  for (const auto& [word, value] :
       {std::pair{std::string{"my-app"}, id}, std::pair{std::string{"My app"}, title_of(id)}})
    for (auto at = out.find(word); at != std::string::npos; at = out.find(word, at + value.size()))
      out.replace(at, word.size(), value);
  return out;
}

/// Never overwrites. True once the whole text is in the file.
bool write_new(const fs::path& path, const std::string& text) {
  auto* file = std::fopen(path.c_str(), "wx");
  if (file == nullptr)
    return false;
  const auto whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return (std::fclose(file) == 0) && whole;
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "sidevoice: %s\n", why.c_str());
  return 2;
}

int run_init(const std::string& name, const std::string& parent) {
  if (!is_app_id(name))
    return refuse("an app's name starts with a small letter; then small letters, digits, _ and -, "
                  "at most 64: sidevoice init moving");
  const auto folder = fs::path{parent} / name;
  const std::vector<std::pair<std::string, std::string>> files = {
    {"app.jsonc", filled(app_template(), name)},
    {"host.md", filled(host_template(), name)},
    {"analyzer.md", filled(analyzer_template(), name)},
    {"sidevoice.schema.json", std::string{app_schema_text()}}};
  std::error_code failed;
  for (const auto& [file, unused] : files)
    if (fs::exists(fs::symlink_status(folder / file, failed)))
      return refuse((folder / file).string()
                    + " is there already and stays as it is: choose another name, or --in another "
                      "folder");
  fs::create_directories(folder, failed);
  if (failed) {
    std::fprintf(stderr, "sidevoice: the folder %s cannot be made: %s\n", folder.c_str(),
                 failed.message().c_str());
    return 1;
  }
  for (const auto& [file, text] : files) {
    if (!write_new(folder / file, text)) {
      std::fprintf(stderr, "sidevoice: %s cannot be written: %s\n", (folder / file).c_str(),
                   std::strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
      return 1;
    }
    std::printf("%s\n", (folder / file).c_str());
  }
  std::printf("\nNext:\n"
              "  sidevoice check %s          find its faults\n"
              "  sidevoice chat %s           talk to it in this terminal\n"
              "  sidevoice serve --config %s   open its page\n",
              folder.c_str(), folder.c_str(), folder.c_str());
  return 0;
}

} // namespace

void add_init(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "init", "Write a new app: its file, instructions, and the schema for editors");
  auto name = std::make_shared<std::string>();
  auto parent = std::make_shared<std::string>("apps");
  command->add_option("NAME", *name, "The app's id: small letters, digits, _ and -")->required();
  command->add_option("--in", *parent, "The folder that gets the app's folder")
    ->capture_default_str();
  command->footer("Example: sidevoice init moving\nFiles that are there already are never "
                  "overwritten.");
  command->callback(
    [&chosen, name, parent] { chosen = [name, parent] { return run_init(*name, *parent); }; });
}

} // namespace sidevoice::cli
