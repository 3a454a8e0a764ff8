#include "config/app_reader.hpp"
#include "config/secrets.hpp"

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

/// scheme://host or scheme://host:port as a browser writes it in the Origin header: small letters,
/// no path, no default port.
bool is_origin(const std::string& origin) {
  const auto https = origin.starts_with("https://");
  if (!https && !origin.starts_with("http://"))
    return false;
  auto rest = std::string_view{origin}.substr(https ? 8 : 7);
  const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos)
    return false;
  const auto colon = rest.find(':', bracket);
  const auto host = rest.substr(0, colon);
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
           || std::string_view{".-_[]:"}.find(c) != std::string_view::npos;
  };
  if (host.empty() || host.size() > 253 || !std::all_of(host.begin(), host.end(), good))
    return false;
  if (colon == std::string_view::npos)
    return true;
  const auto port = rest.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.front() != '0'
         && std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })
         && std::stoi(std::string{port}) <= 65'535 && port != (https ? "443" : "80");
}

/// Reads `live.access`.
class access_reader {
public:
  access_reader(const ordered_json& access, const std::string& path, const app_source& source,
                app_definition& app, fault_list& faults)
      : fields_(access, path, faults),
        source_(source),
        app_(app),
        faults_(faults) {}

  void read() {
    read_origins();
    app_.is_public = fields_.flag("public");
    if (app_.is_public && app_.origins.empty())
      faults_.warn(fields_.path("public"), "no origins",
                   "list the pages that may use it: \"origins\": [\"https://www.example.org\"]");
    const auto* keys = fields_.find("server_keys", json_kind::list);
    for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i)
      read_key((*keys)[i], path_of(fields_.path("server_keys"), i));
    fields_.later("client_may_set", json_kind::list);
    fields_.finish();
  }

private:
  void read_origins() {
    const auto origins = fields_.texts("origins");
    for (std::size_t i = 0; i < origins.size(); ++i) {
      if (is_origin(origins[i]))
        app_.origins.push_back(origins[i]);
      else
        // Shown by kind where it might hold a password (https://user:password@host).
        faults_.fault(path_of(fields_.path("origins"), i),
                      origins[i].find("://") == std::string::npos
                          || origins[i].find('@') != std::string::npos
                        ? "no origin"
                        : describe(origins[i]),
                      "write scheme and host as a browser sends them, such as "
                      "\"https://www.example.org\": no path, no *, no final /");
    }
  }

  void read_key(const ordered_json& entry, const std::string& path) {
    const auto what = parse_reference(entry.is_string() ? entry.get<std::string>() : "");
    if (!what) {
      faults_.fault(path, entry.is_string() ? "a literal text" : describe_kind(entry),
                    use_reference);
      return;
    }
    const auto dev = source_.profile == "dev";
    if (what->otherwise && !what->otherwise->empty() && !dev) {
      faults_.fault(path, "a default, which is a literal key", use_reference);
      return;
    }
    if (!source_.resolve_secrets)
      return;
    const auto key = resolve(*what, source_.env, source_.folder);
    const auto unset = key ? key->empty() : key.error().reason == "unset";
    if (unset && dev)
      faults_.warn(path, "the unset variable " + what->name,
                   "the key is skipped; set the variable to use it");
    else if (unset)
      faults_.fault(path, "the unset variable " + what->name,
                    "set it, or remove the entry: profile \"" + source_.profile
                      + "\" needs every key it lists");
    else if (!key)
      faults_.fault(path, "a file that cannot be used", key.error().detail);
    else if (!is_visible_ascii(*key))
      faults_.fault(path, "a key with blanks or signs beyond ASCII",
                    "use letters, digits and signs only: it travels in an HTTP header");
    else
      app_.server_keys.push_back(*key);
  }

  object_fields fields_;
  const app_source& source_;
  app_definition& app_;
  fault_list& faults_;
};

} // namespace

void read_live(const ordered_json& live, const std::string& path, const app_source& source,
               app_definition& app, fault_list& faults) {
  object_fields fields{live, path, faults};
  if (const auto* access = fields.find("access"))
    access_reader{*access, fields.path("access"), source, app, faults}.read();
  for (const auto* key : {"vendors", "failover", "session_start", "limits", "privacy", "releases"})
    fields.later(key, json_kind::object);
  fields.later("webhooks", json_kind::list);
  fields.finish();
}

} // namespace sidevoice
