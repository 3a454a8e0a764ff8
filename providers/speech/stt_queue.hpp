#pragma once

#include "providers/speech/utterance.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace sidevoice {

/// Who is listened to next: ended utterances in their order, then guesses at open ones. Any thread.
class stt_queue {
public:
  struct work {
    utterance_ptr what;
    /// It is still open: say what is there so far, unless `is_hurried`.
    bool is_guess = false;
  };

  explicit stt_queue(std::size_t ended_max) : ended_max_(ended_max) {}

  /// False: full.
  bool add_ended(const utterance_ptr& one);
  void add_guess(const utterance_ptr& one);

  /// Waits for work; nothing: closed. A guess whose utterance is gone or ended is passed over.
  std::optional<work> take();

  /// No worker is free for an ended utterance: guesses give way.
  [[nodiscard]] bool is_hurried() const {
    return is_hurried_;
  }

  [[nodiscard]] bool is_closed() const {
    return is_closed_;
  }

  /// Wakes everybody; nothing is taken any more.
  void close();

private:
  const std::size_t ended_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<utterance_ptr> ended_;
  std::deque<std::weak_ptr<utterance>> guesses_;
  std::size_t waiting_ = 0;
  std::atomic<bool> is_hurried_{false};
  std::atomic<bool> is_closed_{false};
};

} // namespace sidevoice
