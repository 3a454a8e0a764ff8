#include "config/app_reader.hpp"
#include "config/app_references.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

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

void read_origins(object_fields& fields, live_settings& live, fault_list& faults) {
  const auto origins = fields.texts("origins");
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (is_origin(origins[i]))
      live.origins.push_back(origins[i]);
    else
      // Shown by kind where it might hold a password (https://user:password@host).
      faults.fault(path_of(fields.path("origins"), i),
                   origins[i].find("://") == std::string::npos
                       || origins[i].find('@') != std::string::npos
                     ? "no origin"
                     : describe(origins[i]),
                   "write scheme and host as a browser sends them, such as "
                   "\"https://www.example.org\": no path, no *, no final /");
  }
}

} // namespace

void read_access(const ordered_json& object, const std::string& path, const app_source& source,
                 live_settings& live, fault_list& faults) {
  object_fields fields{object, path, faults};
  read_origins(fields, live, faults);
  live.is_public = fields.flag("public");
  if (live.is_public && live.origins.empty())
    faults.warn(fields.path("public"), "no origins",
                "list the pages that may use it: \"origins\": [\"https://www.example.org\"]");
  reference_reader references{source, "the key", faults};
  const auto* keys = fields.find("server_keys", json_kind::list);
  for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i)
    if (auto key = references.secret((*keys)[i], path_of(fields.path("server_keys"), i)))
      live.server_keys.push_back(std::move(*key));
  if (fields.find("client_may_set") != nullptr)
    live.client_may_set =
      fields.words("client_may_set", {"tools", "output_modalities", "audio", "turn_detection",
                                      "instructions", "voice", "tool_choice", "max_output_tokens"});
  fields.finish();
}

} // namespace sidevoice
