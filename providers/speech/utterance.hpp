#pragma once

#include "config/loop.hpp"
#include "providers/stt.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace sidevoice {

/// Where the events of a stream go: the sink, until the stream is gone.
struct stt_link {
  stt_link(loop& on, stt_sink to) : where(on), sink(std::move(to)) {}

  loop& where;
  stt_sink sink;
  std::atomic<bool> is_open{true};
};

/// An utterance, shared by its stream, the queue and the worker that has it. Any thread.
class utterance : public std::enable_shared_from_this<utterance> {
public:
  utterance(std::string id, std::shared_ptr<stt_link> to);
  utterance(const utterance&) = delete;
  utterance& operator=(const utterance&) = delete;

  [[nodiscard]] const std::string& id() const {
    return id_;
  }

  /// Whether somebody waits for its words.
  [[nodiscard]] bool is_wanted() const {
    return is_wanted_ && to_->is_open;
  }

  [[nodiscard]] bool is_ended() const {
    return is_ended_;
  }

  /// True when a second more than at the last guess is there: somebody may guess.
  bool push(samples_view more);
  /// Takes no more sound, tells no more guesses.
  void end();
  /// Tells nothing any more.
  void cancel();

  /// A copy of what is there, for a guess.
  samples so_far();
  /// All of it, moved out.
  samples take();

  /// Fails with "deadline" once `limit` has passed from now, unless told by then; in place of the
  /// former limit.
  void allow(loop::clock::duration limit);

  /// Posts to the loop; the first end of the utterance counts.
  void tell_partial(std::string text);
  void tell_final(std::string text);
  void fail(error why);

private:
  void tell_end(stt_event event);

  const std::string id_;
  const std::shared_ptr<stt_link> to_;
  std::atomic<bool> is_wanted_{true};
  std::atomic<bool> is_ended_{false};
  std::mutex mutex_;
  samples sound_;
  std::size_t heard_ = 0;
  std::size_t guessed_at_ = 0;
  std::unique_ptr<timer> limit_;
};

using utterance_ptr = std::shared_ptr<utterance>;

} // namespace sidevoice
