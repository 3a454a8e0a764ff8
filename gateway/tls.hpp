#pragma once

#include "config/loop.hpp"
#include "config/result.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace boost::asio::ssl {
class context;
} // namespace boost::asio::ssl

namespace sidevoice {

/// Certificate and key of the public port: TLS 1.2 and 1.3, ciphers with forward secrecy only. Read
/// again when the files change; connections keep what they began with. Any thread.
class tls_certificates {
public:
  /// PEM files: the certificate with its chain, and its key. Errors `invalid`: a file that cannot
  /// be read, is no PEM, is readable by everybody (the key), or does not belong to the other one.
  static result<std::shared_ptr<tls_certificates>> open(std::string certificate, std::string key);

  /// What the next handshake uses.
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;

  /// Reads both files again. With an error the old ones stay in force.
  result<void> reload();

  /// Whether the files differ from those that were read last, by their times, sizes and places.
  [[nodiscard]] bool changed() const;

private:
  /// Of both files.
  using fingerprint = std::array<std::int64_t, 8>;

  tls_certificates(std::string certificate, std::string key);
  [[nodiscard]] fingerprint look() const;
  [[nodiscard]] result<std::shared_ptr<boost::asio::ssl::context>> read() const;

  const std::string certificate_;
  const std::string key_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  fingerprint seen_{};
};

/// Reads the files again when they have changed; looks once a second. On the loop's thread.
class tls_watch {
public:
  tls_watch(std::shared_ptr<tls_certificates> files, loop& where);
  tls_watch(const tls_watch&) = delete;
  tls_watch& operator=(const tls_watch&) = delete;
  ~tls_watch();

private:
  struct state;
  std::shared_ptr<state> state_;
};

/// Reads the files again and says in the log what came of it.
void reload_and_tell(tls_certificates& files);

} // namespace sidevoice
