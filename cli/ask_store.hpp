#pragma once

#include "persistence/store.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace sidevoice::cli {

/// Runs one job and waits for its answer.
template <class Job>
result<typename answer_of<Job>::type> ask(store_writer& store, Job job) {
  std::optional<result<typename answer_of<Job>::type>> answer;
  std::vector<store_job> jobs;
  jobs.emplace_back(
    store_task<Job>{std::move(job), [&](auto given) { answer = std::move(given); }});
  for (auto& done : store.run(std::move(jobs)))
    done();
  return answer ? std::move(*answer) : error{errc::unavailable, "the store gave no answer"};
}

} // namespace sidevoice::cli
