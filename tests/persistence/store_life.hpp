#pragma once

#include "tests/persistence/samples.hpp"
#include "tests/support/disk_file.hpp"

#include <functional>
#include <set>

namespace sidevoice::samples {

/// An owner of three sessions who writes them for a while, one append each in a group, and believes
/// what it is told. What it writes follows from session and number, so that a history can be told
/// right from wrong without it.
class store_life {
public:
  static constexpr int steps = 10;

  struct session {
    session_key key;
    /// 0: not claimed.
    std::uint64_t epoch = 0;
    /// What we were told is durable.
    std::uint64_t head = 0;
    /// The furthest head that an append may have reached.
    std::uint64_t asked = 0;
    view_ptr view = std::make_shared<const session_view>();
    /// An append whose outcome we do not know, and the head behind it.
    std::string unsure = {};
    std::uint64_t unsure_head = 0;
  };

  store_life();

  /// True once the owner is dead: what it is told then it does not hear, except for success, which
  /// must be true all the same.
  std::function<bool()> dead = [] { return false; };

  /// Step number `step`: claims what is not claimed, reads back what is unsure, then appends to the
  /// sessions that are neither. Steps also keep snapshots and releases.
  void run_step(store_writer& store, int step);

  /// Reads back what is unsure. True: nothing is any more.
  bool settle(store_writer& store);

  std::vector<session> sessions;
  /// Appends of which we were told that nothing of them was stored.
  std::vector<std::pair<session_key, std::string>> refused;
  /// What jobs were answered with, beside success.
  std::set<errc> codes;
  std::uint64_t appends = 0;
  /// Releases that we were told are kept.
  std::set<std::string> releases;

private:
  void claim_all(store_writer& store);
  store_job make_append(session& of, std::size_t count);
  store_job make_snapshot(const session& of);
  store_job make_release(int step);

  std::uint64_t next_id_ = 0;
};

/// Dice of a seed, for a `faulty_disk`.
inline roll_dice dice_of(std::uint64_t seed) {
  return
    [random = random_engine{seed}](std::uint64_t bound) mutable { return below(random, bound); };
}

/// Event `seq` of a session of `store_life`; some of them are large.
event_ptr event_of(const session_key& key, std::uint64_t seq);

/// Empty where the store holds, of each session, a history without gap up to a head between what
/// was told to be durable and what was asked for, with matching state, money and releases, and
/// nothing of what was said not to be stored. Else what is wrong.
std::string compare(store_writer& store, const store_life& life);

/// The same of one session's history only: up to whichever head, but never a wrong one. A session
/// that is refused as damaged is right as well; `damaged` counts it.
std::string compare_history(store_writer& store, const session_key& key, std::uint64_t& damaged);

/// Claims a session and appends to it. Empty where both worked.
std::string go_on(store_writer& store, const store_life& life, const std::string& id);

/// The answer of SQLite's own check of the whole file: "ok".
std::string integrity(store_writer& store);

} // namespace sidevoice::samples
