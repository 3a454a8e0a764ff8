#include "providers/speech/stt_queue.hpp"

#include <utility>

namespace sidevoice {

bool stt_queue::add_ended(const std::string& app, const utterance_ptr& one) {
  {
    const std::lock_guard guard{mutex_};
    if (is_closed_)
      return false;
    if (!ended_.push(app, utterance_ptr{one})) {
      ended_.drop(app, [](const utterance_ptr& e) { return !e->is_wanted(); });
      if (!ended_.push(app, utterance_ptr{one}))
        return false;
    }
    is_hurried_ = ended_.size() > waiting_;
  }
  changed_.notify_one();
  return true;
}

void stt_queue::add_guess(const std::string& app, const utterance_ptr& one) {
  {
    const std::lock_guard guard{mutex_};
    // Asked for again before its turn came: the guess will have the newer sound as well.
    if (guesses_.any_of(app, [&](const auto& g) { return g.lock() == one; })
        || !guesses_.push(app, std::weak_ptr<utterance>{one}))
      return;
  }
  changed_.notify_one();
}

std::optional<stt_queue::work> stt_queue::take() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ++waiting_;
    changed_.wait(lock, [this] { return is_closed_ || !ended_.empty() || !guesses_.empty(); });
    --waiting_;
    if (is_closed_)
      return std::nullopt;
    if (auto next = ended_.pop()) {
      is_hurried_ = ended_.size() > waiting_;
      if ((*next)->is_wanted())
        return work{std::move(*next), false};
      continue;
    }
    auto one = guesses_.pop()->lock();
    if (one != nullptr && one->is_wanted() && !one->is_ended())
      return work{std::move(one), true};
  }
}

void stt_queue::close() {
  fair_line<utterance_ptr> left{0};
  {
    const std::lock_guard guard{mutex_};
    is_closed_ = true;
    std::swap(left, ended_);
    while (guesses_.pop()) {}
  }
  changed_.notify_all();
}

} // namespace sidevoice
