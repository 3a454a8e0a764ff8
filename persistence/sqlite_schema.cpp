#include "persistence/sqlite_schema.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

/// The SQL of the store. A migration that was released is never edited: its checksum is in every
/// file, and a file whose checksum differs is refused. Changes go into a new migration at the end.
///
/// Large bodies: an event whose body is over 64 KiB has `body` NULL and `in_blob` 1; its text is
/// the row of `blobs` with the event's app and digest. An erased event has `body` NULL and
/// `in_blob` 0. The view `bodies` resolves both, and all views for people read it.
namespace sidevoice {

namespace {

constexpr const char* tables = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('incarnation', lower(hex(randomblob(16)))), ('level', '1');

CREATE TABLE sessions(
  app TEXT NOT NULL, id TEXT NOT NULL, user TEXT NOT NULL, release TEXT NOT NULL,
  epoch INTEGER NOT NULL, node TEXT NOT NULL, head INTEGER NOT NULL, status TEXT NOT NULL,
  open_responses INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY(app, id)) WITHOUT ROWID;
CREATE INDEX sessions_open ON sessions(app, id) WHERE open_responses > 0;

CREATE TABLE events(
  app TEXT NOT NULL, session_id TEXT NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL,
  node TEXT NOT NULL, append_id TEXT NOT NULL, type TEXT NOT NULL, v INTEGER NOT NULL,
  at INTEGER NOT NULL, client_key TEXT, body TEXT, in_blob INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY(app, session_id, seq),
  FOREIGN KEY(app, session_id) REFERENCES sessions(app, id) ON DELETE CASCADE);
CREATE UNIQUE INDEX events_client_key ON events(app, session_id, client_key)
  WHERE client_key IS NOT NULL;

CREATE TABLE snapshots(
  app TEXT NOT NULL, session_id TEXT NOT NULL, seq INTEGER NOT NULL,
  fold_version INTEGER NOT NULL, body TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY(app, session_id, seq),
  FOREIGN KEY(app, session_id) REFERENCES sessions(app, id) ON DELETE CASCADE);

CREATE TABLE blobs(app TEXT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(app, sha256));

CREATE TABLE releases(app TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(app, digest));

CREATE TABLE outbox(
  app TEXT NOT NULL, id TEXT NOT NULL, session_id TEXT NOT NULL, type TEXT NOT NULL,
  body TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL, PRIMARY KEY(app, id));
CREATE INDEX outbox_due ON outbox(due_at) WHERE status = 'due';
)sql";

constexpr const char* views = R"sql(
CREATE VIEW bodies AS
SELECT e.app, e.session_id, e.seq, e.type, e.at, e.epoch, e.node,
  CASE WHEN e.in_blob
    THEN (SELECT b.body FROM blobs b WHERE b.app = e.app AND b.sha256 = e.digest)
    ELSE e.body END AS body
FROM events e;

CREATE VIEW items AS
WITH puts AS (
  SELECT app, session_id, seq, at, body, json_extract(body, '$.item.id') AS item,
    row_number() OVER (PARTITION BY app, session_id, json_extract(body, '$.item.id')
      ORDER BY seq DESC) AS newest
  FROM bodies WHERE type = 'item.put' AND body IS NOT NULL)
SELECT app, session_id, item, json_extract(body, '$.rank') AS rank,
  json_extract(body, '$.item.kind') AS kind, json_extract(body, '$.item.role') AS role,
  coalesce(json_extract(body, '$.item.status'), 'completed') AS status,
  coalesce(json_extract(body, '$.item.text'), json_extract(body, '$.item.output'),
    json_extract(body, '$.item.arguments'), '') AS text,
  json_extract(body, '$.item.name') AS name, json_extract(body, '$.item.call_id') AS call_id,
  json_extract(body, '$.item.response') AS response, seq, at
FROM puts p WHERE newest = 1 AND NOT EXISTS (
  SELECT 1 FROM bodies r WHERE r.app = p.app AND r.session_id = p.session_id
    AND r.type = 'item.removed' AND json_extract(r.body, '$.id') = p.item)
ORDER BY app, session_id, rank;

CREATE VIEW topics AS
WITH changes AS (
  SELECT app, session_id, seq, at, body, json_extract(body, '$.topic') AS topic,
    row_number() OVER (PARTITION BY app, session_id, json_extract(body, '$.topic')
      ORDER BY seq DESC) AS newest
  FROM bodies WHERE type = 'topic.updated' AND body IS NOT NULL)
SELECT app, session_id, topic, json_extract(body, '$.status') AS status,
  json_extract(body, '$.value') AS value, json_extract(body, '$.by') AS changed_by,
  json_extract(body, '$.evidence.item') AS evidence_item,
  json_extract(body, '$.evidence.quote') AS evidence_quote,
  json_extract(body, '$.revision') AS revision, seq, at
FROM changes WHERE newest = 1 ORDER BY app, session_id, topic;

CREATE VIEW turns AS
SELECT r.app, r.session_id, json_extract(r.body, '$.response') AS response,
  json_extract(r.body, '$.cause') AS cause,
  (SELECT count(*) FROM bodies s WHERE s.app = r.app AND s.session_id = r.session_id
    AND s.type = 'response.started'
    AND json_extract(s.body, '$.response') = json_extract(r.body, '$.response')) AS attempts,
  coalesce(json_extract(d.body, '$.status'), 'open') AS status,
  json_extract(d.body, '$.reason') AS reason, r.seq AS requested_seq, r.at AS requested_at,
  d.at AS done_at
FROM bodies r LEFT JOIN bodies d ON d.app = r.app AND d.session_id = r.session_id
  AND d.type = 'response.done' AND d.seq > r.seq
  AND json_extract(d.body, '$.response') = json_extract(r.body, '$.response')
WHERE r.type = 'response.requested' AND r.body IS NOT NULL;

CREATE VIEW usage AS
SELECT app, session_id, date(at / 1000, 'unixepoch') AS day, count(*) AS responses,
  coalesce(sum(json_extract(body, '$.usage.input')), 0) AS input_tokens,
  coalesce(sum(json_extract(body, '$.usage.output')), 0) AS output_tokens
FROM bodies WHERE type = 'response.done' GROUP BY app, session_id, day;
)sql";

