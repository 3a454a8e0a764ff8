#include "tests/lab/lab_store.hpp"

#include <algorithm>
#include <utility>

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

bool lab_store::has_append(const std::string& session) const {
  return std::any_of(queue_.begin(), queue_.end(), [&](const store_job& job) {
    const auto* append = std::get_if<store_task<append_events>>(&job);
    return append != nullptr && append->job.key.id == session;
  });
}

bool lab_store::goes_wrong(store_job& job) {
  const auto* append = std::get_if<store_task<append_events>>(&job);
  auto fault = std::string{};
  if (append != nullptr && !next_append.empty()) {
    fault = std::exchange(next_append, {});
    on_next_append(append->job.key.id);
  } else if (chance_.chance(refuse_percent)) {
    fault = chance_.chance(50) ? "full" : "unavailable";
  } else if (chance_.chance(unknown_percent)) {
    fault = "unknown";
  }
  if (fault.empty())
    return false;
  if (fault == "unknown")
    return hide_outcome(job, where_, disk_, chance_.chance(50));
  return refuse(job, where_, fault == "full" ? errc::full : errc::unavailable);
}

void lab_store::turn() {
  auto count = 1 + chance_.roll(queue_.size());
  std::vector<store_job> group;
  for (; count > 0; --count) {
    // It counts as waiting while it is judged: what it interrupts is the state of that moment.
    if (!goes_wrong(queue_.front()))
      group.push_back(std::move(queue_.front()));
    queue_.pop_front();
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
