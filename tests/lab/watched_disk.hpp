#pragma once

#include "persistence/store.hpp"
#include "tests/lab/lab_client.hpp"

#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace sidevoice::lab {

/// A store that is looked into after each group of jobs, whatever it has answered. Remembers of
/// each session up to where an append was answered with success: that may have been told to
/// somebody.
class watched_disk final : public store_writer {
public:
  using look = std::function<void(const session_key&)>;

  watched_disk(std::unique_ptr<store_writer> inner, look on_append, report_violation report)
      : inner_{std::move(inner)},
        on_append_{std::move(on_append)},
        report_{std::move(report)} {}

  std::vector<store_completion> run(std::vector<store_job> jobs) override {
    std::vector<session_key> touched;
    for (auto& job : jobs) {
      if (auto* claim = std::get_if<store_task<claim_session>>(&job))
        watch(*claim);
      auto* append = std::get_if<store_task<append_events>>(&job);
      if (append == nullptr)
        continue;
      touched.push_back(append->job.key);
      // One writer: whoever claims it fences all before.
      append->done = [this, key = append->job.key, epoch = append->job.epoch,
                      newest = claims_[append->job.key],
                      done = std::move(append->done)](result<appended> answer) {
        if (answer && epoch < newest)
          report_(key.id + " was written by its owner of epoch " + std::to_string(epoch)
                  + " when it had one of epoch " + std::to_string(newest));
        if (answer)
          told_[key] = std::max(told_[key], answer->head);
        if (done)
          done(std::move(answer));
      };
    }
    auto completions = inner_->run(std::move(jobs));
    for (const auto& key : touched)
      on_append_(key);
    return completions;
  }

  [[nodiscard]] std::string incarnation() const override {
    return inner_->incarnation();
  }

  [[nodiscard]] std::uint64_t told(const session_key& key) const {
    const auto known = told_.find(key);
    return known == told_.end() ? 0 : known->second;
  }

  /// A session's events after number `after`, past the watch. Nothing while the disk is gone.
  [[nodiscard]] std::optional<std::vector<event_ptr>> read(const session_key& key,
                                                           std::uint64_t after) {
    std::optional<std::vector<event_ptr>> all;
    std::vector<store_job> jobs;
    jobs.emplace_back(
      store_task<read_events>{{key, after, 100'000}, [&](const result<events_page>& page) {
                                if (page)
                                  all = page->events;
                              }});
    for (auto& done : inner_->run(std::move(jobs)))
      done();
    return all;
  }

private:
  void watch(store_task<claim_session>& claim) {
    claim.done = [this, key = claim.job.key, done = std::move(claim.done)](result<claimed> answer) {
      if (answer)
        claims_[key] = std::max(claims_[key], answer->row.epoch);
      if (done)
        done(std::move(answer));
    };
  }

  std::unique_ptr<store_writer> inner_;
  look on_append_;
  report_violation report_;
  /// The newest epoch that somebody knows to have.
  std::map<session_key, std::uint64_t> claims_;
  std::map<session_key, std::uint64_t> told_;
};

} // namespace sidevoice::lab
