#include "persistence/sqlite_schema.hpp"
#include "tests/persistence/faulty_files.hpp"
#include "tests/persistence/sqlite_fixture.hpp"

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

constexpr std::int32_t day = 20'000;

bool mentions(const error& e, const std::string& words) {
  return e.detail.find(words) != std::string::npos;
}

std::unique_ptr<store_writer> open_side(const sqlite_fixture& data) {
  auto opened = open_sqlite_side(data.folder);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
  return std::move(*opened);
}

std::size_t count_keys(store_writer& store) {
  return ask(store, list_keys{}).value().keys.size();
}

std::uint64_t spent(store_writer& store) {
  return ask(store, get_spend{.app = "moving", .day = day}).value().micro;
}

append_events spending(std::uint64_t head, std::size_t count, const std::string& id) {
  auto job = append(sample_key, 1, head, messages(head, count), id);
  job.spent = 5;
  job.day = day;
  return job;
}

/// The file of the sidevoice whose last migration was the second, with a session and a release.
void make_old_file(const std::filesystem::path& folder) {
  std::filesystem::create_directory(folder);
  sqlite_connection old{folder / "sidevoice.db", sqlite_access::owner, sqlite_synchronous::full};
  migrate(old, 2);
  old.script("INSERT INTO releases(app, digest, body) VALUES('moving', 'sha256:1', '{}');"
             "INSERT INTO sessions VALUES('moving', 'sess_1', 'ann', 'sha256:1', 3, 'node_a', 0, "
             "'live', 0, 500, 500)");
}

} // namespace

TEST_CASE("released migrations are as they were released") {
  sqlite_fixture data;
  CHECK(data.sql("SELECT checksum FROM migrations WHERE version = 1")
        == "5e4f144e09ee71b95677f3a768220ca5230b97f00b154e0a8540f2df546dc60f");
  CHECK(data.sql("SELECT checksum FROM migrations WHERE version = 2")
        == "0f0b8df76d02cae46c03d58362ff7e076ade13f21745a8d3f91ca96c99f29d12");
}

TEST_CASE("a file without keys and names of releases is brought up to date with all it holds") {
  temporary_folder above;
  const auto folder = above / "data";
  make_old_file(folder);
  auto opened = open_sqlite({.folder = folder});
  REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
  auto& store = **opened;
  CHECK(claim(store, sample_key).value().row.epoch == 4);
  CHECK(ask(store, get_release{"moving", "sha256:1"}).value().body == "{}");
  CHECK(ask(store, list_releases{"moving"}).value().rows
        == std::vector<release_row>{{.digest = "sha256:1"}});
  CHECK(ask(store, point_release{"moving", "stable", "sha256:1", 900}).has_value());
  CHECK(ask(store, put_key{sample_server_key("a")}).has_value());
  CHECK(count_keys(store) == 1);
  CHECK(spent(store) == 0);
}

TEST_CASE("beside a file of another schema nothing is written, and the refusal says what to run") {
  temporary_folder above;
  const auto folder = above / "data";
  make_old_file(folder);
  const auto older = open_sqlite_side(folder);
  REQUIRE(older.has_error());
  CHECK(older.error().code == errc::conflict);
  CHECK(mentions(older.error(), "older sidevoice"));
  CHECK(mentions(older.error(), "sidevoice serve"));
  {
    sqlite_connection file{folder / "sidevoice.db", sqlite_access::owner, sqlite_synchronous::full};
    CHECK(file.ask("SELECT count(*) FROM migrations") == "2");
  }
  sqlite_fixture data;
  data.sql("INSERT INTO migrations SELECT count(*) + 1, 'x' FROM migrations");
  const auto newer = open_sqlite_side(data.folder);
  REQUIRE(newer.has_error());
  CHECK(newer.error().code == errc::conflict);
  CHECK(mentions(newer.error(), "newer sidevoice"));
}

TEST_CASE("beside a server there is a data folder, or nothing is made") {
  temporary_folder above;
  const auto refused = open_sqlite_side(above / "none");
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::not_found);
  CHECK(mentions(refused.error(), "--data"));
  CHECK_FALSE(std::filesystem::exists(above / "none"));
}

TEST_CASE("what is written beside a server is keys and releases, never a session") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 3).has_value());
  const auto side = open_side(data);
  CHECK(side->incarnation() == data.store->incarnation());
  CHECK(claim(*side, sample_key).error().code == errc::invalid);
  CHECK(ask(*side, append(sample_key, 1, 3, messages(3, 1))).error().code == errc::invalid);
  CHECK(ask(*side, put_snapshot{sample_key, {}}).error().code == errc::invalid);
  CHECK(data.sql("SELECT epoch || ' ' || head FROM sessions") == "1 3");
  CHECK(ask(*side, list_sessions{}).value().rows.size() == 1);

  const auto before = ask(*data.store, list_keys{}).value().change;
  REQUIRE(ask(*side, put_key{sample_server_key("a")}).has_value());
  REQUIRE(ask(*side, revoke_key{.app = "moving", .id = "client", .at = 800}).has_value());
  REQUIRE(ask(*side, put_release{"moving", "sha256:1", "{}", 700}).has_value());
  REQUIRE(ask(*side, point_release{"moving", "stable", "sha256:1", 800}).has_value());
  const auto seen = ask(*data.store, list_keys{.since_change = before}).value();
  CHECK(seen.changed);
  CHECK(seen.keys == std::vector{sample_server_key("a")});
  CHECK(seen.revocations.size() == 1);
  CHECK(ask(*data.store, list_releases{"moving"}).value().rows
        == std::vector<release_row>{{"sha256:1", 700, {"stable"}}});
}

