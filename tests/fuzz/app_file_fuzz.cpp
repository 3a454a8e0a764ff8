#include "config/app_file.hpp"
#include "config/jsonc.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

/// One file for the whole run; gone at its end.
class app_folder {
public:
  app_folder() {
    auto name = (std::filesystem::temp_directory_path() / "sidevoice-fuzz-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  app_folder(const app_folder&) = delete;
  app_folder& operator=(const app_folder&) = delete;
  ~app_folder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }

  [[nodiscard]] app_load load(std::string_view text) const {
    const auto file = path_ / "app.jsonc";
    std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
    return load_app(file.string(), {"dev", [](const std::string&) { return std::nullopt; }});
  }

private:
  std::filesystem::path path_;
};

void read_jsonc(std::string_view text, std::size_t lines, json_dialect dialect) {
  const auto document = parse_jsonc(text, dialect);
  must((document.root == nullptr) == !document.faults.empty(), "neither a value nor a fault");
  for (const auto& fault : document.faults)
    must(fault.line <= lines && !fault.remedy.empty(), "a fault behind the end");
  for (const auto& [path, position] : document.positions)
    must(position.line >= 1 && position.line <= lines, "a value behind the end");
  if (!document.root)
    return;
  const auto again = parse_jsonc(document.root->dump(), json_dialect::strict);
  must(again.root != nullptr && *again.root == *document.root, "its own text means something else");
}

} // namespace

/// An app file as somebody may write it: JSON with comments, then the whole reader.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const app_folder folder;
  const auto text = text_of(bytes, size);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  read_jsonc(text, lines, json_dialect::strict);
  read_jsonc(text, lines, json_dialect::commented);
  const auto load = folder.load(text);
  const auto is_wrong = std::any_of(load.faults.begin(), load.faults.end(),
                                    [](const app_fault& fault) { return !fault.warning; });
  must((load.app == nullptr) == is_wrong && (load.live == nullptr) == is_wrong,
       "neither an app nor a fault");
  for (const auto& fault : load.faults)
    must(fault.line <= lines && !fault.remedy.empty() && !to_string(fault).empty(),
         "a fault behind the end");
  if (!load.app)
    return 0;
  const auto again = read_release(load.app->release_body);
  must(again.has_value() && (*again)->release == load.app->release
         && (*again)->topics == load.app->topics && (*again)->tools == load.app->tools,
       "its release is another app");
  return 0;
}
