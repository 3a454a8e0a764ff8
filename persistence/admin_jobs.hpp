#pragma once

#include "config/app.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Jobs of a store that are about apps and not about sessions: releases, keys, what was spent. Each
/// job names its answer. All times are milliseconds since 1970, as those of events; texts hold no
/// NUL (`invalid`).
namespace sidevoice {

// -- releases
// ------------------------------------------------------------------------------------

struct release_kept {};

/// Keeps a release under its digest; one that is there already stays as it is.
struct put_release {
  using answer = release_kept;

  std::string app;
  std::string digest;
  json_text body;
  /// Shown by `list_releases`; 0: not known.
  std::int64_t at = 0;
};

struct release_found {
  /// Nothing: the app has no release of this digest.
  std::optional<json_text> body;
};

struct get_release {
  using answer = release_found;

  std::string app;
  std::string digest;
};

struct release_pointed {};

/// Makes a name ("stable", "preview") mean a release. Errors: `invalid` (no name), `not_found` (the
/// app has no release of this digest).
struct point_release {
  using answer = release_pointed;

  std::string app;
  std::string name;
  std::string digest;
  std::int64_t at = 0;
};

struct release_row {
  std::string digest;
  /// 0: not known.
  std::int64_t created_at = 0;
  /// That point to it, in order of the alphabet.
  std::vector<std::string> names;

  bool operator==(const release_row&) const = default;
};

struct release_list {
  std::vector<release_row> rows;
};

/// The releases of an app, newest first.
struct list_releases {
  using answer = release_list;

  std::string app;
};

// -- keys
// ----------------------------------------------------------------------------------------

/// A server key. The key itself is never stored.
struct key_row {
  std::string id;
  std::string app;
  /// What people call it; may be empty.
  std::string name;
  /// SHA-256 of the key in 64 lower-case hexadecimal digits.
  std::string hash;
  std::int64_t created_at = 0;
  /// 0: never.
  std::int64_t expires_at = 0;
  /// 0: it is not revoked.
  std::int64_t revoked_at = 0;

  bool operator==(const key_row&) const = default;
};

/// A client key that is not to be honoured any more. Client keys are sealed and not stored, so this
/// is all that a store knows of one.
struct key_revocation {
  std::string app;
  std::string id;
  std::int64_t revoked_at = 0;
  /// When the key would have expired by itself; 0: never.
  std::int64_t expires_at = 0;

  bool operator==(const key_revocation&) const = default;
};

struct key_kept {};

/// Keeps a server key. The same row again is no error. Errors: `invalid` (no app, no id, no hash),
/// `conflict` (the id means another key or was revoked, or the hash is another key's).
struct put_key {
  using answer = key_kept;

  key_row key;
};

struct key_list {
  /// Differs after every change of any key; what the next `list_keys` says it knows.
  std::uint64_t change = 0;
  /// False: nothing changed since the asked change, and nothing is listed.
  bool changed = true;
  /// By app and id; revoked and expired ones too.
  std::vector<key_row> keys;
  /// By app and id.
  std::vector<key_revocation> revocations;
};

/// Server keys and revocations. Cheap while nothing changes, so that servers may ask often.
struct list_keys {
  using answer = key_list;

  /// Empty: of all apps.
  std::string app;
  /// The change that the asker knows; 0: none, list all.
  std::uint64_t since_change = 0;
};

struct key_revoked {
  /// It was a server key. Otherwise the id is kept as one of a client key.
  bool server_key = false;
};

/// Revokes a server key, or a client key by its id. Repeating it changes nothing. Revocations of
/// client keys that have expired by `at` are dropped. Error `invalid`: no app or no id.
struct revoke_key {
  using answer = key_revoked;

  std::string app;
  std::string id;
  std::int64_t at = 0;
  /// Of a client key: when it expires by itself, or the latest time at which it can; 0: never.
  std::int64_t expires_at = 0;
};

// -- spend
// ---------------------------------------------------------------------------------------

struct spend_found {
  /// Millionths of a euro.
  std::uint64_t micro = 0;
};

/// What the appends of an app have spent on a day (`append_events::spent`).
struct get_spend {
  using answer = spend_found;

  std::string app;
  /// Days since 1970, UTC.
  std::int32_t day = 0;
};

} // namespace sidevoice
