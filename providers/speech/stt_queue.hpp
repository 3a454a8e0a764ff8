#pragma once

#include "config/fair_line.hpp"
#include "providers/speech/utterance.hpp"

#include <condition_variable>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace sidevoice {

/// Who is listened to next: ended utterances, then guesses at open ones; each app's in their order,
/// the apps by turns. Any thread.
class stt_queue {
public:
  struct work {
    utterance_ptr what;
    /// It is still open: say what is there so far, unless `is_hurried`.
    bool is_guess = false;
  };

  /// `ended_max`: of one app.
  explicit stt_queue(std::size_t ended_max) : ended_(ended_max) {}

  /// False: the app's part is full.
  bool add_ended(const std::string& app, const utterance_ptr& one);
  void add_guess(const std::string& app, const utterance_ptr& one);

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
  std::mutex mutex_;
  std::condition_variable changed_;
  fair_line<utterance_ptr> ended_;
  /// Bounded by the streams there are: one guess for each.
  fair_line<std::weak_ptr<utterance>> guesses_{std::numeric_limits<std::size_t>::max()};
  std::size_t waiting_ = 0;
  std::atomic<bool> is_hurried_{false};
  std::atomic<bool> is_closed_{false};
};

} // namespace sidevoice
