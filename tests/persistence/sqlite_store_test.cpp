#include "tests/persistence/sqlite_fixture.hpp"
#include "tests/persistence/store_conformance.hpp"

#include <sys/stat.h>

#include <fstream>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

bool mentions(const error& e, const std::string& words) {
  return e.detail.find(words) != std::string::npos;
}

void overwrite(const std::filesystem::path& file, std::streamoff at, std::size_t size) {
  std::fstream out{file, std::ios::in | std::ios::out | std::ios::binary};
  REQUIRE(out.good());
  out.seekp(at);
  out << std::string(size, '#');
}

} // namespace

TEST_CASE("the SQLite store keeps every rule of a store") {
  temporary_folder above;
  int next = 0;
  check_conformance([&]() -> std::unique_ptr<store_writer> {
    auto opened = open_sqlite({.folder = above / std::to_string(++next)});
    REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
    return std::move(*opened);
  });
}

TEST_CASE("what was stored is there after closing, under the same incarnation") {
  sqlite_fixture data;
  const auto incarnation = data.store->incarnation();
  CHECK(incarnation.size() == 32);
  REQUIRE(data.write("a", 5).has_value());
  data.open();
  CHECK(data.store->incarnation() == incarnation);
  const auto again = ask(*data.store, claim_session{.key = sample_key, .node = "n"}).value();
  CHECK(again.row.epoch == 2);
  CHECK(again.view->items.size() == 5);
  CHECK(sqlite_fixture{}.store->incarnation() != incarnation);
}

TEST_CASE("folder and files are private, also where the folder was open to others") {
  temporary_folder above;
  std::filesystem::create_directory(above / "data");
  ::chmod((above / "data").c_str(), 0755);
  const auto opened = open_sqlite({.folder = (above / "data").string() + "/"});
  REQUIRE(opened.has_value());
  CHECK(mode_of(above / "data") == 0700);
  for (const auto& entry : std::filesystem::directory_iterator(above / "data"))
    CHECK_MESSAGE(mode_of(entry.path()) == 0600, entry.path());
}

TEST_CASE("a second opener of a folder is refused with the remedy") {
  sqlite_fixture data;
  const auto refused = open_sqlite({.folder = data.folder});
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::conflict);
  CHECK(mentions(refused.error(), "process " + std::to_string(::getpid())));
  CHECK(mentions(refused.error(), "--data"));
  data.store.reset();
  CHECK(open_sqlite({.folder = data.folder}).has_value());
}

TEST_CASE("a folder that cannot be made is refused with the remedy") {
  temporary_folder above;
  std::ofstream{above / "file"} << "x";
  for (const auto& folder : {above / "file", above / "file/data"}) {
    const auto refused = open_sqlite({.folder = folder});
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::unavailable);
    CHECK(mentions(refused.error(), "--data"));
  }
  CHECK(open_sqlite({}).error().code == errc::invalid);
}

TEST_CASE("the pragmas are set") {
  sqlite_fixture full;
  CHECK(full.sql("PRAGMA synchronous") == "2");
  CHECK(full.sql("PRAGMA journal_mode") == "wal");
  CHECK(full.sql("PRAGMA foreign_keys") == "1");
  CHECK(sqlite_fixture{sqlite_synchronous::normal}.sql("PRAGMA synchronous") == "1");
}

TEST_CASE("a file that is no database is refused with the remedy") {
  temporary_folder above;
  std::filesystem::create_directory(above / "data");
  std::ofstream{above / "data/sidevoice.db"} << std::string(8192, 'x');
  const auto refused = open_sqlite({.folder = above / "data"});
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::damaged);
  CHECK(mentions(refused.error(), "restore a backup"));
  CHECK(mentions(refused.error(), ".recover"));
}

TEST_CASE("a corrupt database is refused with the remedy, wherever the damage is") {
  for (const std::streamoff page : {1, 3, 5, 7}) {
    CAPTURE(page);
    sqlite_fixture data;
    REQUIRE(data.write("a", 200).has_value());
    data.store.reset();
    overwrite(data.file(), page * 4096, 4096);
    const auto refused = open_sqlite({.folder = data.folder});
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::damaged);
    CHECK(mentions(refused.error(), ".recover"));
  }
}

TEST_CASE("a file of a newer sidevoice, or with other tables, is refused") {
  sqlite_fixture data;
  SUBCASE("newer") {
    data.sql("INSERT INTO migrations VALUES(99, 'x')");
    data.sql(
      "UPDATE migrations SET version = (SELECT count(*) FROM migrations) WHERE version = 99");
    data.store.reset();
    CHECK(open_sqlite({.folder = data.folder}).error().code == errc::conflict);
  }
  SUBCASE("altered") {
    data.sql("UPDATE migrations SET checksum = 'x' WHERE version = 1");
    data.store.reset();
    CHECK(open_sqlite({.folder = data.folder}).error().code == errc::damaged);
  }
}

TEST_CASE("damage within a journal is named by its number") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 5).has_value());
  SUBCASE("changed") {
    data.sql("UPDATE events SET body = replace(body, 'text', 'TEXT') WHERE seq = 3");
  }
  SUBCASE("missing") {
    data.sql("DELETE FROM events WHERE seq = 3");
  }
  SUBCASE("of an unknown type") {
    data.sql("UPDATE events SET type = 'item.painted' WHERE seq = 3");
  }
  SUBCASE("without its blob") {
    data.sql("UPDATE events SET in_blob = 1 WHERE seq = 3");
  }
  const auto page = ask(*data.store, read_events{.key = sample_key});
  REQUIRE(page.has_error());
  CHECK(page.error().code == errc::damaged);
  CHECK(mentions(page.error(), "event 3 "));
  CHECK(ask(*data.store, read_events{.key = sample_key, .limit = 2}).value().events.size() == 2);
  const auto refused = claim(*data.store, sample_key);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::damaged);
  CHECK(data.sql("SELECT epoch FROM sessions") == "1");
  CHECK(claim(*data.store, {"moving", "sess_2"}).has_value());
}

