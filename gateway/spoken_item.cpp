#include "gateway/spoken_item.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// A client that reports has reported by then; else the clock counts, so that every answer ends.
constexpr milliseconds report_due{1000};

spoken_item::span length_of(std::uint64_t count, std::uint32_t rate) {
  return spoken_item::span{static_cast<std::int64_t>(count * 1'000'000'000 / rate)};
}

voice_output_settings usable(voice_output_settings settings) {
  settings.rate = std::max(settings.rate, 1U);
  settings.frame = std::max(settings.frame, milliseconds{1});
  return settings;
}

} // namespace

spoken_item::spoken_item(std::string item_id, voice_output_settings settings)
    : id{std::move(item_id)},
      terms{usable(settings)} {}

bool spoken_item::add(const speech_sound& piece) {
  if (piece.attempt < attempt)
    return false;
  response = piece.response;
  attempt = piece.attempt;
  if (piece.piece.data != nullptr && piece.piece.rate > 0)
    convert_in(piece.piece);
  text_end = std::max(text_end, piece.text_end);
  marks.add(std::max(piece.text_end, piece.text_near), added_);
  is_whole = piece.last;
  return true;
}

void spoken_item::convert_in(const sound& piece) {
  if (!convert_ || rate_in_ != piece.rate) {
    rate_in_ = piece.rate;
    convert_.emplace(piece.rate, terms.rate);
  }
  samples converted;
  convert_->push(*piece.data, converted);
  waiting.append(converted);
  added_ += converted.size();
}

std::size_t spoken_item::frame_size() const {
  return std::max<std::size_t>(static_cast<std::size_t>(terms.frame.count()) * terms.rate / 1000,
                               1);
}

std::optional<spoken_item::span> spoken_item::next_length() const {
  const auto whole = frame_size();
  if (is_out || (waiting.size() < whole && !is_whole))
    return std::nullopt;
  return length_of(std::min(waiting.size(), whole), terms.rate);
}

sound_frame spoken_item::take_frame(time now) {
  sound_frame frame;
  frame.response = response;
  frame.attempt = attempt;
  frame.item = id;
  frame.from_ms = sent_ms();
  frame.data = waiting.take(frame_size());
  frame.first = !is_begun;
  frame.last = is_whole && waiting.empty();
  sent_ += frame.data.size();
  if (frame.first)
    told.at = now;
  is_begun = true;
  is_out = frame.last;
  return frame;
}

void spoken_item::drop_waiting() {
  waiting.clear();
  added_ = sent_;
  marks.cut(sent_);
  text_end = std::min(text_end, marks.text_end());
  convert_.reset();
  is_whole = is_out;
}

void spoken_item::revive() {
  if (is_begun)
    finish_playing();
}

void spoken_item::pass(span clock, span all) {
  clocked_ = std::min(clocked_ + clock, sent());
  if (!terms.reports)
    return;
  if (has_reports_) {
    reported_ = std::min(reported_ + all, sent());
    return;
  }
  unreported_ += all;
  if (unreported_ >= report_due) {
    has_reports_ = true;
    reported_ = clocked_;
  }
}

bool spoken_item::report(std::uint32_t ms) {
  const span at = milliseconds{ms};
  // A client may round its last millisecond up.
  if (!terms.reports || !is_begun || at >= sent() + milliseconds{1})
    return false;
  if (ms == 0 && !has_reports_)
    return true;
  has_reports_ = true;
  reported_ = std::min(at, sent());
  return true;
}

void spoken_item::finish_playing() {
  clocked_ = sent();
  reported_ = sent();
  has_reports_ = true;
}

spoken_item::span spoken_item::sent() const {
  return length_of(sent_, terms.rate);
}

spoken_item::span spoken_item::clocked() const {
  return clocked_;
}

spoken_item::span spoken_item::played(span more) const {
  if (!terms.reports)
    return std::min(clocked_ + more, sent());
  return has_reports_ ? std::min(reported_ + more, sent()) : span{0};
}

bool spoken_item::is_finished() const {
  return is_out && played() >= sent();
}

std::optional<spoken_item::time> spoken_item::next_change(time now) const {
  if (terms.reports && !has_reports_)
    return now + (report_due - unreported_);
  const auto left = sent() - played();
  if (left <= span{0})
    return std::nullopt;
  return now + left;
}

std::uint32_t spoken_item::sent_ms() const {
  return static_cast<std::uint32_t>(sound_ms(sent_, terms.rate));
}

std::size_t spoken_item::text_at(std::uint32_t ms) const {
  // Of a millisecond that was rounded down, all of its sound.
  const auto at = ms >= sent_ms() && waiting.empty() ? sent_
                                                     : std::uint64_t{ms} * terms.rate / 1000;
  return ms == 0 ? 0 : marks.text_at(at);
}

playout_point spoken_item::point(span more) const {
  playout_point out;
  out.item = id;
  out.sent_ms = sent_ms();
  const auto heard = played(more);
  out.played_ms = static_cast<std::uint32_t>(duration_cast<milliseconds>(heard).count());
  out.heard_text = text_at(out.played_ms);
  out.audible = heard < sent();
  return out;
}

} // namespace sidevoice
