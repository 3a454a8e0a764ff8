#include "config/fault_point.hpp"
#include "persistence/append_rules.hpp"
#include "persistence/stores.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
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

bool is_append(const store_job& job) {
  return std::holds_alternative<store_task<append_events>>(job);
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
      if (!stopping_ && waiting_.size() < options_.queue_max) {
        waiting_.push_back(std::move(job));
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

  /// All that waits, up to one group's size; empty once the store stops.
  std::vector<store_job> next_group() {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), options_.group_max));
    const auto end = waiting_.begin() + count;
    std::vector<store_job> group{std::make_move_iterator(waiting_.begin()),
                                 std::make_move_iterator(end)};
    waiting_.erase(waiting_.begin(), end);
    return group;
  }

  void run() {
    for (auto group = next_group(); !group.empty(); group = next_group()) {
      const auto writes = std::any_of(group.begin(), group.end(), is_append);
      if (writes) {
        count_.add(counter::store_groups);
        fault_point("append.before");
      }
      auto completions = writer_->run(std::move(group));
      if (writes)
        fault_point("append.after");
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
  std::deque<store_job> waiting_;
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
