#pragma once

#include "config/app.hpp"
#include "gateway/client_key.hpp"
#include "gateway/http.hpp"
#include "gateway/origin.hpp"
#include "gateway/throttle.hpp"

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sidevoice {

/// The time at which a request is judged: elapsed for throttles, of day for expiry.
struct request_time {
  std::chrono::steady_clock::time_point now;
  std::int64_t unix_s = 0;
};

/// What a caller may do with an app.
struct access_grant {
  enum class kind { server_key, client_key, anonymous };

  app_ptr app;
  kind by = kind::anonymous;
  /// Of a client key that is bound to a session.
  std::string session;
  /// Of a client key.
  std::string user;
};

using access_decision = std::variant<access_grant, http_response>;

/// Decides who may enter. Knows the apps' server keys only as hashes. Any thread.
class authenticator {
public:
  authenticator(std::vector<app_ptr> apps, key_sealer sealer, own_address own,
                failure_throttle::options throttle = {});

  /// Judges a request for an app ("moving" or "moving@stable"). Refusals are complete: 401 without
  /// detail, 403 for a page that is not listed, 404 for an app that is unknown or not the key's,
  /// 429 after too many wrong keys from one address.
  [[nodiscard]] access_decision admit(const http_request& request, const std::string& model,
                                      request_time at);

  /// The apps that a caller may know of: those of its key, and those open to its page. A wrong key
  /// counts like no key, but is throttled.
  [[nodiscard]] std::vector<app_ptr> visible(const http_request& request, request_time at);

private:
  using key_hash = std::array<unsigned char, 32>;
  struct known_key {
    key_hash hash;
    app_ptr app;
  };
  /// Whom a credential belongs to. A server key may open several apps that all list it.
  struct holder {
    std::vector<app_ptr> apps;
    std::optional<client_key> bound;
  };

  [[nodiscard]] key_hash hash_of(std::string_view key) const;
  [[nodiscard]] holder find_holder(std::string_view key, std::int64_t unix_s) const;
  [[nodiscard]] app_ptr find_app(const std::string& id) const;
  [[nodiscard]] access_decision admit_key(const http_request& request, const std::string& model,
                                          std::string_view key, request_time at);
  [[nodiscard]] access_decision admit_anonymous(const http_request& request,
                                                const std::string& model) const;

  std::vector<app_ptr> apps_;
  std::vector<known_key> keys_;
  key_sealer sealer_;
  own_address own_;
  /// Hashes are keyed with it, so that they mean nothing outside this process.
  key_hash salt_{};
  std::mutex throttle_mutex_;
  failure_throttle throttle_;
};

/// The key a request carries: `Authorization: Bearer`, else the subprotocol
/// "openai-insecure-api-key.KEY" that browsers use. Unset without one; empty for another scheme.
std::optional<std::string> read_credential(const http_request& request);

} // namespace sidevoice
