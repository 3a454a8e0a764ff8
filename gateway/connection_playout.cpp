#include "gateway/connection_voice.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

/// A connection's sound out: paced, held, dropped, accounted for.
namespace sidevoice {

namespace {

/// A client counts what it has received in its own way: so much more than was sent is no lie.
constexpr std::uint32_t rounding_ms = 20;
/// Sound whose response this client has not heard of yet.
constexpr std::size_t ahead_max = 64;

} // namespace

void connection_voice::on(const speech_sound& piece) {
  if (is_off() || wish_ == wish::none || !out_)
    return;
  if (team_ && is_outdated(team_->tts))
    return count(counter::sound_frames_dropped);
  const auto known = started_.find(piece.response);
  // The tts may be faster than the session's news.
  if (!piece.response.empty() && (known == started_.end() || known->second != piece.item)) {
    if (ahead_.size() >= ahead_max) {
      ahead_.pop_front();
      count(counter::sound_frames_dropped);
    }
    ahead_.push_back(piece);
    return;
  }
  add(piece);
  pump();
}

void connection_voice::add(const speech_sound& piece) {
  open_item_ = piece.last ? std::string{} : piece.item;
  out_->add(piece);
}

void connection_voice::hold(const std::string& item, bool held) {
  if (is_off() || !out_ || (held ? held_ == item : held_.empty()))
    return;
  const auto now = parts_->clock->now();
  if (!held)
    out_->release(item, now);
  else if (out_->hold(item, now); !out_->is_held())
    return;
  held_ = held ? item : std::string{};
  perform(parts_->codec->on_held(item, held));
}

/// Nobody says more of this item. What is here of it still goes out; whatever comes next would wait
/// for its end for ever.
void connection_voice::close_sound(const std::string& item) {
  if (is_off() || !out_ || item.empty())
    return;
  out_->close(item);
  if (open_item_ == item)
    open_item_.clear();
  pump();
}

/// Nothing more of this item is sent.
void connection_voice::end_sound(const std::string& item) {
  if (is_off() || !out_)
    return;
  out_->drop(item);
  std::erase_if(ahead_, [&](const auto& piece) { return piece.item == item; });
  const bool was_held = held_ == item;
  if (was_held) {
    out_->release(item, parts_->clock->now());
    held_.clear();
  }
  if (open_item_ == item)
    open_item_.clear();
  perform(parts_->codec->on_sound({.item = item, .last = true}));
  if (was_held)
    release_dropped(item);
  pump();
}

/// The client pauses still. A cancelled end of the response makes it flush; where none can come
/// any more, such as after a greeting, it is told to go on.
void connection_voice::release_dropped(const std::string& item) {
  const bool has_end = std::any_of(started_.begin(), started_.end(),
                                   [&](const auto& known) { return known.second == item; });
  paused_ = has_end ? item : std::string{};
  if (!has_end && !is_off())
    perform(parts_->codec->on_held(item, false));
}

void connection_voice::on(const playout_order& order) {
  if (is_off() || !out_ || (team_ && is_outdated(team_->audio)))
    return;
  switch (order.what) {
    case playout_command::hold:
      hold(order.item, true);
      break;
    case playout_command::release:
      if (held_ == order.item)
        hold(order.item, false);
      break;
    case playout_command::drop:
      return end_sound(order.item);
  }
  pump();
}

void connection_voice::played(const client_played& what) {
  if (is_off() || !out_)
    return;
  out_->played(what.item, what.ms, parts_->clock->now());
  pump();
}

void connection_voice::truncate(const truncate_item& wish_for) {
  if (is_off())
    return;
  hear_item heard{wish_for.item, wish_for.ms, std::nullopt};
  if (const auto sent = out_ ? out_->sent_ms(wish_for.item) : std::nullopt) {
    if (wish_for.ms > *sent + rounding_ms)
      return perform(parts_->codec->on_refused(
        wish_for.token, {errc::invalid,
                         "Only " + std::to_string(*sent)
                           + " ms of this item's sound were sent; name a position within them.",
                         "audio_end_ms", "not_sent"}));
    heard.ms = std::min(heard.ms, *sent);
    heard.text_end = out_->text_at(wish_for.item, heard.ms);
  }
  can_.send({wish_for.token, std::move(heard)});
}

void connection_voice::report(const playout_report& what) {
  if (team_ && team_->audio)
    self_->send(team_->audio, what);
  if (session_ && seat_ != 0)
    self_->send(session_, what);
}

/// Sends what is due, and plans the next time.
void connection_voice::pump() {
  if (is_off() || !out_)
    return;
  auto due = out_->tick(parts_->clock->now());
  for (const auto& frame : due.frames) {
    if (is_off())
      return;
    auto actions = parts_->codec->on_sound(frame);
    if (!frame.data.empty())
      count(actions.empty() ? counter::sound_frames_dropped : counter::sound_frames_out);
    perform(std::move(actions));
  }
  if (is_off() || !out_)
    return;
  // It was played to its end meanwhile.
  if (!held_.empty() && !out_->is_held())
    perform(parts_->codec->on_held(std::exchange(held_, {}), false));
  if (is_off() || !out_)
    return;
  for (const auto& one : due.reports)
    report(one);
  if (due.wants_more && team_ && team_->tts && !open_item_.empty())
    self_->send(team_->tts, want_speech{});
  if (due.next)
    wake_at(*due.next);
}

/// One message is under way at a time; an earlier one makes it void.
void connection_voice::wake_at(time when) {
  if (due_at_ && *due_at_ <= when)
    return;
  due_at_ = when;
  const auto left = std::max(loop::clock::duration::zero(), when - parts_->clock->now());
  self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(left), sound_due{++due_});
}

void connection_voice::on(const sound_due& due) {
  if (is_off() || due.number != due_)
    return;
  due_at_.reset();
  pump();
}

} // namespace sidevoice
