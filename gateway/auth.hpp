#pragma once

#include "config/app_registry.hpp"
#include "gateway/client_key.hpp"
#include "gateway/http.hpp"
#include "gateway/key_ring.hpp"
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
  /// Id of the key, so that its revocation finds the connection; empty: none, or one of the app
  /// file.
  std::string key;
  /// Of a client key: session fields that hold for the connection, as JSON.
  std::string preset;
  /// The client key is one that this server gave to an anonymous visitor.
  bool visitor = false;
};

using access_decision = std::variant<access_grant, http_response>;

/// What a server key opens.
struct server_grant {
  std::vector<app_entry> apps;
};
using server_decision = std::variant<server_grant, http_response>;

/// The refusals that say nothing about what there is.
http_response refuse_key();
http_response refuse_model();
http_response refuse_origin();

/// Decides who may enter. Knows the apps' server keys only as hashes. Any thread.
class authenticator {
public:
  /// `apps` and `ring` (null: only the keys of app files) outlive it; their changes take effect at
  /// the next request.
  authenticator(const app_registry* apps, key_sealer sealer, own_address own,
                failure_throttle::options throttle = {}, const key_ring* ring = nullptr);

  /// Judges a request for an app ("moving" or "moving@stable"). Refusals are complete: 401 without
  /// detail, 403 for a page that is not listed, 404 for an app that is unknown or not the key's,
  /// 429 after too many wrong keys from one address.
  [[nodiscard]] access_decision admit(const http_request& request, const std::string& model,
                                      request_time at);

  /// Judges a request that needs a server key. Refusals as of `admit`; a client key is none.
  [[nodiscard]] server_decision admit_server(const http_request& request, request_time at);

  /// Whether the request carries a server key. A wrong one counts as a failure nowhere.
  [[nodiscard]] bool has_server_key(const http_request& request, request_time at) const;

  /// Whether pages of the request's Origin may use the app.
  [[nodiscard]] bool may_use(const http_request& request, const live_settings& live) const;

  /// The apps that a caller may know of: those of its key, and those open to its page. A wrong key
  /// counts like no key, but is throttled.
  [[nodiscard]] std::vector<app_ptr> visible(const http_request& request, request_time at);

private:
  using key_hash = std::array<unsigned char, 32>;
  struct known_key {
    key_hash hash;
    std::string app;
    /// Empty: of the app file.
    std::string id;
    /// Milliseconds since 1970; 0: never.
    std::int64_t expires_at = 0;
  };
  /// Whom a credential belongs to. A server key may open several apps that all list it.
  struct holder {
    std::vector<app_entry> apps;
    /// Of the server key; empty: of the app file.
    std::string key;
    std::optional<client_key> bound;
  };
  /// What the hashes were made from.
  struct key_versions {
    std::uint64_t apps = 0;
    std::uint64_t ring = 0;

    bool operator==(const key_versions&) const = default;
  };

  [[nodiscard]] key_hash hash_of(const key_digest& digest) const;
  /// The holder of a credential; a refusal for a wrong one, which is counted.
  [[nodiscard]] std::variant<holder, http_response>
  judge_key(const http_request& request, std::string_view key, request_time at);
  [[nodiscard]] holder find_holder(std::string_view key, std::int64_t unix_s) const;
  [[nodiscard]] std::optional<app_entry> find_app(const std::string& id) const;
  [[nodiscard]] access_decision admit_key(const http_request& request, const std::string& model,
                                          std::string_view key, request_time at);
  [[nodiscard]] access_decision admit_anonymous(const http_request& request,
                                                const std::string& model) const;

  /// Hashes of the keys as registry and ring have them now.
  [[nodiscard]] std::shared_ptr<const std::vector<known_key>> known_keys() const;

  const app_registry* apps_;
  const key_ring* ring_;
  mutable std::mutex keys_mutex_;
  mutable std::shared_ptr<const std::vector<known_key>> keys_;
  mutable key_versions keys_versions_;
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