/// Releases get a time and names; keys, revocations and spend come in.
constexpr const char* releases_keys_spend = R"sql(
ALTER TABLE releases ADD COLUMN created_at INTEGER;

CREATE TABLE release_names(
  app TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(app, name), FOREIGN KEY(app, digest) REFERENCES releases(app, digest)) WITHOUT ROWID;

CREATE TABLE keys(
  app TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,
  PRIMARY KEY(app, id)) WITHOUT ROWID;

CREATE TABLE revocations(
  app TEXT NOT NULL, id TEXT NOT NULL, revoked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY(app, id)) WITHOUT ROWID;

INSERT INTO meta VALUES('key_change', '1');

CREATE TABLE spend(app TEXT NOT NULL, day INTEGER NOT NULL, micro INTEGER NOT NULL,
  PRIMARY KEY(app, day)) WITHOUT ROWID;
)sql";

/// In order; the first has number 1.
constexpr std::array migrations{tables, views, releases_keys_spend};

constexpr const char* ledger = "CREATE TABLE IF NOT EXISTS migrations("
                               "version INTEGER PRIMARY KEY, checksum TEXT NOT NULL)";

/// Number of migrations that were run; nothing when one of them differs from ours.
std::optional<std::size_t> applied(sqlite_connection& connection) {
  if (connection.ask("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").empty())
    return 0;
  std::size_t count = 0;
  // Not kept prepared: the table's neighbours change under it while migrations run.
  sqlite_statement rows{connection.handle(),
                        "SELECT version, checksum FROM migrations ORDER BY version"};
  for (; rows.step(); ++count) {
    const bool ours = count < migrations.size();
    if (rows.count(0) != count + 1 || (ours && rows.text(1) != sha256(migrations[count])))
      return std::nullopt;
  }
  return count;
}

} // namespace

schema_state check_schema(sqlite_connection& connection) {
  const auto count = applied(connection);
  if (!count)
    return schema_state::altered;
  if (*count == migrations.size())
    return schema_state::current;
  return *count < migrations.size() ? schema_state::older : schema_state::newer;
}

void migrate(sqlite_connection& connection, std::size_t last) {
  const auto end = std::min(last, migrations.size());
  for (auto next = applied(connection).value_or(end); next < end; ++next) {
    connection.script("BEGIN IMMEDIATE");
    try {
      connection.script(ledger);
      connection.script(migrations[next]);
      connection.run("INSERT INTO migrations VALUES(?, ?)", std::uint64_t{next + 1},
                     sha256(migrations[next]));
      connection.script("COMMIT");
    } catch (...) {
      if (connection.in_transaction())
        sqlite3_exec(connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  std::string hex(2 * hash.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  hex.pop_back();
  return hex;
}

} // namespace sidevoice
