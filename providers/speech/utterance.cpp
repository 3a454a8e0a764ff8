#include "providers/speech/utterance.hpp"

#include "providers/speech/utterance_sound.hpp"

#include <utility>

namespace sidevoice {

utterance::utterance(std::string id, std::shared_ptr<stt_link> to)
    : id_(std::move(id)),
      to_(std::move(to)) {}

bool utterance::push(samples_view more) {
  const std::lock_guard guard{mutex_};
  keep_newest(sound_, more);
  heard_ += more.size();
  if (heard_ < guessed_at_ + speech_rate)
    return false;
  guessed_at_ = heard_;
  return true;
}

void utterance::end() {
  is_ended_ = true;
}

void utterance::cancel() {
  is_wanted_ = false;
  // Its destructor may take the loop's locks: outside of ours.
  std::unique_ptr<timer> gone;
  samples sound;
  const std::lock_guard guard{mutex_};
  gone = std::move(limit_);
  sound.swap(sound_);
}

samples utterance::so_far() {
  const std::lock_guard guard{mutex_};
  const auto newest = newest_minute(sound_);
  return {newest.begin(), newest.end()};
}

samples utterance::take() {
  const std::lock_guard guard{mutex_};
  return std::exchange(sound_, {});
}

void utterance::allow(loop::clock::duration limit) {
  auto later = to_->where.after(limit, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || !self->is_wanted_.exchange(false) || !self->to_->is_open)
      return;
    self->to_->sink(stt_failed{self->id_,
                               {errc::unavailable,
                                "the local recogniser took too long; more stt workers help",
                                {},
                                "deadline"}});
  });
  const std::lock_guard guard{mutex_};
  limit_.swap(later);
}

void utterance::tell_partial(std::string text) {
  to_->where.post([self = shared_from_this(), text = std::move(text)]() mutable {
    if (self->is_wanted() && !self->is_ended_)
      self->to_->sink(stt_partial{self->id_, std::move(text)});
  });
}

void utterance::tell_final(std::string text) {
  tell_end(stt_final{id_, std::move(text)});
}

void utterance::fail(error why) {
  tell_end(stt_failed{id_, std::move(why)});
}

void utterance::tell_end(stt_event event) {
  to_->where.post([self = shared_from_this(), event = std::move(event)]() mutable {
    if (self->is_wanted_.exchange(false) && self->to_->is_open)
      self->to_->sink(std::move(event));
  });
}

} // namespace sidevoice
