#include "config/settings.hpp"

#include "config/app_fields.hpp"
#include "config/app_references.hpp"
#include "config/schemas.hpp"
#include "config/secrets.hpp"
#include "config/text_file.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace sidevoice {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t settings_bytes_max = 100'000;

/// "10.0.0.0/8", "fd00::/8" or one address.
bool is_network(const std::string& text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(text, failed);
  if (!failed)
    return true;
  boost::asio::ip::make_network_v4(text, failed);
  if (!failed)
    return true;
  boost::asio::ip::make_network_v6(text, failed);
  return !failed;
}

class settings_reader {
public:
  settings_reader(fs::path folder, const environment& env, fault_list& faults)
      : folder_(std::move(folder)),
        env_(env),
        faults_(faults) {}

  server_settings read(const ordered_json& root) {
    object_fields fields{root, "", faults_};
    fields.find("$schema", json_kind::text);
    read_text(fields, "apps", out_.apps);
    read_text(fields, "data", out_.data);
    out_.apps = (folder_ / out_.apps).string();
    out_.data = (folder_ / out_.data).string();
    read_text(fields, "profile", out_.profile);
    read_address(fields, out_.listen);
    read_public_url(fields);
    if (const auto* admin = fields.find("admin"))
      read_admin(*admin, fields.path("admin"));
    if (const auto* tls = fields.find("tls"))
      read_tls(*tls, fields.path("tls"));
    if (const auto* forwarded = fields.find("forwarded"))
      read_forwarded(*forwarded, fields.path("forwarded"));
    if (const auto* sqlite = fields.find("sqlite"))
      read_sqlite(*sqlite, fields.path("sqlite"));
    if (const auto* sessions = fields.find("sessions"))
      read_sessions(*sessions, fields.path("sessions"));
    if (const auto* overload = fields.find("overload"))
      read_overload(*overload, fields.path("overload"));
    if (const auto seconds = fields.whole("drain_s", 0, 3600))
      out_.drain = std::chrono::seconds{*seconds};
    if (const auto* speech = fields.find("speech"))
      read_speech(*speech, fields.path("speech"));
    fields.later("store", json_kind::text);
    fields.later("cluster", json_kind::object);
    fields.later("otlp", json_kind::text);
    fields.finish();
    return out_;
  }

private:
  /// Leaves the default where the key is missing or its variable empty.
  bool read_text(object_fields& fields, const std::string& key, std::string& into) {
    const auto text = fields.text(key, 1000);
    if (!text)
      return false;
    const auto value = resolve_text(*text, env_, folder_);
    if (value && !value->empty())
      into = *value;
    else if (!value)
      faults_.fault(fields.path(key), "a reference that leads nowhere", value.error().detail);
    return value.has_value();
  }

  void read_address(object_fields& fields, std::string& into) {
    if (!read_text(fields, "listen", into))
      return;
    const auto where = parse_endpoint(into);
    if (!where)
      faults_.fault(fields.path("listen"), describe(into), where.error().detail);
  }

  void read_public_url(object_fields& fields) {
    if (!read_text(fields, "public_url", out_.public_url) || out_.public_url.empty())
      return;
    auto& url = out_.public_url;
    if (url.ends_with('/'))
      url.pop_back();
    const auto host = url.find("://");
    const auto good = (url.starts_with("https://") || url.starts_with("http://"))
                      && url.size() > host + 3
                      && url.find_first_of(" ?#@", host + 3) == std::string::npos;
    if (!good)
      faults_.fault("public_url", "no address of a web server",
                    R"(write one such as "https://talk.example")");
  }

  void read_admin(const ordered_json& admin, const std::string& path) {
    object_fields fields{admin, path, faults_};
    read_address(fields, out_.admin_listen);
    const app_source source{folder_, out_.profile, env_};
    reference_reader references{source, "the key", faults_};
    const auto* keys = fields.find("keys", json_kind::list);
    for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i)
      if (auto key = references.secret((*keys)[i], path_of(fields.path("keys"), i)))
        out_.admin_keys.push_back(std::move(*key));
    fields.finish();
  }

  void read_tls(const ordered_json& tls, const std::string& path) {
    object_fields fields{tls, path, faults_};
    fields.require("certificate", R"(name the PEM file: "certificate": "certificate.pem")");
    fields.require("key", R"(name the PEM file: "key": "key.pem")");
    read_file(fields, "certificate", out_.tls_certificate, false);
    read_file(fields, "key", out_.tls_key, true);
    fields.finish();
  }

