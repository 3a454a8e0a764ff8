#include "gateway/connection_voice.hpp"

#include <algorithm>
#include <utility>

/// A connection's sound in: the way to stt and audio, and what becomes of it.
namespace sidevoice {

namespace {

/// Sound between two acknowledgements.
constexpr std::uint64_t acknowledge_every_ms = 500;
constexpr std::size_t started_max = 64;
constexpr std::size_t streams_max = 16;
/// From a client's commit to its event in the journal.
constexpr std::chrono::seconds commit_deadline{10};

} // namespace

// -- in

void connection_voice::take(sound_in in) {
  if (is_off())
    return;
  if (is_streaming_)
    input(in_->push(in.data, in.rate));
  else if (wish_ != wish::none)
    keep_early(std::move(in));
  else
    count(counter::sound_in_dropped_ms, sound_ms(in.data.size(), in.rate));
}

void connection_voice::commit(const commit_sound& wish_for) {
  if (is_off())
    return;
  if (!is_streaming_ && wish_ != wish::none)
    return keep_early(wish_for);
  voice_input::steps steps;
  const bool enough = is_streaming_ && in_->commit(steps);
  input(std::move(steps));
  if (!enough && !is_off())
    perform(parts_->codec->on_commit_refused(wish_for.event_id));
}

void connection_voice::clear() {
  if (is_off())
    return;
  if (!is_streaming_ && wish_ != wish::none)
    return keep_early(clear_sound{});
  if (is_streaming_)
    input(in_->clear());
  if (!is_off())
    perform(parts_->codec->on_cleared());
}

/// `settled`: an utterance was just settled, which is said at once.
void connection_voice::input(voice_input::steps steps, bool settled) {
  for (auto& one : steps) {
    // An answer of the codec's may have ended the connection, or given the seat back.
    if (is_off() || !in_)
      return;
    if (auto* edge = std::get_if<speech_edge>(&one))
      step(*edge);
    else if (const auto* upto = std::get_if<sound_settled>(&one))
      acknowledge(upto->to_ms, settled);
    else if (const auto* probe = std::get_if<speech_probe>(&one); probe != nullptr && watch_)
      perform(parts_->codec->on_probe(*probe));
    else
      feed(one);
  }
}

/// An engine hears nothing before somebody is there who takes its words: they would be lost, and
/// their speech waited for in vain. `feed_again` makes up for it.
void connection_voice::feed(const input_step& one) {
  if (!feed_ || !team_)
    return;
  auto& engine = *feed_->stream;
  if (const auto* begin = std::get_if<feed_begin>(&one))
    engine.begin(begin->utterance);
  else if (const auto* sound = std::get_if<feed_sound>(&one))
    engine.push(sound->data);
  else if (std::holds_alternative<feed_end>(one))
    engine.end();
  else if (const auto* cancel = std::get_if<feed_cancel>(&one))
    engine.cancel(cancel->utterance);
}

void connection_voice::feed_again() {
  for (const auto& one : in_->feed_again())
    feed(one);
}

void connection_voice::step(speech_edge& edge) {
  const auto now = parts_->clock->now();
  edge.playing = out_->point(now);
  // What waits is on its way as well: it is held like what is heard.
  if (!edge.playing.audible && out_->waiting_ms() != 0) {
    edge.playing.audible = true;
    if (edge.playing.item.empty())
      edge.playing.item = out_->added().item;
  }
  const bool begins = edge.kind == edge_kind::begun || edge.kind == edge_kind::resumed;
  const bool may_interrupt = !edge.manual && terms_.turns.interrupt_response
                             && terms_.turns.mode != turn_mode::manual;
  // At once, and not when audio has thought about it: the visitor speaks now.
  if (begins && may_interrupt && edge.playing.audible)
    hold(edge.playing.item, true);
  if (edge.kind == edge_kind::ended && edge.manual) {
    committing_.insert(edge.utterance);
    self_->delayed_send(self_, commit_deadline, commit_overdue{++commits_});
  }
  if (team_ && team_->audio)
    self_->send(team_->audio, edge);
  if (is_off() || (edge.kind != edge_kind::begun && edge.kind != edge_kind::ended))
    return;
  perform(parts_->codec->on_speech(edge));
}

bool connection_voice::defers(send_command& what) {
  if (is_off() || committing_.empty() || !std::holds_alternative<request_response>(what.command))
    return false;
  deferred_.push_back(std::move(what));
  return true;
}

void connection_voice::committed(const std::string& utterance) {
  if (committing_.erase(utterance) != 0 && committing_.empty())
    send_deferred();
}

void connection_voice::send_deferred() {
  committing_.clear();
  for (auto& command : std::exchange(deferred_, {}))
    can_.send(std::move(command));
}

void connection_voice::on(const commit_overdue& overdue) {
  if (is_off() || overdue.number != commits_ || committing_.empty())
    return;
  count(counter::deadlines_passed);
  send_deferred();
}

void connection_voice::acknowledge(std::uint64_t to_ms, bool at_once) {
  if (is_off() || !stream_)
    return;
  if (acknowledged_) {
    const auto least = *acknowledged_ + (at_once ? 1 : acknowledge_every_ms);
    if (to_ms < least)
      return;
  }
  acknowledged_ = to_ms;
  perform(parts_->codec->on_acknowledged(stream_->stream, to_ms));
}

void connection_voice::settle(const std::string& utterance, bool dropped) {
  if (!in_ || is_off())
    return;
  committed(utterance);
  const bool was_open = dropped && in_->open_utterance() == utterance;
  auto steps = in_->settle(utterance);
  const bool ends = std::any_of(steps.begin(), steps.end(), [](const input_step& one) {
    const auto* edge = std::get_if<speech_edge>(&one);
    return edge != nullptr && edge->kind == edge_kind::ended;
  });
  const auto at = in_->position_ms();
  input(std::move(steps), true);
  // The client saw it begin.
  if (was_open && !ends && !is_off())
    perform(
      parts_->codec->on_speech({.kind = edge_kind::ended, .utterance = utterance, .at_ms = at}));
}

void connection_voice::on(const utterance_settled& which) {
  if (!team_ || !is_outdated(team_->audio))
    settle(which.utterance, which.dropped);
}

void connection_voice::on(const live_words& words) {
  if (!is_off() && wish_ == wish::held)
    perform(parts_->codec->on_live_words(words));
}

void connection_voice::on(const turn_over& turn) {
  if (is_off() || !in_ || (team_ && is_outdated(team_->audio)))
    return;
  // A model's word that the open utterance is over: its end comes back as the turn's.
  if (in_->open_utterance() == turn.utterance)
    return input(in_->end_utterance(turn.utterance));
  perform(parts_->codec->on_turn_over(turn));
}

// -- the voice actors

/// The session gave it when nobody waited for it any more: without this it would speak to nobody.
void connection_voice::give_back(std::uint64_t seat) {
  if (!is_off() && session_ && wish_ == wish::none)
    self_->send(session_, leave_seat{seat});
}

void connection_voice::on(const voice_team& team) {
  give_back(team.seat);
  if (is_off() || wish_ == wish::none || team.seat < seat_)
    return;
  if (seat_ == 0) {
    team_ = team;
    return;
  }
  const bool new_audio = !team_ || team_->audio != team.audio;
  const bool new_tts = !team_ || team_->tts != team.tts;
  const bool is_first = !team_;
  team_ = team;
  // A word between answers, that its speaker has died within, is not said again.
  if (new_tts && std::none_of(started_.begin(), started_.end(), [this](const auto& known) {
        return known.second == open_item_;
      }))
    close_sound(std::string{open_item_});
  if (new_tts && team.tts)
    self_->send(team.tts, out_->added());
  if (!new_audio || !team.audio)
    return;
  const auto open = in_->open_utterance();
  const auto now = parts_->clock->now();
  for (auto& one : in_->edges_again())
    if (auto* edge = std::get_if<speech_edge>(&one)) {
      // What was said before does not interrupt what is said now.
      if (edge->utterance == open) {
        edge->playing = out_->point(now);
        edge->playing.audible = edge->playing.audible || !held_.empty();
        if (edge->playing.item.empty())
          edge->playing.item = held_;
      }
      self_->send(team.audio, std::move(*edge));
    }
  // With a later audio the engine begins again by itself.
  if (is_first)
    feed_again();
  // Whoever was to let it go on is gone.
  if (open.empty() && !held_.empty()) {
    hold(std::string{held_}, false);
    pump();
  }
}

void connection_voice::on(const voice_feed& feed) {
  give_back(feed.seat);
  if (is_off() || wish_ == wish::none || feed.seat < seat_ || !feed.stream)
    return;
  feed_ = feed;
  if (seat_ != 0)
    feed_again();
}

// -- the journal

stream_position& connection_voice::position_of(const std::string& stream) {
  if (heard_.size() >= streams_max && !heard_.contains(stream))
    heard_.erase(heard_.begin()->first == (stream_ ? stream_->stream : std::string{})
                   ? std::next(heard_.begin())
                   : heard_.begin());
  auto& position = heard_[stream];
  position.stream = stream;
  return position;
}

void connection_voice::close_speech(const std::string& item, bool is_lost) {
  const auto closed = open_speech_.extract(item);
  if (closed.empty())
    return;
  const auto& speech = closed.mapped();
  if (is_lost)
    return position_of(speech.stream).lose({speech.from_ms, speech.to_ms});
  std::optional<std::uint64_t> first;
  for (const auto& [id, open] : open_speech_)
    if (open.stream == speech.stream)
      first = std::min(first.value_or(open.from_ms), open.from_ms);
  position_of(speech.stream).hear({speech.from_ms, speech.to_ms}, first);
}

void connection_voice::take_event(const event& e) {
  if (const auto* speech = std::get_if<input_speech>(&e.body)) {
    open_speech_[speech->item] = {speech->item, speech->stream, speech->from_ms, speech->to_ms};
    committed(speech->item);
  } else if (const auto* words = std::get_if<input_transcribed>(&e.body)) {
    close_speech(words->item, words->reason == "lost");
    settle(words->item, false);
  } else if (const auto* gone = std::get_if<item_removed>(&e.body)) {
    close_speech(gone->id, false);
    settle(gone->id, true);
  } else if (const auto* started = std::get_if<response_started>(&e.body)) {
    if (started_.size() >= started_max)
      started_.erase(started_.begin());
    started_[started->response] = started->item;
  } else if (const auto* done = std::get_if<response_done>(&e.body)) {
    // Nothing of an answer is sent behind its end.
    std::erase_if(ahead_, [&](const auto& piece) { return piece.response == done->response; });
    const auto item = started_.extract(done->response);
    if (!item.empty() && done->status == response_status::completed)
      close_sound(item.mapped());
    else if (!item.empty())
      end_sound(item.mapped());
    // It had ended in its own way before the interruption was known.
    const bool goes_on = !item.empty() && paused_ == item.mapped() && held_.empty();
    if (goes_on && done->status != response_status::cancelled && !is_off())
      perform(parts_->codec->on_held(std::exchange(paused_, {}), false));
  }
}

void connection_voice::on_published(const published& batch) {
  for (const auto& e : batch.events)
    if (!is_off())
      take_event(*e);
  if (is_off() || !out_ || ahead_.empty())
    return;
  for (auto& piece : std::exchange(ahead_, {})) {
    const auto known = started_.find(piece.response);
    if (known != started_.end() && known->second == piece.item)
      add(piece);
    else
      ahead_.push_back(std::move(piece));
  }
  pump();
}

} // namespace sidevoice
