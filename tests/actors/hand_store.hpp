#pragma once

#include "persistence/stores.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// A store that a test turns by hand, one group at a time.
class hand_store final : public store {
public:
  void submit(store_job job) override {
    waiting.push_back(std::move(job));
  }

  std::string incarnation() const override {
    return disk->incarnation();
  }

  /// Runs all that waits; appends are refused with `why` where it is given.
  void turn(std::optional<errc> why = std::nullopt) {
    auto jobs = std::exchange(waiting, {});
    std::vector<store_job> group;
    for (auto& job : jobs) {
      auto* append = std::get_if<store_task<append_events>>(&job);
      if (append != nullptr && why)
        append->done(error{*why, "the test's disk refuses"});
      else
        group.push_back(std::move(job));
    }
    for (auto& done : disk->run(std::move(group)))
      done();
  }

  std::unique_ptr<store_writer> disk = make_memory_store();
  std::vector<store_job> waiting;
};

} // namespace sidevoice
