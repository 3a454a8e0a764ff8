#include "persistence/sqlite_schema.hpp"
#include "persistence/store_check.hpp"
#include "persistence/store_repair.hpp"
#include "tests/persistence/sqlite_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

const session_key other_key{.app = "moving", .id = "sess_2"};

/// Two sessions of six events; the first is damaged by SQL, as a person at a shell would.
struct two_sessions : sqlite_fixture {
  two_sessions() {
    REQUIRE(write("a", 6).has_value());
    const auto held = claim(*store, other_key).value();
    REQUIRE(ask(*store, append(other_key, held.row.epoch, 0, messages(0, 6), "b")).has_value());
  }

  [[nodiscard]] result<claimed> open_first() const {
    return claim(*store, sample_key, "node_b");
  }

  /// What is true of every damage: the first session is refused with the number, the other one is
  /// served in the same group, nothing of the row has changed, and verify finds the place.
  void check_refused(std::uint64_t number) {
    const auto epoch = sql("SELECT epoch FROM sessions WHERE id = 'sess_1'");
    const auto refused = open_first();
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::damaged);
    CHECK(refused.error().param == std::to_string(number));
    CHECK_MESSAGE(refused.error().detail.find("event " + std::to_string(number)
                                              + " of session "
                                                "moving/sess_1 ")
                    == 0,
                  refused.error().detail);
    CHECK(refused.error().detail.find("`sidevoice store verify --session sess_1`")
          != std::string::npos);
    CHECK(sql("SELECT epoch FROM sessions WHERE id = 'sess_1'") == epoch);
    CHECK(claim(*store, other_key).value().view->items.size() == 6);
    const auto found = findings();
    REQUIRE_FALSE(found.empty());
    for (const auto& finding : found)
      CHECK(finding.key == sample_key);
    CHECK(found.front().kind == "event");
    CHECK(found.front().event == number);
  }

  [[nodiscard]] std::vector<store_finding> findings() const {
    auto report = verify_store(folder);
    REQUIRE_MESSAGE(report.has_value(), report.error().detail);
    CHECK(report->sessions == 2);
    return report->findings;
  }

  /// With the server stopped, as operators do it.
  result<repair_report> repair(std::optional<std::uint64_t> cut) {
    store.reset();
    auto done = repair_session({.folder = folder, .key = sample_key, .cut = cut, .at = 9000});
    open();
    return done;
  }
};

std::string body_with_digest(const std::string& body) {
  return "body = '" + body + "', digest = '" + sha256(body) + "'";
}

} // namespace

TEST_CASE("a damaged event refuses its session with its number, and a cut before it heals it") {
  two_sessions data;
  const auto damage = [&data](const std::string& change) {
    data.sql(("UPDATE events SET " + change + " WHERE session_id = 'sess_1' AND seq = 4").c_str());
  };
  SUBCASE("a bit of its body") {
    damage("body = replace(body, 'text', 'tex~')");
  }
  SUBCASE("a bit of its digest") {
    damage("digest = '0' || substr(digest, 2, 62) || 'x'");
  }
  SUBCASE("its type") {
    damage("type = 'item.pux'");
  }
  SUBCASE("its version, from the future") {
    damage("v = 2");
  }
  SUBCASE("its version, which only looks like ours in 32 bits") {
    damage("v = 4294967297");
  }
  SUBCASE("a version that never was") {
    damage("v = 0");
  }
  SUBCASE("a body that was stored well and means nothing") {
    damage(body_with_digest("{\"rank\":4}"));
  }
  SUBCASE("a body that is no JSON") {
    damage(body_with_digest("{"));
  }
  SUBCASE("its blob") {
    damage("in_blob = 1, body = NULL");
  }
  SUBCASE("it is gone") {
    data.sql("DELETE FROM events WHERE session_id = 'sess_1' AND seq = 4");
  }
  data.check_refused(4);
  CHECK(ask(*data.store, read_events{.key = sample_key, .after = 4}).value().events.size() == 2);
  CHECK(ask(*data.store, read_events{.key = sample_key, .after = 2}).error().param == "4");

  const auto readable = read_readable(data.folder, sample_key).value();
  CHECK(readable.view->items.size() == 5);
  REQUIRE(readable.missing.size() == 1);
  CHECK(readable.missing[0].first == 4);
  CHECK(readable.missing[0].last == 4);
  CHECK_FALSE(readable.missing[0].why.empty());

  CHECK(data.repair(std::nullopt).error().param == "4");
  CHECK(data.repair(5).error().code == errc::damaged);
  const auto before = data.store->incarnation();
  const auto done = data.repair(4).value();
  CHECK(done.head == 3);
  CHECK(done.cut_events == 3);
  CHECK(data.findings().empty());
  CHECK(data.store->incarnation() != before);
  const auto again = data.open_first().value();
  CHECK(again.row.epoch == 3);
  CHECK(again.row.head == 3);
  CHECK(again.view->items.size() == 3);
  CHECK(ask(*data.store, append(sample_key, 3, 3, messages(3, 1), "c")).has_value());
  // The former owner, had it been there still.
  CHECK(ask(*data.store, append(sample_key, 1, 3, messages(3, 1), "d")).error().code
        == errc::conflict);
}

