#include "config/text_file.hpp"

#include "config/app_reader.hpp"

#include <utf8.h>

#include <algorithm>
#include <fstream>

namespace sidevoice {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t instruction_bytes_max = 400'000;

error invalid(std::string detail) {
  return {errc::invalid, std::move(detail)};
}

/// True where `path`, its links followed, lies in `folder` or deeper.
bool is_inside(const fs::path& path, const fs::path& folder) {
  std::error_code failed;
  const auto real = fs::weakly_canonical(path, failed);
  const auto root = fs::weakly_canonical(folder, failed);
  if (failed)
    return false;
  const auto [at_root, at_real] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  return at_root == root.end() && at_real != real.end();
}

} // namespace

result<std::string> read_text_file(const fs::path& path, std::size_t bytes_max) {
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (!fs::exists(status))
    return error{errc::not_found, "there is no such file: create it, or mend the path"};
  if (!fs::is_regular_file(status))
    return invalid("this is no plain file: name one");
  std::ifstream file{path, std::ios::binary};
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof()))
    return invalid("the file cannot be read: check its permissions");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max)
    return invalid("the file is too large: " + std::to_string(bytes_max / 1000)
                   + " kB are allowed");
  return text;
}

result<std::string> read_text_below(const fs::path& folder, const std::string& name) {
  const fs::path relative{name};
  const auto leaves = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (relative.is_absolute() || leaves || !is_inside(folder / relative, folder))
    return invalid("name a file in the app's folder: no absolute path, no .., no link out of it");
  auto text = read_text_file(folder / relative, instruction_bytes_max);
  if (!text)
    return text.error();
  if (!utf8::is_valid(text->begin(), text->end()) || text->find('\0') != std::string::npos)
    return invalid("save the file as UTF-8 without NUL");
  if (text->find_first_not_of(" \t\r\n") == std::string::npos)
    return invalid("the file is empty: write the instructions into it, or remove the key");
  return text;
}

} // namespace sidevoice
