#pragma once

#include "persistence/store.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// Events, jobs and folders for the tests of this room.
namespace sidevoice::samples {

using random_engine = std::mt19937_64;

/// A number below `bound`.
inline std::uint64_t below(random_engine& random, std::uint64_t bound) {
  return random() % bound;
}

template <class T>
event_ptr make_event(std::uint64_t seq, T body) {
  return std::make_shared<const event>(
    event{.seq = seq, .at = static_cast<std::int64_t>(1000 + seq), .body = std::move(body)});
}

inline item user_message(std::string id, std::string text) {
  return {.id = std::move(id), .text = std::move(text)};
}

/// `count` messages, numbered from head + 1; their texts carry `mark`.
inline std::vector<event_ptr> messages(std::uint64_t head, std::size_t count,
                                       const std::string& mark = "") {
  std::vector<event_ptr> events;
  for (std::size_t i = 1; i <= count; ++i) {
    const auto name = mark + std::to_string(head + i);
    events.push_back(make_event(
      head + i, item_put{.rank = name, .value = user_message("item_" + name, "text " + name)}));
  }
  return events;
}

/// One body of each type, with every field set to something else than its default.
std::vector<event_body> one_of_each();

/// A journal of `length` events that a careless owner might write: repeated and unknown ids, events
/// out of place, removed items put again.
std::vector<event_ptr> random_journal(random_engine& random, std::size_t length);

/// Turns a writer by hand with a single job.
template <class Job>
result<typename answer_of<Job>::type> ask(store_writer& writer, Job job) {
  std::optional<result<typename answer_of<Job>::type>> answer;
  std::vector<store_job> jobs;
  jobs.emplace_back(
    store_task<Job>{std::move(job), [&answer](auto given) { answer.emplace(std::move(given)); }});
  for (const auto& done : writer.run(std::move(jobs)))
    done();
  return answer.value();
}

inline result<claimed> claim(store_writer& writer, const session_key& key,
                             const std::string& node = "node_a") {
  return ask(
    writer,
    claim_session{
      .key = key, .node = node, .at = 500, .create = true, .user = "ann", .release = "sha256:1"});
}

inline append_events append(const session_key& key, std::uint64_t epoch, std::uint64_t head,
                            std::vector<event_ptr> events, std::string id = "append") {
  return {.key = key,
          .epoch = epoch,
          .head = head,
          .append_id = std::move(id),
          .events = std::move(events)};
}

/// A server key of the app "moving"; its hash is made from its id.
key_row sample_server_key(const std::string& id);

/// A folder that goes with the object.
class temporary_folder {
public:
  temporary_folder() {
    auto name = (std::filesystem::temp_directory_path() / "sidevoice-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

} // namespace sidevoice::samples
