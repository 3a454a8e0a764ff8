#include "config/fair_line.hpp"
#include "config/fault_point.hpp"
#include "persistence/append_rules.hpp"
#include "persistence/stores.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sidevoice {

namespace {

void count_append(counters& count, const result<appended>& answer) {
  if (answer)
    count.add(counter::store_appends);
  else if (answer.error().code == errc::conflict)
    count.add(counter::store_conflicts);
  else
    count.add(counter::store_refused);
}

template <class Job>
bool has(const std::vector<store_job>& group) {
  return std::any_of(group.begin(), group.end(), [](const store_job& job) {
    return std::holds_alternative<store_task<Job>>(job);
  });
}

/// What a group has in flight when a chaos test kills the process before it, or behind it.
struct kinds_of_group {
  bool appends;
  bool claims;
  bool snapshots;
  bool releases;

  explicit kinds_of_group(const std::vector<store_job>& group)
      : appends(has<append_events>(group)),
        claims(has<claim_session>(group)),
        snapshots(has<put_snapshot>(group)),
        releases(has<put_release>(group)) {}

  void before() const {
    if (appends)
      fault_point("append.before");
    if (claims)
      fault_point("claim.before");
    if (snapshots)
      fault_point("snapshot.before");
    if (releases)
      fault_point("release.before");
  }

  void after() const {
    if (appends)
      fault_point("append.after");
    if (claims)
      fault_point("claim.after");
    if (snapshots)
      fault_point("snapshot.after");
    if (releases)
      fault_point("release.after");
  }
};

/// Whose session, key or release it is about; empty: of all apps.
const std::string& app_of(const store_job& job) {
  return std::visit(
    [](const auto& task) -> const std::string& {
      if constexpr (requires { task.job.key.app; })
        return task.job.key.app;
      else
        return task.job.app;
    },
    job);
}

class threaded_store final : public store {
public:
  threaded_store(std::unique_ptr<store_writer> writer, loop& where, counters& count,
                 threaded_store_options options)
      : writer_(std::move(writer)),
        incarnation_(writer_->incarnation()),
        loop_(where),
        count_(count),
        options_(options),
        waiting_(options.queue_max - options.queue_max / 8),
        thread_([this] { run(); }) {}

  threaded_store(const threaded_store&) = delete;
  threaded_store& operator=(const threaded_store&) = delete;

  ~threaded_store() override {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
  }

  void submit(store_job job) override {
    if (auto* append = std::get_if<store_task<append_events>>(&job))
      append->done = [&count = count_, done = std::move(append->done)](result<appended> answer) {
        count_append(count, answer);
        if (done)
          done(std::move(answer));
      };
    {
      const std::lock_guard lock{mutex_};
      const auto app = app_of(job);
      if (!stopping_ && waiting_.size() < options_.queue_max
          && waiting_.push(app, std::move(job))) {
        arrived_.notify_one();
        return;
      }
    }
    refuse(std::move(job));
  }

  [[nodiscard]] std::string incarnation() const override {
    return incarnation_;
  }

private:
  void refuse(store_job job) {
    const error why{.code = errc::overloaded,
                    .detail = "too many jobs wait for the store; try again in a moment"};
    std::visit([&](auto& task) { loop_.post(completion(std::move(task), why)); }, job);
  }

  /// All that waits, up to one group's size, the apps by turns: behind a flood of another app's
  /// appends one waits for a group or two, not for all of them. Empty once the store stops.
  std::vector<store_job> next_group() {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    std::vector<store_job> group;
    group.reserve(std::min(waiting_.size(), options_.group_max));
    while (group.size() < options_.group_max && !waiting_.empty())
      group.push_back(std::move(*waiting_.pop()));
    return group;
  }

  void run() {
    for (auto group = next_group(); !group.empty(); group = next_group()) {
      const kinds_of_group kinds{group};
      if (kinds.appends)
        count_.add(counter::store_groups);
      kinds.before();
      auto completions = writer_->run(std::move(group));
      kinds.after();
      loop_.post([completions = std::move(completions)] {
        for (const auto& done : completions)
          done();
      });
    }
  }

  const std::unique_ptr<store_writer> writer_;
  const std::string incarnation_;
  loop& loop_;
  counters& count_;
  const threaded_store_options options_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  /// Some room is left for apps that do not flood it.
  fair_line<store_job> waiting_;
  bool stopping_ = false;

  /// Last, since it uses all of the above.
  std::thread thread_;
};

} // namespace

std::unique_ptr<store> make_threaded_store(std::unique_ptr<store_writer> writer, loop& where,
                                           counters& count, threaded_store_options options) {
  return std::make_unique<threaded_store>(std::move(writer), where, count, options);
}

} // namespace sidevoice
