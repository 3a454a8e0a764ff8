#include "persistence/admin_rules.hpp"
#include "persistence/sqlite_journal.hpp"

namespace sidevoice::sqlite_journal {

namespace {

constexpr const char* insert_release =
  "INSERT OR IGNORE INTO releases(app, digest, body, created_at) VALUES(?, ?, ?, nullif(?, 0))";
constexpr const char* body_of_release = "SELECT body FROM releases WHERE app = ? AND digest = ?";
constexpr const char* point_name =
  "INSERT INTO release_names(app, name, digest, at) VALUES(?1, ?2, ?3, ?4) "
  "ON CONFLICT(app, name) DO UPDATE SET digest = ?3, at = ?4";
constexpr const char* releases_of_app =
  "SELECT r.digest, coalesce(r.created_at, 0), n.name FROM releases r "
  "LEFT JOIN release_names n ON n.app = r.app AND n.digest = r.digest "
  "WHERE r.app = ? ORDER BY coalesce(r.created_at, 0) DESC, r.digest, n.name";

constexpr const char* insert_key =
  "INSERT INTO keys(app, id, name, hash, created_at, expires_at, revoked_at) "
  "VALUES(?, ?, ?, ?, ?, ?, ?)";
constexpr const char* one_key = "SELECT app, id, name, hash, created_at, expires_at, revoked_at "
                                "FROM keys WHERE app = ? AND id = ?";
constexpr const char* keys_of = "SELECT app, id, name, hash, created_at, expires_at, revoked_at "
                                "FROM keys WHERE ?1 = '' OR app = ?1 ORDER BY app, id";
constexpr const char* key_is_taken =
  "SELECT 1 FROM keys WHERE hash = ?3 "
  "UNION ALL SELECT 1 FROM revocations WHERE app = ?1 AND id = ?2";
constexpr const char* mark_revoked =
  "UPDATE keys SET revoked_at = ?3 WHERE app = ?1 AND id = ?2 AND revoked_at = 0";
constexpr const char* insert_revocation =
  "INSERT OR IGNORE INTO revocations(app, id, revoked_at, expires_at) VALUES(?, ?, ?, ?)";
constexpr const char* revocations_of =
  "SELECT app, id, revoked_at, expires_at FROM revocations WHERE ?1 = '' OR app = ?1 "
  "ORDER BY app, id";
constexpr const char* drop_expired =
  "DELETE FROM revocations WHERE expires_at != 0 AND expires_at <= ?";
constexpr const char* raise_change =
  "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'key_change'";
constexpr const char* last_change =
  "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'key_change'";

constexpr const char* spend_of_day = "SELECT micro FROM spend WHERE app = ? AND day = ?";

key_row to_key(const sqlite_statement& from) {
  return {.id = from.text(1),
          .app = from.text(0),
          .name = from.text(2),
          .hash = from.text(3),
          .created_at = from.number(4),
          .expires_at = from.number(5),
          .revoked_at = from.number(6)};
}

std::optional<key_row> find_key(sqlite_connection& connection, const std::string& app,
                                const std::string& id) {
  auto found = connection.use(one_key, app, id);
  if (!found->step())
    return std::nullopt;
  return to_key(*found.operator->());
}

} // namespace

result<release_kept> answer_to(sqlite_connection& connection, const put_release& job) {
  if (auto checked = check_release(job); !checked)
    return checked.error();
  connection.run(insert_release, job.app, job.digest, job.body, job.at);
  return release_kept{};
}

result<release_found> answer_to(sqlite_connection& connection, const get_release& job) {
  auto found = connection.use(body_of_release, job.app, job.digest);
  if (!found->step())
    return release_found{};
  return release_found{found->text(0)};
}

result<release_pointed> answer_to(sqlite_connection& connection, const point_release& job) {
  if (auto checked = check_pointer(job); !checked)
    return checked.error();
  if (!connection.use(body_of_release, job.app, job.digest)->step())
    return unknown_release();
  connection.run(point_name, job.app, job.name, job.digest, job.at);
  return release_pointed{};
}

result<release_list> answer_to(sqlite_connection& connection, const list_releases& job) {
  auto found = connection.use(releases_of_app, job.app);
  release_list list;
  while (found->step()) {
    auto digest = found->text(0);
    if (list.rows.empty() || list.rows.back().digest != digest)
      list.rows.push_back({.digest = std::move(digest), .created_at = found->number(1)});
    if (!found->is_null(2))
      list.rows.back().names.push_back(found->text(2));
  }
  return list;
}

result<key_kept> answer_to(sqlite_connection& connection, const put_key& job) {
  const auto& key = job.key;
  if (auto checked = check_key(key); !checked)
    return checked.error();
  if (const auto known = find_key(connection, key.app, key.id)) {
    if (*known != key)
      return taken_key(key);
    return key_kept{};
  }
  if (connection.use(key_is_taken, key.app, key.id, key.hash)->step())
    return taken_key(key);
  connection.run(insert_key, key.app, key.id, key.name, key.hash, key.created_at, key.expires_at,
                 key.revoked_at);
  connection.run(raise_change);
  return key_kept{};
}

result<key_list> answer_to(sqlite_connection& connection, const list_keys& job) {
  key_list list;
  {
    auto change = connection.use(last_change);
    list.change = change->step() ? change->count(0) : 0;
  }
  list.changed = list.change != job.since_change;
  if (!list.changed)
    return list;
  auto keys = connection.use(keys_of, job.app);
  while (keys->step())
    list.keys.push_back(to_key(*keys.operator->()));
  auto revocations = connection.use(revocations_of, job.app);
  while (revocations->step())
    list.revocations.push_back({.app = revocations->text(0),
                                .id = revocations->text(1),
                                .revoked_at = revocations->number(2),
                                .expires_at = revocations->number(3)});
  return list;
}

result<key_revoked> answer_to(sqlite_connection& connection, const revoke_key& job) {
  if (auto checked = check_revocation(job); !checked)
    return checked.error();
  const bool server_key = find_key(connection, job.app, job.id).has_value();
  if (server_key)
    connection.run(mark_revoked, job.app, job.id, job.at);
  else
    connection.run(insert_revocation, job.app, job.id, job.at, job.expires_at);
  auto changes = connection.changed();
  connection.run(drop_expired, job.at);
  changes += connection.changed();
  if (changes > 0)
    connection.run(raise_change);
  return key_revoked{server_key};
}

result<spend_found> answer_to(sqlite_connection& connection, const get_spend& job) {
  auto found = connection.use(spend_of_day, job.app, int{job.day});
  return spend_found{found->step() ? found->count(0) : 0};
}

} // namespace sidevoice::sqlite_journal
