#include "tests/lab/lab_store.hpp"

#include <optional>

namespace sidevoice::lab {

namespace {

/// Refuses an append with an operating error.
bool refuse(store_job& job, lab_loop& where, errc code) {
  auto* append = std::get_if<store_task<append_events>>(&job);
  if (append == nullptr)
    return false;
  where.post([done = std::move(append->done), code] {
    done(error{code, "the lab's disk refuses"});
  });
  return true;
}

/// Lets an append happen, or not, and hides which.
bool hide_outcome(store_job& job, lab_loop& where, store_writer& disk, bool written) {
  auto* append = std::get_if<store_task<append_events>>(&job);
  if (append == nullptr)
    return false;
  if (written) {
    std::vector<store_job> alone;
    alone.emplace_back(store_task<append_events>{append->job, [](const result<appended>&) {}});
    for (auto& done : disk.run(std::move(alone)))
      done();
  }
  where.post([done = std::move(append->done)] {
    done(error{errc::unknown_outcome, "the lab hides the outcome"});
  });
  return true;
}

} // namespace

void lab_store::turn() {
  auto count = 1 + chance_.roll(queue_.size());
  std::vector<store_job> group;
  for (; count > 0; --count) {
    auto job = std::move(queue_.front());
    queue_.pop_front();
    if (chance_.chance(refuse_percent)
        && refuse(job, where_, chance_.chance(50) ? errc::full : errc::unavailable)) {
      ++refused;
      continue;
    }
    if (chance_.chance(unknown_percent) && hide_outcome(job, where_, disk_, chance_.chance(50))) {
      ++unknown;
      continue;
    }
    group.push_back(std::move(job));
  }
  for (auto& done : disk_.run(std::move(group)))
    where_.post(std::move(done));
}

void lab_store::crash(bool written) {
  dead_ = true;
  if (written && !queue_.empty()) {
    std::vector<store_job> group{std::make_move_iterator(queue_.begin()),
                                 std::make_move_iterator(queue_.end())};
    disk_.run(std::move(group));
  }
  queue_.clear();
}

} // namespace sidevoice::lab
