#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sidevoice {

/// What a client key says. It opens one app, and one session of it where it names one.
struct client_key {
  std::string app;
  /// Empty: any new session.
  std::string session;
  /// Empty: an anonymous visitor.
  std::string user;
  /// Seconds since 1970; limits opening, an open connection goes on.
  std::int64_t expires_s = 0;
  /// Names the key, so that it can be revoked.
  std::string id = {};
  /// The release that it opens, as a name or a digest; empty: any.
  std::string release = {};
  /// Session fields that hold for its connections: a JSON object, or empty.
  std::string preset = {};
  /// This server gave it to an anonymous visitor, and renews it at each visit.
  bool visitor = false;

  bool operator==(const client_key&) const = default;
};

/// Makes and reads client keys "ek_...": sealed with XChaCha20-Poly1305, so that nothing has to be
/// stored and nobody reads or changes one. Any thread.
class key_sealer {
public:
  static constexpr std::size_t key_bytes = 32;
  /// The longest client key; requests have room for a few of them.
  static constexpr std::size_t text_bytes_max = 8192;

  /// Reads FOLDER/seal.key, or makes it with mode 0600. Errors: `invalid` for a file that others
  /// can read or that has another size, `unavailable` where it cannot be read or written.
  static result<key_sealer> open(const std::string& folder);

  /// `key` has `key_bytes` bytes.
  explicit key_sealer(std::string_view key);

  /// A text longer than `text_bytes_max` is no key that `unseal` takes: check what you give out.
  [[nodiscard]] std::string seal(const client_key& key) const;

  /// Error `unauthorized`, without detail, for whatever is not a key of ours or has expired.
  [[nodiscard]] result<client_key> unseal(std::string_view text, std::int64_t now_s) const;

private:
  std::shared_ptr<const unsigned char> key_;
};

/// Has the form of a client key; says nothing about its worth.
bool looks_like_client_key(std::string_view text);

} // namespace sidevoice
