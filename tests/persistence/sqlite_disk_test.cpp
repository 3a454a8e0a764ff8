#include "tests/persistence/store_life.hpp"
#include "tests/support/faulty_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

/// What is wrong with the store that the next process finds, or nothing.
std::string next_process(faulty_disk& disk, const store_life& life) {
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

/// The same after a kill or a power loss; the disk itself stays as it is.
std::string whatever_comes(const faulty_disk& disk, const store_life& life, std::uint64_t seed) {
  faulty_disk copy{disk};
  const bool killed = seed % 4 == 0;
  if (!killed)
    copy.power_loss(dice_of(seed));
  auto wrong = next_process(copy, life);
  return wrong.empty() ? wrong : (killed ? "killed: " : "power loss: ") + wrong;
}

/// A disk with a store that nothing was written to yet, all of it synced.
const faulty_disk& fresh_disk() {
  static const auto made = [] {
    auto disk = std::make_unique<faulty_disk>();
    REQUIRE(disk->open().has_value());
    disk->replace_files(disk->files());
    return disk;
  }();
  return *made;
}

/// True when all sessions are where their last append wanted them: nothing is refused or unsure.
bool all_stored(const store_life& life) {
  return std::all_of(life.sessions.begin(), life.sessions.end(), [](const auto& of) {
    return of.epoch != 0 && of.unsure.empty() && of.head == of.asked;
  });
}

struct fault_case {
  std::string name;
  disk_fault fault;
  /// Calls in a row that fail.
  std::uint64_t times;
  /// One in so many calls is where it begins.
  std::uint64_t stride;
  /// A process lives for one step only: what is in its memory is read again.
  bool restarts;
  /// What jobs may be answered with.
  std::set<errc> codes;
};

/// What a fault that begins at call `at` did. `met`: it happened. `wrong`: empty, or what is wrong.
struct outcome {
  bool met = false;
  std::string wrong;
  std::set<errc> codes;
};

/// Enough for every kind of job.
constexpr int steps = 5;

outcome live_with(const fault_case& how, std::uint64_t at) {
  faulty_disk disk{fresh_disk()};
  const auto store = disk.make_writer();
  store_life life;
  disk.fail_at(how.fault, at, how.times);
  for (int step = 0; step < steps; ++step) {
    if (how.restarts)
      disk.process_dies();
    life.run_step(*store, step);
  }
  outcome out{.met = disk.tally().met_by(how.fault) > 0, .wrong = {}, .codes = life.codes};
  if (!out.met && !out.codes.empty())
    out.wrong = "refused without a fault";
  disk.heal();
  // Without a restart: the fault has ended, so everything is known and works.
  const auto refused = life.refused.size();
  life.run_step(*store, steps);
  if (out.wrong.empty() && (!all_stored(life) || life.codes != out.codes))
    out.wrong = "does not work again after " + std::to_string(refused) + " refusals";
  if (out.wrong.empty())
    out.wrong = whatever_comes(disk, life, at);
  if (out.wrong.empty())
    out.wrong = compare(*store, life);
  return out;
}

const std::set<errc> uncertain{errc::unavailable, errc::unknown_outcome};
const std::set<errc> no_room{errc::full, errc::unavailable, errc::unknown_outcome};

} // namespace

TEST_CASE("whichever call fails, nothing acknowledged is lost, and it works again by itself") {
  for (const auto& one :
       {fault_case{"write", disk_fault::write_error, 1, 1, false, uncertain},
        fault_case{"writes", disk_fault::write_error, 9, 5, false, uncertain},
        fault_case{"full once", disk_fault::full, 1, 2, false, no_room},
        fault_case{"full", disk_fault::full, 60, 7, false, no_room},
        fault_case{"sync", disk_fault::sync_error, 1, 1, false, uncertain},
        fault_case{"two syncs", disk_fault::sync_error, 2, 1, false, uncertain},
        fault_case{"syncs", disk_fault::sync_error, 5, 1, false, uncertain},
        fault_case{"read at a start", disk_fault::read_error, 1, 41, true, uncertain},
        fault_case{"open at a start", disk_fault::open_error, 2, 1, true, uncertain},
        fault_case{"write at a start", disk_fault::write_error, 3, 13, true, uncertain},
        fault_case{"sync at a start", disk_fault::sync_error, 1, 1, true, uncertain}}) {
    CAPTURE(one.name);
    std::set<errc> seen;
    std::uint64_t places = 0;
    for (bool met = true; met; ++places) {
      CAPTURE(places);
      REQUIRE(places < 1000);
      const auto out = live_with(one, 1 + places * one.stride);
      CHECK(out.wrong == "");
      met = out.met;
      seen.insert(out.codes.begin(), out.codes.end());
    }
    CHECK(places > 5);
    for (const auto code : seen)
      CHECK_MESSAGE(one.codes.contains(code), std::string{to_string(code)});
    MESSAGE(one.name << ": " << places << " places");
  }
}

TEST_CASE("power that goes while a store gets over a failed sync takes nothing acknowledged") {
  for (std::uint64_t at = 1; at <= 14; ++at)
    for (std::uint64_t cut = 1; cut <= 6; ++cut) {
      CAPTURE(at);
      CAPTURE(cut);
      faulty_disk disk{fresh_disk()};
      const auto store = disk.open().value();
      store_life life;
      life.dead = [&disk] { return !disk.has_power(); };
      disk.fail_at(disk_fault::sync_error, at, 1 + cut % 3);
      for (int step = 0; disk.has_power() && step < store_life::steps; ++step) {
        const auto before = disk.tally().met_by(disk_fault::sync_error);
        life.run_step(*store, step);
        if (before == 0 && disk.tally().met_by(disk_fault::sync_error) > 0)
          disk.fail_at(disk_fault::power_cut, cut);
      }
      disk.power_loss(dice_of(100 * at + cut));
      disk.heal();
      CHECK(next_process(disk, life) == "");
    }
}

TEST_CASE("on a disk that lies about syncs a later start finds a prefix, or says damaged") {
  std::uint64_t damaged = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    faulty_disk disk{fresh_disk()};
    store_life life;
    {
      const auto store = disk.open().value();
      disk.lies = true;
      for (int step = 0; step <= static_cast<int>(seed % store_life::steps); ++step)
        life.run_step(*store, step);
      // It dies, or it ends in peace, which brings the log into the file.
      if (seed % 3 != 0)
        disk.process_dies();
    }
    CHECK(life.codes.empty());
    disk.power_loss(dice_of(seed));
    auto store = disk.open();
    if (!store) {
      CHECK_MESSAGE(store.error().code == errc::damaged, store.error().detail);
      ++damaged;
      continue;
    }
    for (const auto& of : life.sessions) {
      CHECK(compare_history(**store, of.key, damaged) == "");
      const auto page = ask(**store, read_events{.key = of.key, .limit = 100'000});
      lost += page && page->events.size() < of.head ? 1 : 0;
    }
  }
  // It does take what was acknowledged, or this would test nothing.
  CHECK(damaged > 3);
  CHECK(lost > 1);
  MESSAGE("damaged " << damaged << ", shorter " << lost);
}
