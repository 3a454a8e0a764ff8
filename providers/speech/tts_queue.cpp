#include "providers/speech/tts_queue.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

speech_request::speech_request(loop& where, tts_sink sink, speakable_text text, std::string voice,
                               double speed)
    : where_(where),
      sink_(std::move(sink)),
      text_(std::move(text)),
      voice_(std::move(voice)),
      speed_(speed) {}

void speech_request::allow(loop::clock::duration limit) {
  auto later = where_.after(limit, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->is_wanted_.exchange(false))
      self->sink_(tts_failed{{errc::unavailable,
                              "the local voice took too long; more tts workers help",
                              {},
                              "deadline"}});
  });
  const std::lock_guard guard{mutex_};
  limit_.swap(later);
}

void speech_request::cancel() {
  is_wanted_ = false;
  // Its destructor may take the loop's locks: outside of ours.
  std::unique_ptr<timer> gone;
  const std::lock_guard guard{mutex_};
  gone = std::move(limit_);
}

bool speech_request::sound(samples_view piece, std::uint32_t rate) {
  rate_ = rate;
  gathered_.insert(gathered_.end(), piece.begin(), piece.end());
  if (!has_sent_ || gathered_.size() >= rate / 10)
    send_sound();
  return is_wanted_;
}

void speech_request::send_sound() {
  if (gathered_.empty())
    return;
  has_sent_ = true;
  tell(tts_sound{{std::make_shared<const samples>(std::exchange(gathered_, {})), rate_}});
}

void speech_request::mark(std::size_t text_end, std::uint32_t at_ms) {
  const auto& ends = text_.source_end;
  const auto last = std::min(text_end, ends.size());
  if (last > 0)
    tell(tts_mark{ends[last - 1], at_ms});
}

void speech_request::done() {
  send_sound();
  tell_end(tts_done{});
}

void speech_request::fail(error why) {
  tell_end(tts_failed{std::move(why)});
}

void speech_request::tell(tts_event event) {
  where_.post([self = shared_from_this(), event = std::move(event)]() mutable {
    if (self->is_wanted_)
      self->sink_(std::move(event));
  });
}

void speech_request::tell_end(tts_event event) {
  where_.post([self = shared_from_this(), event = std::move(event)]() mutable {
    if (self->is_wanted_.exchange(false))
      self->sink_(std::move(event));
  });
}

bool tts_queue::add(const std::string& app, const speech_request_ptr& one) {
  {
    const std::lock_guard guard{mutex_};
    if (is_closed_)
      return false;
    if (!waiting_.push(app, speech_request_ptr{one})) {
      waiting_.drop(app, [](const auto& w) { return !w->is_wanted(); });
      if (!waiting_.push(app, speech_request_ptr{one}))
        return false;
    }
  }
  changed_.notify_one();
  return true;
}

speech_request_ptr tts_queue::take() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
    if (is_closed_)
      return nullptr;
    auto next = waiting_.pop();
    if (next && (*next)->is_wanted())
      return std::move(*next);
  }
}

void tts_queue::close() {
  fair_line<speech_request_ptr> left{0};
  {
    const std::lock_guard guard{mutex_};
    is_closed_ = true;
    std::swap(left, waiting_);
  }
  changed_.notify_all();
}

} // namespace sidevoice
