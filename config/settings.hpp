#pragma once

#include "config/app_file.hpp"
#include "config/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sidevoice {

/// Where a listener listens. Port 0 lets the system choose one.
struct endpoint {
  /// IPv4 address, IPv6 address without its brackets, or "localhost".
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const endpoint&) const = default;
};

/// Reads HOST:PORT: "127.0.0.1:8080", "[::1]:8080", "localhost:0". Error `invalid` shows the form.
result<endpoint> parse_endpoint(const std::string& text);

/// "[::1]:8080".
std::string to_string(const endpoint& where);

/// How SQLite waits for the disk: `full` survives a power cut, `normal` may lose the last moments.
enum class sqlite_synchronous { full, normal };

/// The server's own settings. Every one has a default, so that there need be no file.
struct server_settings {
  /// A folder of apps, one app folder, or one app file.
  std::string apps = "apps/";
  std::string listen = "127.0.0.1:8080";
  std::string admin_listen = "127.0.0.1:8081";
  /// Keys of administrators. Secrets: never printed.
  std::vector<std::string> admin_keys;
  /// Paths of PEM files; both empty: no TLS.
  std::string tls_certificate;
  std::string tls_key;
  /// Addresses and networks ("10.0.0.0/8", "127.0.0.1") of proxies whose headers are believed.
  std::vector<std::string> trusted_proxies;
  std::string data = "data/";
  /// The address that clients see, such as "https://talk.example"; empty: what they asked for.
  std::string public_url;
  std::string profile = "dev";
  sqlite_synchronous synchronous = sqlite_synchronous::full;
  /// A session without connection and work is put to sleep after this time.
  std::chrono::seconds passivate_after{600};
  /// What a stopping server waits for turns that are under way.
  std::chrono::seconds drain{10};
  /// When new sessions are refused (docs/overload.md).
  bool shedding = true;
  std::chrono::milliseconds target_delay{100};
  double cpu_share = 0.9;
  double memory_share = 0.9;
  /// Local speech: off, a node serves chats only.
  bool speech = true;
  /// Folder of the model files; empty: where `make models` has put them.
  std::string speech_models;
  /// Threads that transcribe and that speak.
  std::uint32_t stt_workers = 1;
  std::uint32_t tts_workers = 1;
};

struct settings_load {
  server_settings settings;
  std::vector<app_fault> faults;
  /// False when there is any fault that is not a warning.
  bool good = true;
};

/// Reads a sidevoice.jsonc:
///   { "apps": "apps/", "listen": "127.0.0.1:8080",
///     "admin": { "listen": "127.0.0.1:8081", "keys": ["${env:ADMIN_KEY}"] },
///     "tls": { "certificate": "cert.pem", "key": "key.pem" },
///     "forwarded": { "from": ["10.0.0.0/8"] },
///     "data": "data/", "public_url": "https://talk.example", "profile": "dev",
///     "sqlite": { "synchronous": "full" }, "sessions": { "passivate_after_s": 600 }, "drain_s":
///     10, "overload": { "enabled": true, "target_delay_ms": 100, "cpu_share": 0.9,
///                   "memory_share": 0.9 } }
/// Texts may be `${env:NAME|default}`. Relative paths start at the file's folder. The schema is
/// config/settings_schema.json.
settings_load load_settings(const std::string& path,
                            const environment& env = process_environment());

} // namespace sidevoice
