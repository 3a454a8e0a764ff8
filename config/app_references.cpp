#include "config/app_references.hpp"

#include "config/secrets.hpp"
#include "config/web_address.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr const char* use_reference =
  "keep the key out of the file: write \"${env:NAME}\" or \"${file:PATH}\"";

bool is_visible_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

reference_reader::reference_reader(const app_source& source, std::string left_out,
                                   fault_list& faults)
    : source_(source),
      left_out_(std::move(left_out)),
      faults_(faults) {}

void reference_reader::unset(const std::string& path, const std::string& variable) {
  if (source_.is_dev())
    faults_.warn(path, "the unset variable " + variable,
                 left_out_ + " is skipped; set the variable to use it");
  else
    faults_.fault(path, "the unset variable " + variable,
                  "set it, or remove the entry: profile \"" + source_.profile
                    + "\" needs every key it lists");
}

std::optional<std::string> reference_reader::secret(const ordered_json& entry,
                                                    const std::string& path) {
  const auto what = parse_reference(entry.is_string() ? entry.get<std::string>() : "");
  if (!what) {
    faults_.fault(path, entry.is_string() ? "a literal text" : describe_kind(entry), use_reference);
    return std::nullopt;
  }
  if (what->otherwise && !what->otherwise->empty() && !source_.is_dev()) {
    faults_.fault(path, "a default, which is a literal key", use_reference);
    return std::nullopt;
  }
  if (!source_.resolve_secrets)
    return std::nullopt;
  if (what->from == reference::kind::file && source_.files != nullptr)
    source_.files->insert((source_.folder / what->name).string());
  auto key = resolve(*what, source_.env, source_.folder);
  if (key ? key->empty() : key.error().reason == "unset")
    unset(path, what->name);
  else if (!key)
    faults_.fault(path, "a file that cannot be used", key.error().detail);
  else if (!is_visible_ascii(*key))
    faults_.fault(path, "a key with blanks or signs beyond ASCII",
                  "use letters, digits and signs only: it travels in an HTTP header");
  else
    return std::move(*key);
  return std::nullopt;
}

std::optional<std::string> reference_reader::setting(const std::string& written,
                                                     const std::string& path) {
  const auto inside = references_in(written);
  if (!inside) {
    faults_.fault(path, "a reference of another form", inside.error().detail);
    return std::nullopt;
  }
  if (!source_.resolve_secrets)
    return inside->empty() ? std::optional{written} : std::nullopt;
  for (const auto& one : *inside) {
    const auto value = resolve(one, source_.env, source_.folder);
    if (value)
      continue;
    unset(path, one.name);
    return std::nullopt;
  }
  return *expand(written, source_.env);
}

std::optional<std::string> reference_reader::address(const std::string& written,
                                                     const std::string& path, bool must_be_secure) {
  auto text = setting(written, path);
  if (!text)
    return std::nullopt;
  const auto where = parse_web_address(*text);
  if (!where)
    faults_.fault(path, "no web address", where.error().detail);
  else if (must_be_secure && !where->secure && !where->is_loopback() && !source_.is_dev())
    faults_.fault(path, "an address without encryption",
                  "write https: in profile \"" + source_.profile
                    + "\" only loopback is called by http");
  else
    return text;
  return std::nullopt;
}

} // namespace sidevoice
