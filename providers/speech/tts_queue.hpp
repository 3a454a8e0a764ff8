#pragma once

#include "config/fair_line.hpp"
#include "config/loop.hpp"
#include "providers/speech/speakable_text.hpp"
#include "providers/speech/speaker.hpp"
#include "providers/tts.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

namespace sidevoice {

/// A request under way, shared by its stream, the queue and the worker that has it. Any thread.
class speech_request : public std::enable_shared_from_this<speech_request> {
public:
  speech_request(loop& where, tts_sink sink, speakable_text text, std::string voice, double speed);
  speech_request(const speech_request&) = delete;
  speech_request& operator=(const speech_request&) = delete;

  [[nodiscard]] bool is_wanted() const {
    return is_wanted_;
  }
  [[nodiscard]] bool has_words() const {
    return text_.has_words();
  }
  [[nodiscard]] spoken_text what() const {
    return {text_.text, voice_, speed_};
  }

  /// Fails with "deadline" once `limit` has passed from now, unless over by then.
  void allow(loop::clock::duration limit);
  void cancel();

  /// The worker's: sound and marks on their way to the loop. False: nobody listens.
  bool sound(samples_view piece, std::uint32_t rate);
  void mark(std::size_t text_end, std::uint32_t at_ms);
  /// What is left of the sound, then the end.
  void done();
  void fail(error why);

private:
  void send_sound();
  void tell(tts_event event);
  void tell_end(tts_event event);

  loop& where_;
  const tts_sink sink_;
  const speakable_text text_;
  const std::string voice_;
  const double speed_;
  std::atomic<bool> is_wanted_{true};
  std::mutex mutex_;
  std::unique_ptr<timer> limit_;
  /// The worker's alone.
  samples gathered_;
  std::uint32_t rate_ = 0;
  bool has_sent_ = false;
};

using speech_request_ptr = std::shared_ptr<speech_request>;

/// Requests of each app in their order, the apps by turns. Any thread.
class tts_queue {
public:
  /// `max`: of one app.
  explicit tts_queue(std::size_t max) : waiting_(max) {}

  /// False: the app's part is full.
  bool add(const std::string& app, const speech_request_ptr& one);
  /// Waits for the next one that is wanted; null: closed.
  speech_request_ptr take();
  [[nodiscard]] bool is_closed() const {
    return is_closed_;
  }
  void close();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  fair_line<speech_request_ptr> waiting_;
  std::atomic<bool> is_closed_{false};
};

} // namespace sidevoice