TEST_CASE("a journal that ends before its head is damage") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 5).has_value());
  data.sql("DELETE FROM events WHERE seq = 5");
  CHECK(claim(*data.store, sample_key).error().code == errc::damaged);
}

TEST_CASE("an erased body leaves the event's number and type") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 3).has_value());
  data.sql("UPDATE events SET body = NULL WHERE seq = 2");
  const auto events = data.journal();
  REQUIRE(events.size() == 3);
  CHECK(events[1]->body == event_body{erased{"item.put"}});
  CHECK(claim(*data.store, sample_key).value().view->items.size() == 2);
}

TEST_CASE("a snapshot that is damaged or of another fold is passed over") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 3).has_value());
  const auto view = claim(*data.store, sample_key).value().view;
  // A snapshot that says something else than the journal shows whether it was used.
  auto marked = *view;
  marked.about.app = "marked";
  REQUIRE(ask(*data.store, put_snapshot{sample_key, std::make_shared<const session_view>(marked)})
            .has_value());
  CHECK(*claim(*data.store, sample_key).value().view == marked);
  SUBCASE("of another fold") {
    data.sql("UPDATE snapshots SET fold_version = fold_version + 1");
  }
  SUBCASE("damaged") {
    data.sql("UPDATE snapshots SET body = replace(body, 'text', 'TEXT')");
  }
  CHECK(*claim(*data.store, sample_key).value().view == *view);
}

TEST_CASE("old snapshots go") {
  sqlite_fixture data;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(data.write(std::to_string(i)).has_value());
    const auto view = claim(*data.store, sample_key).value().view;
    REQUIRE(ask(*data.store, put_snapshot{sample_key, view}).has_value());
  }
  CHECK(data.sql("SELECT group_concat(seq) FROM snapshots") == "4,5");
}

TEST_CASE("a large body is one blob, however often it is written") {
  sqlite_fixture data;
  REQUIRE(claim(*data.store, sample_key).has_value());
  const item_put put{.rank = "1", .value = user_message("a", std::string(70'000, 'x'))};
  REQUIRE(ask(*data.store, append(sample_key, 1, 0, {make_event(1, put), make_event(2, put)}))
            .has_value());
  CHECK(data.sql("SELECT count(*) FROM blobs") == "1");
  CHECK(data.sql("SELECT count(*) FROM events WHERE body IS NULL AND in_blob") == "2");
  CHECK(data.ask_as_a_person("SELECT length(text) FROM items") == "70000");
}

TEST_CASE("a reader beside the server sees what is committed, and cannot write") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 3).has_value());
  auto opened = open_sqlite_read_only(data.folder);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
  auto& reader = **opened;
  CHECK(reader.incarnation() == data.store->incarnation());
  CHECK(ask(reader, list_sessions{}).value().rows.size() == 1);
  CHECK(ask(reader, read_events{.key = sample_key}).value().events.size() == 3);
  REQUIRE(data.write("b", 2).has_value());
  CHECK(ask(reader, read_events{.key = sample_key}).value().events.size() == 5);
  CHECK(claim(reader, sample_key).error().code == errc::invalid);
  CHECK(ask(reader, append(sample_key, 1, 5, messages(5, 1))).error().code == errc::invalid);
  CHECK(ask(reader, put_release{"a", "b", "{}"}).error().code == errc::invalid);
}

TEST_CASE("a reader needs no server, but a store") {
  sqlite_fixture data;
  REQUIRE(data.write("a", 3).has_value());
  data.store.reset();
  auto opened = open_sqlite_read_only(data.folder);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
  CHECK(ask(**opened, read_events{.key = sample_key}).value().events.size() == 3);
  const auto refused = open_sqlite_read_only(data.folder / "none");
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::not_found);
  CHECK(mentions(refused.error(), "--data"));
}

TEST_CASE("the views show what people look for") {
  sqlite_fixture data;
  REQUIRE(claim(*data.store, sample_key).has_value());
  std::vector<event_ptr> events;
  const auto add = [&events](auto body) { events.push_back(make_event(events.size() + 1, body)); };
  add(session_started{.app = "moving"});
  add(item_put{.rank = "1", .value = user_message("a", "old")});
  add(item_put{.rank = "1", .value = user_message("a", "new")});
  add(item_put{.rank = "2", .value = user_message("b", "gone")});
  add(item_removed{.id = "b"});
  add(response_requested{.response = "r", .cause = {"a"}});
  add(response_started{.response = "r", .attempt = 1});
  add(response_started{.response = "r", .attempt = 2});
  add(response_done{.response = "r", .usage = {.input = 3, .output = 4}});
  add(response_requested{.response = "r2"});
  add(topic_updated{.topic = "date", .value = "1", .revision = 1});
  add(topic_updated{.topic = "date", .value = "2", .revision = 2});
  REQUIRE(ask(*data.store, append(sample_key, 1, 0, events)).has_value());
  CHECK(data.ask_as_a_person("SELECT group_concat(item || ' ' || text) FROM items") == "a new");
  CHECK(data.ask_as_a_person(
          "SELECT group_concat(topic || ' ' || value || ' ' || revision) FROM topics")
        == "date 2 2");
  CHECK(data.ask_as_a_person(
          "SELECT group_concat(response || ' ' || status || ' ' || attempts) FROM turns")
        == "r completed 2,r2 open 0");
  CHECK(data.ask_as_a_person("SELECT input_tokens || ' ' || output_tokens FROM usage") == "3 4");
}