TEST_CASE("keys can be made while no server runs, and the server then finds them") {
  sqlite_fixture data;
  data.store.reset();
  {
    const auto side = open_side(data);
    REQUIRE(ask(*side, put_key{sample_server_key("a")}).has_value());
    // Nor does it keep a server from starting.
    data.open();
    REQUIRE(ask(*side, put_key{sample_server_key("b")}).has_value());
  }
  CHECK(count_keys(*data.store) == 2);
  CHECK(data.write("a").has_value());
}

TEST_CASE("keys can be made beside a server that writes without a pause") {
  sqlite_fixture data;
  REQUIRE(claim(*data.store, sample_key).has_value());
  std::atomic<bool> stop{false};
  std::promise<void> busy;
  std::uint64_t head = 0;
  std::size_t refused = 0;
  std::thread server{[&] {
    for (; !stop; ++head) {
      refused += ask(*data.store, spending(head, 1, std::to_string(head))) ? 0 : 1;
      if (head == 3)
        busy.set_value();
    }
  }};
  busy.get_future().wait();
  const auto side = open_side(data);
  std::size_t kept = 0;
  for (int i = 0; i < 20; ++i)
    kept += ask(*side, put_key{sample_server_key("key_" + std::to_string(i))}) ? 1 : 0;
  stop = true;
  server.join();
  CHECK(kept == 20);
  CHECK(refused == 0);
  CHECK(count_keys(*data.store) == 20);
  CHECK(data.journal().size() == head);
  CHECK(spent(*data.store) == 5 * head);
}

TEST_CASE("a server that holds the file for too long makes a key wait, then says so") {
  sqlite_fixture data;
  const auto side = open_side(data);
  sqlite3_busy_timeout(dynamic_cast<sqlite_writer&>(*side).handle(), 1);
  data.sql("BEGIN IMMEDIATE");
  const auto refused = ask(*side, put_key{sample_server_key("a")});
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::unavailable);
  CHECK(mentions(refused.error(), "another program holds"));
  // Reading does not wait for anybody.
  CHECK(count_keys(*side) == 0);
  data.sql("ROLLBACK");
  CHECK(ask(*side, put_key{sample_server_key("a")}).has_value());
}

TEST_CASE("a full store refuses keys and releases, and takes them with room again") {
  sqlite_fixture data;
  const auto limit = "PRAGMA max_page_count = " + data.sql("PRAGMA page_count");
  data.sql(limit.c_str());
  const std::string large(50'000, 'x');
  const auto release = ask(*data.store, put_release{"moving", "sha256:1", large});
  REQUIRE(release.has_error());
  CHECK(release.error().code == errc::full);
  auto key = sample_server_key("a");
  key.name = large;
  const auto refused = ask(*data.store, put_key{key});
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::full);
  CHECK(mentions(refused.error(), "free space"));
  CHECK(count_keys(*data.store) == 0);
  CHECK(ask(*data.store, list_keys{}).value().change == 1);
  data.sql("PRAGMA max_page_count = 1000000");
  CHECK(ask(*data.store, put_key{key}).has_value());
  CHECK(ask(*data.store, put_release{"moving", "sha256:1", large}).has_value());
}

TEST_CASE("at whichever file operation the disk fails, spend is counted with its append or not") {
  for (const auto fault : {file_fault::io_error, file_fault::no_room}) {
    bool fired = true;
    std::uint64_t refused = 0;
    for (std::uint64_t at = 1; fired; ++at) {
      CAPTURE(at);
      REQUIRE(at < 200);
      faulty_files disk;
      sqlite_fixture data;
      REQUIRE(claim(*data.store, sample_key).has_value());
      REQUIRE(ask(*data.store, spending(0, 1, "a")).has_value());
      disk.arm(fault, at);
      const auto answer = ask(*data.store, spending(1, 20, "b"));
      fired = disk.fired();
      disk.disarm();
      refused += answer ? 0 : 1;
      for (const bool again : {false, true}) {
        if (again)
          data.open();
        CHECK(spent(*data.store) == (answer ? 10 : 5));
      }
      data.store.reset();
    }
    CHECK(refused > 3);
  }
}

TEST_CASE("at whichever file operation the disk fails, a key can be put again and is in it once") {
  for (const auto fault : {file_fault::io_error, file_fault::no_room}) {
    bool fired = true;
    std::uint64_t refused = 0;
    for (std::uint64_t at = 1; fired; ++at) {
      CAPTURE(at);
      REQUIRE(at < 200);
      faulty_files disk;
      sqlite_fixture data;
      disk.arm(fault, at);
      const auto key = sample_server_key("a");
      const auto answer = ask(*data.store, put_key{key});
      fired = disk.fired();
      disk.disarm();
      refused += answer ? 0 : 1;
      CHECK((fired || answer.has_value()));
      if (answer) {
        data.open();
        CHECK(count_keys(*data.store) == 1);
      } else {
        CHECK(answer.error().code
              == (fault == file_fault::no_room ? errc::full : errc::unavailable));
      }
      CHECK(ask(*data.store, put_key{key}).has_value());
      data.open();
      CHECK(ask(*data.store, list_keys{}).value().keys == std::vector{key});
      data.store.reset();
    }
    CHECK(refused > 1);
  }
}
