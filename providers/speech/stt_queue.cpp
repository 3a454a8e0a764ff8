#include "providers/speech/stt_queue.hpp"

#include <utility>

namespace sidevoice {

bool stt_queue::add_ended(const utterance_ptr& one) {
  {
    const std::lock_guard guard{mutex_};
    if (ended_.size() >= ended_max_)
      std::erase_if(ended_, [](const utterance_ptr& e) { return !e->is_wanted(); });
    if (ended_.size() >= ended_max_ || is_closed_)
      return false;
    ended_.push_back(one);
    is_hurried_ = ended_.size() > waiting_;
  }
  changed_.notify_one();
  return true;
}

void stt_queue::add_guess(const utterance_ptr& one) {
  {
    const std::lock_guard guard{mutex_};
    // Asked for again before its turn came: the guess will have the newer sound as well.
    for (const auto& g : guesses_)
      if (g.lock() == one)
        return;
    guesses_.push_back(one);
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
    if (!ended_.empty()) {
      auto one = std::move(ended_.front());
      ended_.pop_front();
      is_hurried_ = ended_.size() > waiting_;
      if (one->is_wanted())
        return work{std::move(one), false};
      continue;
    }
    auto one = guesses_.front().lock();
    guesses_.pop_front();
    if (one != nullptr && one->is_wanted() && !one->is_ended())
      return work{std::move(one), true};
  }
}

void stt_queue::close() {
  std::deque<utterance_ptr> left;
  {
    const std::lock_guard guard{mutex_};
    is_closed_ = true;
    left.swap(ended_);
    guesses_.clear();
  }
  changed_.notify_all();
}

} // namespace sidevoice
