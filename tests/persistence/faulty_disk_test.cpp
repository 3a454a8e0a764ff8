#include "tests/support/faulty_disk.hpp"

#include "persistence/sqlite_writer.hpp"
#include "tests/persistence/store_life.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

const session_key key{.app = "moving", .id = "sess_1"};

/// Appends up to `count` messages one by one; how many were accepted.
std::uint64_t write(store_writer& store, std::uint64_t count) {
  const auto held = claim(store, key);
  if (!held)
    return 0;
  auto head = held->row.head;
  for (; count > 0; --count, ++head)
    if (!ask(store, append(key, held->row.epoch, head, messages(head, 1), std::to_string(head))))
      break;
  return head;
}

std::uint64_t head_on(faulty_disk& disk) {
  const auto store = disk.open();
  if (!store)
    return 0;
  const auto page = ask(**store, read_events{.key = key});
  return page ? page->events.size() : 0;
}

} // namespace

TEST_CASE("a file keeps what was synced, and any mixture of what was not") {
  std::uint64_t mixed = 0;
  power_tally tally;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    disk_file file;
    file.write(std::string(4096, 'a'), 0);
    file.sync();
    file.write(std::string(1024, 'b'), 512);
    file.write(std::string(512, 'c'), 1024);
    file.write(std::string(1000, 'd'), 4096);
    file.lose(dice_of(seed), tally);
    const auto& left = file.bytes();
    REQUIRE((left.size() == 4096 || left.size() == 5096));
    CHECK(left.substr(0, 512) == std::string(512, 'a'));
    CHECK(left.substr(512, 512).find_first_not_of("ab") == std::string::npos);
    CHECK(left.substr(1024, 512).find_first_not_of("abc") == std::string::npos);
    CHECK(left.substr(1536, 2560) == std::string(2560, 'a'));
    // The later write survived without the earlier one.
    mixed += left[512] == 'a' && left[1024] == 'c' ? 1 : 0;
  }
  CHECK(mixed > 5);
  for (const auto count : {tally.kept, tally.lost, tally.older, tally.torn})
    CHECK(count > 10);
}

TEST_CASE("what a failed sync forgot comes to the disk only when it is written again") {
  const roll_dice all_lost = [](std::uint64_t bound) { return bound == 6 ? 1U : 0U; };
  for (const bool again : {false, true}) {
    disk_file file;
    file.write("before", 0);
    file.sync();
    file.write("behind", 0);
    file.forget();
    CHECK(file.bytes() == "behind");
    if (again)
      file.write("b", 0);
    file.sync();
    power_tally tally;
    file.lose(all_lost, tally);
    CHECK(file.bytes() == (again ? "behind" : "before"));
  }
}

TEST_CASE("a store on a disk outlives a killed process, and what it has open is dead") {
  faulty_disk disk;
  auto store = disk.open().value();
  CHECK(write(*store, 5) == 5);
  disk.process_dies();
  CHECK(write(*store, 1) == 0);
  CHECK(head_on(disk) == 5);
  store.reset();
  CHECK(head_on(disk) == 5);

  const auto lasting = disk.make_writer();
  CHECK(write(*lasting, 2) == 7);
  const auto incarnation = lasting->incarnation();
  disk.process_dies();
  CHECK(write(*lasting, 2) == 9);
  disk.power_loss(dice_of(1));
  CHECK(write(*lasting, 2) == 11);
  CHECK(lasting->incarnation() == incarnation);
  CHECK(disk.tally().process_deaths == 2);
  CHECK(disk.tally().power_losses == 1);
}

TEST_CASE("two connections of one life lock each other out, as those of two processes do") {
  faulty_disk disk;
  const auto store = disk.open().value();
  REQUIRE(write(*store, 1) == 1);
  sqlite_connection beside{faulty_disk::database, sqlite_access::owner, sqlite_synchronous::full,
                           disk.vfs_name()};
  beside.script("BEGIN IMMEDIATE");
  const auto refused = ask(*store, append(key, 1, 1, messages(1, 1), "b"));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::unavailable);
  CHECK(beside.ask("SELECT count(*) FROM events") == "1");
  beside.script("COMMIT");
  CHECK(ask(*store, append(key, 1, 1, messages(1, 1), "b")).has_value());
  CHECK(beside.ask("SELECT count(*) FROM events") == "2");
}

TEST_CASE("the same seed and dice leave the same bytes, another seed others") {
  const auto play = [](std::uint64_t seed) {
    faulty_disk disk{seed};
    disk.fail_often(disk_fault::write_error, 5, dice_of(seed));
    const auto store = disk.make_writer();
    for (int round = 0; round < 3; ++round) {
      write(*store, 10);
      disk.fail_at(disk_fault::power_cut, 3);
      write(*store, 10);
      CHECK_FALSE(disk.has_power());
      disk.power_loss(dice_of(seed + 1));
    }
    return disk.files();
  };
  const auto first = play(7);
  CHECK(play(7) == first);
  CHECK(play(8) != first);
}

TEST_CASE(
  "a disk is full beyond its room, calm while it is looked at, and well once it is healed") {
  faulty_disk disk;
  const auto store = disk.make_writer();
  REQUIRE(write(*store, 3) == 3);
  disk.room = 1;
  disk.fail_at(disk_fault::read_error, 1, 1'000'000);
  disk.fail_at(disk_fault::open_error, 1, 1'000'000);
  CHECK(write(*store, 1) == 0);
  disk.process_dies();
  CHECK(write(*store, 1) == 0);
  CHECK(disk.tally().met_by(disk_fault::open_error) > 0);
  disk.calm = true;
  CHECK(head_on(disk) == 3);
  disk.calm = false;
  CHECK(head_on(disk) == 0);
  disk.heal();
  CHECK(write(*store, 1) == 4);
}

TEST_CASE("files that were put back are those of the backup") {
  faulty_disk disk;
  const auto store = disk.make_writer();
  REQUIRE(write(*store, 3) == 3);
  const auto backup = disk.files();
  REQUIRE(write(*store, 3) == 6);
  disk.replace_files(backup);
  disk.power_loss(dice_of(1));
  CHECK(head_on(disk) == 3);
}