TEST_CASE("what is cut off is in a file of its own, whatever it holds") {
  two_sessions data;
  data.sql(
    "UPDATE events SET body = CAST(x'7bff' AS TEXT) WHERE session_id = 'sess_1' AND seq = 5");
  const auto done = data.repair(5).value();
  CHECK(done.cut_events == 2);
  CHECK(done.kept_in.parent_path() == data.folder);
  CHECK((std::filesystem::status(done.kept_in).permissions() & std::filesystem::perms::all)
        == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::ifstream file{done.kept_in};
  std::stringstream text;
  text << file.rdbuf();
  const auto kept = text.str();
  CHECK(std::count(kept.begin(), kept.end(), '\n') == 3);
  CHECK(kept.find("{\"session\":{\"app\":\"moving\",\"id\":\"sess_1\"") == 0);
  CHECK(kept.find("\"body\":{\"hex\":\"7bff\"}") != std::string::npos);
  CHECK(kept.find("text 6") != std::string::npos);
  CHECK(kept.find("text 4") == std::string::npos);
  // Nothing is written over.
  CHECK(data.repair(5).error().code == errc::invalid);
}

TEST_CASE("a journal whose end is missing, or that goes on beyond its head, is refused there") {
  two_sessions data;
  SUBCASE("missing") {
    data.sql("DELETE FROM events WHERE session_id = 'sess_1' AND seq > 4");
    data.check_refused(5);
    CHECK(data.findings()[0].detail == "events 5 to 6 are missing");
    CHECK(read_readable(data.folder, sample_key).value().missing[0].last == 6);
    CHECK(data.repair(std::nullopt).error().param == "5");
    const auto done = data.repair(5).value();
    CHECK(done.head == 4);
    CHECK(done.cut_events == 0);
  }
  SUBCASE("beyond") {
    data.sql("UPDATE sessions SET head = 4 WHERE id = 'sess_1'");
    CHECK(data.open_first().error().param == "5");
    REQUIRE(data.findings().size() == 1);
    CHECK(data.findings()[0].kind == "row");
    CHECK(data.repair(std::nullopt).value().row_mended);
  }
  SUBCASE("a head that no journal has") {
    data.sql("UPDATE sessions SET head = -1 WHERE id = 'sess_1'");
    CHECK(data.open_first().error().param == "7");
    CHECK(read_readable(data.folder, sample_key).value().missing.size() == 1);
    CHECK(data.repair(7).value().head == 6);
  }
  CHECK(data.findings().empty());
  CHECK(data.open_first().has_value());
}

TEST_CASE("a snapshot that is damaged is passed over, found and dropped") {
  two_sessions data;
  const auto view = data.open_first().value().view;
  REQUIRE(ask(*data.store, put_snapshot{sample_key, view}).has_value());
  CHECK(data.findings().empty());
  SUBCASE("bits of it") {
    data.sql("UPDATE snapshots SET body = replace(body, 'text', 'tex~')");
  }
  SUBCASE("of another event than it says") {
    data.sql("UPDATE snapshots SET seq = 3");
  }
  SUBCASE("stored well, and not readable") {
    data.sql(("UPDATE snapshots SET " + body_with_digest("{\"items\":7}")).c_str());
  }
  CHECK(data.open_first().value().view->items.size() == 6);
  REQUIRE(data.findings().size() == 1);
  CHECK(data.findings()[0].kind == "snapshot");
  const auto done = data.repair(std::nullopt).value();
  CHECK(done.dropped_snapshots == 1);
  CHECK(done.cut_events == 0);
  CHECK(done.kept_in.empty());
  CHECK(data.findings().empty());
}

TEST_CASE("a snapshot that lies is found by comparing it with the journal") {
  two_sessions data;
  auto lie = *data.open_first().value().view;
  lie.items.pop_back();
  const auto view = std::make_shared<const session_view>(std::move(lie));
  REQUIRE(ask(*data.store, put_snapshot{sample_key, view}).has_value());
  REQUIRE(data.findings().size() == 1);
  CHECK(data.findings()[0].kind == "snapshot");
  CHECK(data.findings()[0].event == 6);
  CHECK(data.repair(std::nullopt).value().dropped_snapshots == 1);
  CHECK(data.open_first().value().view->items.size() == 6);
}

TEST_CASE("a snapshot of another fold is no fault and stays") {
  two_sessions data;
  REQUIRE(ask(*data.store, put_snapshot{sample_key, data.open_first().value().view}).has_value());
  data.sql("UPDATE snapshots SET fold_version = 1, body = 'old', digest = 'old'");
  CHECK(data.open_first().value().view->items.size() == 6);
  CHECK(data.findings().empty());
  CHECK(data.repair(std::nullopt).value().dropped_snapshots == 0);
  CHECK(data.sql("SELECT count(*) FROM snapshots") == "1");
}

TEST_CASE("with a snapshot behind the damage the session is served, and verify tells of it") {
  two_sessions data;
  REQUIRE(ask(*data.store, put_snapshot{sample_key, data.open_first().value().view}).has_value());
  data.sql("UPDATE events SET type = 'x' WHERE session_id = 'sess_1' AND seq = 2");
  CHECK(data.open_first().value().view->items.size() == 6);
  REQUIRE(data.findings().size() == 1);
  CHECK(data.findings()[0].event == 2);
  // The snapshot cannot be compared any more, so nothing but a cut would touch it.
  CHECK(data.repair(std::nullopt).has_error());
  CHECK(data.sql("SELECT count(*) FROM snapshots") == "1");
}

TEST_CASE("a row that says something else than its journal is found and mended") {
  two_sessions data;
  SUBCASE("status") {
    data.sql("UPDATE sessions SET status = 'ended' WHERE id = 'sess_1'");
  }
  SUBCASE("open responses") {
    data.sql("UPDATE sessions SET open_responses = 2 WHERE id = 'sess_1'");
  }
  REQUIRE(data.findings().size() == 1);
  CHECK(data.findings()[0].kind == "row");
  CHECK(data.repair(std::nullopt).value().row_mended);
  CHECK(data.findings().empty());
}

TEST_CASE("a session that names a release without a body is found") {
  two_sessions data;
  const auto key = session_key{.app = "moving", .id = "sess_3"};
  const auto held = claim(*data.store, key).value();
  const auto begin = make_event(1, session_started{.app = "moving", .release = "sha256:none"});
  REQUIRE(ask(*data.store, append(key, held.row.epoch, 0, {begin}, "r")).has_value());
  const auto report = verify_store(data.folder, {"moving", "sess_3"}).value();
  CHECK(report.sessions == 1);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == "release");
}

