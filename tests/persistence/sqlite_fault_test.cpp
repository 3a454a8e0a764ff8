#include "tests/persistence/faulty_files.hpp"
#include "tests/persistence/sqlite_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

bool is_stored(sqlite_fixture& data, const std::string& id) {
  return ask(*data.store, find_append{sample_key, id}).value().stored;
}

/// Runs `child` in a process of its own, which never returns. True: it was killed by the fault.
template <class Child>
bool killed_apart(Child child) {
  const auto pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    child();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
  return WEXITSTATUS(status) == 9;
}

} // namespace

TEST_CASE("a database that somebody else holds is unavailable, and works afterwards") {
  sqlite_fixture data;
  REQUIRE(data.write("a").has_value());
  sqlite3_busy_timeout(dynamic_cast<sqlite_writer&>(*data.store).handle(), 1);
  {
    sqlite_connection foreign{data.file(), sqlite_access::owner, sqlite_synchronous::full};
    foreign.script("BEGIN EXCLUSIVE");
    const auto refused = ask(*data.store, append(sample_key, 1, 1, messages(1, 1), "b"));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::unavailable);
    CHECK(refused.error().detail.find("another program") != std::string::npos);
    CHECK(claim(*data.store, sample_key).error().code == errc::unavailable);
    foreign.script("ROLLBACK");
  }
  CHECK_FALSE(is_stored(data, "b"));
  CHECK(ask(*data.store, append(sample_key, 1, 1, messages(1, 1), "b")).has_value());
}

TEST_CASE("a full store refuses what does not fit, keeps the rest, and works with room again") {
  sqlite_fixture data;
  REQUIRE(data.write("a").has_value());
  const auto limit = "PRAGMA max_page_count = "
                     + std::to_string(std::stoi(data.sql("PRAGMA page_count")) + 2);
  data.sql(limit.c_str());
  const std::string large(50'000, 'x');
  const auto huge =
    append(sample_key, 1, 1,
           {make_event(2, item_put{.rank = "1", .value = user_message("b", large)})}, "huge");
  const auto refused = ask(*data.store, huge);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::full);
  CHECK(refused.error().detail.find("free space") != std::string::npos);
  CHECK_FALSE(is_stored(data, "huge"));
  CHECK(data.journal().size() == 1);

  // In one group with a small one of another session: only the huge one is refused.
  const session_key other{.app = "moving", .id = "sess_2"};
  REQUIRE(claim(*data.store, other).has_value());
  std::vector<std::string> answers(2);
  std::vector<store_job> jobs;
  const auto keep = [&answers](std::size_t at) {
    return [&answers, at](auto answer) {
      answers[at] = answer ? "stored" : to_string(answer.error().code);
    };
  };
  jobs.emplace_back(
    store_task<append_events>{append(other, 1, 0, messages(0, 1), "small"), keep(0)});
  jobs.emplace_back(store_task<append_events>{huge, keep(1)});
  for (const auto& done : data.store->run(std::move(jobs)))
    done();
  CHECK(answers == std::vector<std::string>{"stored", "full"});

  data.sql("PRAGMA max_page_count = 1000000");
  CHECK(ask(*data.store, huge).has_value());
  CHECK(data.journal().size() == 2);
}

TEST_CASE("at whichever file operation the disk fails, the answer tells the truth") {
  for (const auto fault : {file_fault::io_error, file_fault::no_room}) {
    bool fired = true;
    std::uint64_t refused = 0;
    for (std::uint64_t at = 1; fired; ++at) {
      CAPTURE(at);
      REQUIRE(at < 200);
      faulty_files disk;
      sqlite_fixture data;
      REQUIRE(data.write("a", 3).has_value());
      disk.arm(fault, at);
      const auto answer = ask(*data.store, append(sample_key, 1, 3, messages(3, 40), "b"));
      fired = disk.fired();
      disk.disarm();
      refused += answer ? 0 : 1;
      CHECK((fired || answer.has_value()));
      if (!answer)
        CHECK(answer.error().code
              == (fault == file_fault::no_room ? errc::full : errc::unavailable));
      // Both as this process sees it, and as the next one does.
      for (const bool again : {false, true}) {
        if (again)
          data.open();
        CHECK(is_stored(data, "b") == answer.has_value());
        CHECK(data.journal().size() == (answer ? 43 : 3));
      }
      CHECK(data.write("c").has_value());
      data.store.reset();
    }
    CHECK(refused > 3);
  }
}

TEST_CASE(
  "while the disk stays broken nothing is acknowledged, and it recovers without a restart") {
  for (std::uint64_t at = 1; at <= 12; ++at) {
    CAPTURE(at);
    faulty_files disk;
    sqlite_fixture data;
    REQUIRE(data.write("a", 3).has_value());
    disk.arm(file_fault::io_error, at, true);
    const auto first = ask(*data.store, append(sample_key, 1, 3, messages(3, 40), "b"));
    const auto second = data.write("c");
    disk.disarm();
    if (!first)
      CHECK(
        (first.error().code == errc::unavailable || first.error().code == errc::unknown_outcome));
    CHECK(second.has_error());
    if (first || first.error().code == errc::unavailable)
      CHECK(is_stored(data, "b") == first.has_value());
    CHECK(data.write("d").has_value());
    data.open();
    CHECK(is_stored(data, "d"));
    data.store.reset();
  }
}

TEST_CASE(
  "killed at any file operation, a store has all it acknowledged and no half of an append") {
  bool killed = true;
  std::uint64_t acknowledged_once = 0;
  for (std::uint64_t at = 1; killed; ++at) {
    CAPTURE(at);
    REQUIRE(at < 2000);
    temporary_folder above;
    const auto folder = above / "data";
    int acknowledged[2];
    REQUIRE(::pipe(acknowledged) == 0);
    killed = killed_apart([&] {
      faulty_files disk;
      disk.arm(file_fault::killed, at);
      auto store = open_sqlite({.folder = folder}).value();
      const auto epoch = claim(*store, sample_key).value().row.epoch;
      for (std::uint64_t head = 0; head < 12; head += 3) {
        const auto answer =
          ask(*store, append(sample_key, epoch, head, messages(head, 3), std::to_string(head)));
        const char mark = 'a';
        if (!answer || ::write(acknowledged[1], &mark, 1) != 1)
          ::_exit(1);
      }
      store.reset();
    });
    ::close(acknowledged[1]);
    char marks[16];
    const auto count = ::read(acknowledged[0], marks, sizeof marks);
    ::close(acknowledged[0]);
    REQUIRE(count >= 0);
    auto store = open_sqlite({.folder = folder});
    REQUIRE_MESSAGE(store.has_value(), store.error().detail);
    const auto again = claim(**store, sample_key).value();
    CHECK(again.row.head >= 3 * static_cast<std::uint64_t>(count));
    CHECK(again.row.head % 3 == 0);
    CHECK(again.view->items.size() == again.row.head);
    acknowledged_once += killed && count > 0 ? 1 : 0;
    CHECK((killed || again.row.head == 12));
  }
  // Some of the kills hit after an acknowledgement: the test would be empty otherwise.
  CHECK(acknowledged_once > 10);
}