  void read_file(object_fields& fields, const std::string& key, std::string& into, bool secret) {
    std::string name;
    if (!read_text(fields, key, name) || name.empty())
      return;
    into = (folder_ / name).string();
    std::error_code failed;
    const auto status = fs::status(into, failed);
    if (!fs::is_regular_file(status))
      faults_.fault(fields.path(key), "no such file", "create it, or mend the path");
    else if (secret && (status.permissions() & fs::perms::others_read) != fs::perms::none)
      faults_.fault(fields.path(key), "a key that everybody can read", "chmod 600 the file");
  }

  void read_forwarded(const ordered_json& forwarded, const std::string& path) {
    object_fields fields{forwarded, path, faults_};
    const auto from = fields.texts("from");
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (is_network(from[i]))
        out_.trusted_proxies.push_back(from[i]);
      else
        faults_.fault(path_of(fields.path("from"), i), describe(ordered_json(from[i])),
                      R"(write an address or a network, such as "10.0.0.0/8" or "::1")");
    }
    fields.finish();
  }

  void read_sqlite(const ordered_json& sqlite, const std::string& path) {
    object_fields fields{sqlite, path, faults_};
    if (fields.word("synchronous", {"full", "normal"}) == "normal")
      out_.synchronous = sqlite_synchronous::normal;
    fields.finish();
  }

  void read_sessions(const ordered_json& sessions, const std::string& path) {
    object_fields fields{sessions, path, faults_};
    const auto seconds = fields.number("passivate_after_s");
    if (seconds && (*seconds < 1 || *seconds > 86'400))
      faults_.fault(fields.path("passivate_after_s"), ordered_json(*seconds).dump(),
                    "write seconds between 1 and 86400");
    else if (seconds)
      out_.passivate_after = std::chrono::seconds{static_cast<std::int64_t>(*seconds)};
    fields.finish();
  }

  void read_overload(const ordered_json& overload, const std::string& path) {
    object_fields fields{overload, path, faults_};
    out_.shedding = fields.flag("enabled", true);
    if (const auto delay = fields.whole("target_delay_ms", 5, 10'000))
      out_.target_delay = std::chrono::milliseconds{*delay};
    if (const auto share = fields.number("cpu_share", 0.1, 1))
      out_.cpu_share = *share;
    if (const auto share = fields.number("memory_share", 0.1, 1))
      out_.memory_share = *share;
    fields.finish();
  }

  void read_speech(const ordered_json& speech, const std::string& path) {
    object_fields fields{speech, path, faults_};
    out_.speech = fields.flag("enabled", true);
    if (std::string models; read_text(fields, "models", models) && !models.empty())
      out_.speech_models = (folder_ / models).string();
    if (const auto workers = fields.whole("stt_workers", 1, 64))
      out_.stt_workers = static_cast<std::uint32_t>(*workers);
    if (const auto workers = fields.whole("tts_workers", 1, 64))
      out_.tts_workers = static_cast<std::uint32_t>(*workers);
    fields.finish();
  }

  fs::path folder_;
  const environment& env_;
  fault_list& faults_;
  server_settings out_;
};

} // namespace

settings_load load_settings(const std::string& path, const environment& env) {
  settings_load out;
  const auto text = read_text_file(path, settings_bytes_max);
  if (!text) {
    out.faults.push_back({path, 0, "", "no settings file", text.error().detail});
    out.good = false;
    return out;
  }
  const auto document = parse_jsonc(*text);
  for (const auto& f : document.faults)
    out.faults.push_back({path, f.line, f.key, f.found, f.remedy});
  if (document.root) {
    fault_list faults{path, document.positions};
    out.settings = settings_reader{fs::path{path}.parent_path(), env, faults}.read(*document.root);
    out.faults = faults.take();
    const auto stops = [](const app_fault& f) { return !f.warning; };
    const auto wrong = find_breach(settings_schema(), nlohmann::json(*document.root));
    if (wrong && std::none_of(out.faults.begin(), out.faults.end(), stops)) {
      faults.fault(wrong->path, "a value that the schema refuses", "it " + wrong->what);
      out.faults = faults.take();
    }
  }
  out.good = std::all_of(out.faults.begin(), out.faults.end(),
                         [](const app_fault& f) { return f.warning; });
  return out;
}

} // namespace sidevoice
