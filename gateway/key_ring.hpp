#pragma once

#include "gateway/server_key.hpp"
#include "persistence/admin_jobs.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// A server key of the store that is in force until it expires.
struct ring_key {
  std::string app;
  std::string id;
  key_digest digest{};
  /// Milliseconds since 1970; 0: never.
  std::int64_t expires_at = 0;
};

/// What the store knows of keys, as one immutable state that is replaced whole. Any thread.
class key_ring {
public:
  /// App and id.
  using key_name = std::pair<std::string, std::string>;

  struct state {
    std::vector<ring_key> server_keys;
    /// Server keys and client keys.
    std::set<key_name> revoked;
  };

  /// Takes a list over. Returns the keys that it revokes and the one before did not.
  std::vector<key_name> replace(const key_list& list);

  [[nodiscard]] std::shared_ptr<const state> now() const;
  /// Counts the replacements.
  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] bool is_revoked(const std::string& app, const std::string& id) const;

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const state> state_ = std::make_shared<const state>();
  std::uint64_t version_ = 0;
};

} // namespace sidevoice