TEST_CASE("a whole session is left as it is, and orders that make no sense change nothing") {
  two_sessions data;
  const auto incarnation = data.store->incarnation();
  const auto done = data.repair(std::nullopt).value();
  CHECK(done.head == 6);
  CHECK_FALSE(done.row_mended);
  CHECK(data.repair(7).error().code == errc::invalid);
  CHECK(data.repair(0).error().code == errc::invalid);
  CHECK(data.store->incarnation() == incarnation);
  CHECK(data.sql("SELECT epoch FROM sessions WHERE id = 'sess_1'") == "1");
  // A server holds the folder.
  const repair_order order{.folder = data.folder, .key = sample_key, .cut = 4, .at = 1};
  CHECK(repair_session(order).error().code == errc::conflict);
  CHECK(find_session_key(data.folder, "sess_2").value() == other_key);
  CHECK(find_session_key(data.folder, "sess_9").error().code == errc::not_found);
  CHECK(verify_store(data.folder, {"", "sess_9"}).error().code == errc::not_found);
  CHECK(verify_store(data.above / "nowhere").error().code == errc::not_found);
}

TEST_CASE("a session that is cut at its first event begins anew") {
  two_sessions data;
  data.sql("UPDATE events SET type = 'x' WHERE session_id = 'sess_1' AND seq = 1");
  data.check_refused(1);
  CHECK(data.repair(1).value().cut_events == 6);
  const auto again = data.open_first().value();
  CHECK(again.view->head == 0);
  CHECK_FALSE(again.created);
}

TEST_CASE("a damaged page refuses the session that it holds and none that asks in the same group") {
  sqlite_fixture data;
  const auto fill = [&data](const session_key& key, const std::string& mark) {
    const auto held = claim(*data.store, key).value();
    REQUIRE(
      ask(*data.store, append(key, held.row.epoch, 0, messages(0, 300, mark), mark)).has_value());
  };
  fill(sample_key, "first-");
  fill(other_key, "other-");
  // So that the bytes are in the file itself, and are read from there.
  data.sql("PRAGMA wal_checkpoint(TRUNCATE)");
  data.sql("PRAGMA cache_size = 1");
  sqlite3_db_release_memory(dynamic_cast<sqlite_writer&>(*data.store).handle());
  std::fstream file{data.file(), std::ios::in | std::ios::out | std::ios::binary};
  std::stringstream bytes;
  bytes << file.rdbuf();
  const auto at = bytes.str().find("text first-150");
  REQUIRE(at != std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
  file << '#';
  file.close();

  std::vector<result<claimed>> answers;
  std::vector<store_job> jobs;
  for (const auto& key : {sample_key, other_key})
    jobs.emplace_back(store_task<claim_session>{claim_session{.key = key, .node = "n", .at = 1},
                                                [&answers](result<claimed> answer) {
                                                  answers.push_back(std::move(answer));
                                                }});
  for (const auto& done : data.store->run(std::move(jobs)))
    done();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].error().code == errc::damaged);
  CHECK(answers[1].value().view->items.size() == 300);
}
