#pragma once

#include "persistence/stores.hpp"
#include "tests/lab/dice.hpp"
#include "tests/lab/lab_loop.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace sidevoice::lab {

/// A store whose writer is turned by hand, without its thread, and which can fail. What the writer
/// holds is the disk: it survives a crash of the node, what waits in the queue does not.
class lab_store final : public store {
public:
  lab_store(store_writer& disk, lab_loop& where, dice& chance)
      : disk_{disk},
        where_{where},
        chance_{chance} {}

  void submit(store_job job) override {
    if (!dead_)
      queue_.push_back(std::move(job));
  }

  std::string incarnation() const override {
    return disk_.incarnation();
  }

  bool has_work() const {
    return !queue_.empty();
  }

  /// Runs a group of the waiting jobs, or fails as the dice say.
  void turn();

  /// The node died: its queue is gone. With `written`, the last group had reached the disk before.
  void crash(bool written);

  /// Share of appends that are refused, or whose outcome is unknown; in percent.
  std::uint64_t refuse_percent = 0;
  std::uint64_t unknown_percent = 0;
  /// How the next append goes wrong: "full", "unavailable" or "unknown"; then it is called with the
  /// session.
  std::string next_append;
  std::function<void(const std::string& session)> on_next_append;

  /// An append of this session waits.
  [[nodiscard]] bool has_append(const std::string& session) const;

private:
  bool goes_wrong(store_job& job);

  store_writer& disk_;
  lab_loop& where_;
  dice& chance_;
  std::deque<store_job> queue_;
  bool dead_ = false;
};

} // namespace sidevoice::lab
