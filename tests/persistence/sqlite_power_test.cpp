#include "tests/persistence/store_life.hpp"
#include "tests/support/faulty_disk.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

/// Writes until the power goes or all steps are done.
void live(faulty_disk& disk, store_life& life,
          sqlite_synchronous synchronous = sqlite_synchronous::full) {
  life.dead = [&disk] { return !disk.has_power(); };
  auto store = disk.open(synchronous);
  for (int step = 0; store && disk.has_power() && step < store_life::steps; ++step)
    life.run_step(**store, step);
}

/// The store after the power has come again: what is wrong with it, or nothing.
std::string after_power_loss(faulty_disk& disk, const store_life& life) {
  auto store = disk.open();
  if (!store)
    return store.error().detail;
  if (auto wrong = compare(**store, life); !wrong.empty())
    return wrong;
  if (auto wrong = go_on(**store, life, "after"); !wrong.empty())
    return wrong;
  const auto whole = integrity(**store);
  return whole == "ok" ? "" : whole;
}

} // namespace

TEST_CASE("whenever the power goes, all that was acknowledged is there, without a gap") {
  std::uint64_t cut = 0;
  power_tally sectors;
  std::uint64_t names_lost = 0;
  for (bool had_power = false; !had_power;) {
    ++cut;
    CAPTURE(cut);
    faulty_disk disk{cut};
    disk.fail_at(disk_fault::power_cut, cut);
    store_life life;
    live(disk, life);
    had_power = disk.has_power();
    const auto dice = dice_of(cut);
    disk.power_loss(dice);
    // At every other place it goes again while the store opens.
    if (cut % 2 == 0) {
      disk.fail_at(disk_fault::power_cut, 1 + dice(12));
      static_cast<void>(disk.open());
      disk.power_loss(dice);
    }
    disk.heal();
    CHECK(after_power_loss(disk, life) == "");
    sectors.kept += disk.tally().sectors.kept;
    sectors.lost += disk.tally().sectors.lost;
    sectors.torn += disk.tally().sectors.torn;
    names_lost += disk.tally().names_lost;
  }
  // It does take and mix what was not synced, or this would test nothing.
  for (const auto count : {sectors.kept, sectors.lost, sectors.torn})
    CHECK(count > 1000);
  CHECK(names_lost > 0);
  MESSAGE("calls " << cut << ", sectors kept " << sectors.kept << ", lost " << sectors.lost
                   << ", torn " << sectors.torn << ", names lost " << names_lost);
}

TEST_CASE("without a sync for each commit, power loss takes the last appends, but leaves no gap") {
  std::uint64_t shorter = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    faulty_disk disk{seed};
    disk.fail_at(disk_fault::power_cut, 150 + 6 * seed);
    store_life life;
    live(disk, life, sqlite_synchronous::normal);
    disk.power_loss(dice_of(seed));
    disk.heal();
    auto store = disk.open(sqlite_synchronous::normal);
    REQUIRE_MESSAGE(store.has_value(), store.error().detail);
    CHECK(integrity(**store) == "ok");
    std::uint64_t damaged = 0;
    for (const auto& of : life.sessions) {
      CHECK(compare_history(**store, of.key, damaged) == "");
      const auto page = ask(**store, read_events{.key = of.key, .limit = 100'000});
      shorter += (page ? page->events.size() : 0) < of.head ? 1 : 0;
    }
    CHECK(damaged == 0);
  }
  CHECK(shorter > 5);
}
