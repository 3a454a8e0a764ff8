#include "gateway/connection_voice.hpp"

#include <algorithm>
#include <utility>

/// A connection's voice seat: asked for, held, lost, taken again; and the begin of a stream.
namespace sidevoice {

namespace {

constexpr std::chrono::seconds seat_deadline{5};
/// Sound that waits for the seat. The oldest goes first.
/// As much as clients keep: after a break all of it may come before the session has answered.
constexpr std::uint64_t early_max_ms = 60'000;
constexpr std::size_t early_max = 4096;

error seat_error(const std::string& reason) {
  if (reason == "taken")
    return {errc::conflict,
            "The conversation goes on in another window or on another device",
            {},
            "taken"};
  if (reason == "ended")
    return {errc::not_found, "The conversation has ended", {}, "ended"};
  return {
    errc::unavailable, "The voice failed too often on the server. Go on in text", {}, "failed"};
}

} // namespace

connection_voice::connection_voice(connection_inner::pointer self, connection_parts_ptr parts,
                                   hands can)
    : self_{self},
      parts_(std::move(parts)),
      can_(std::move(can)) {}

connection_voice::~connection_voice() = default;

void connection_voice::count(counter which, std::uint64_t by) {
  if (!is_off() && parts_->count != nullptr && by != 0)
    parts_->count->add(which, by);
}

void connection_voice::perform(codec_actions actions) {
  if (!is_off() && !actions.empty())
    can_.perform(std::move(actions));
}

void connection_voice::say_seat(const std::string& state, const error& why) {
  if (!is_off())
    perform(parts_->codec->on_seat(state, why));
}

// -- the client's wishes

void connection_voice::set(const set_voice& how) {
  terms_ = how.terms;
  if (terms_.turns.mode == turn_mode::semantic && !is_off() && !parts_->judges_turns)
    terms_.turns.mode = turn_mode::silence;
  pace_ = how.pace;
  watch_ = how.watch;
  if (in_)
    in_->set_turns(terms_.turns);
  if (out_)
    out_->set(pace_);
  if (session_ && seat_ != 0)
    self_->send(session_, change_seat{seat_, terms_});
}

bool connection_voice::open_ways() {
  if (in_)
    return true;
  const bool can_speak = parts_->vad != nullptr && parts_->ids != nullptr
                         && parts_->clock != nullptr && parts_->count != nullptr;
  auto vad = can_speak ? parts_->vad->open() : nullptr;
  if (!vad)
    return false;
  in_ = std::make_unique<voice_input>(std::move(vad), *parts_->ids, *parts_->count);
  in_->set_turns(terms_.turns);
  out_ = std::make_unique<voice_output>(pace_, parts_->count);
  return true;
}

void connection_voice::ask(const ask_seat& wish_for) {
  if (is_off())
    return;
  if (!open_ways()) {
    count(counter::voice_seats_refused);
    return say_seat("unavailable", {errc::unavailable,
                                    "This server has no speech engines. Go on in text",
                                    {},
                                    "voice_unavailable"});
  }
  stream_ = wish_for;
  is_streaming_ = false;
  early_.clear();
  early_ms_ = 0;
  if (wish_ == wish::held)
    return begin_stream();
  if (std::exchange(wish_, wish::asked) == wish::asked)
    return;
  if (session_)
    request_seat();
  else
    can_.search();
}

void connection_voice::request_seat() {
  // Whoever has talked in this session goes on talking: only a first seat is new work.
  if (heard_.empty() && parts_->may_begin_to_talk && !parts_->may_begin_to_talk()) {
    count(counter::voice_seats_refused);
    let_go();
    return say_seat("unavailable", {errc::overloaded,
                                    "The server has no room for another voice just now. Go on in "
                                    "text, or try again in a moment",
                                    {},
                                    "server_overloaded"});
  }
  const auto run = ++run_;
  self_->request(session_, seat_deadline, take_seat{seat_actor{connection_inner{self_}}, terms_})
    .then([this, run](const seat_taken& seat) { on_seat(run, seat); },
          [this, run](const caf::error& why) { on_refused(run, why); });
}

void connection_voice::on_seat(std::uint64_t run, const seat_taken& seat) {
  if (is_off() || run != run_ || wish_ != wish::asked) {
    // Given back before it was there.
    if (session_ && run == run_)
      self_->send(session_, leave_seat{seat.seat});
    return;
  }
  wish_ = wish::held;
  seat_ = seat.seat;
  say_seat("yours", {});
  // They may have been faster than the session's answer. What the stream begins with is told to
  // each of them once.
  const auto team = std::exchange(team_, std::nullopt);
  const auto feed = std::exchange(feed_, std::nullopt);
  begin_stream();
  if (team)
    on(*team);
  if (feed)
    on(*feed);
}

void connection_voice::on_refused(std::uint64_t run, const caf::error& why) {
  if (is_off() || run != run_ || wish_ != wish::asked)
    return;
  if (why == caf::sec::request_timeout)
    count(counter::deadlines_passed);
  else if (why.category() == caf::atom("system"))
    // The session is gone; whoever finds it again asks again.
    return;
  count(counter::voice_seats_refused);
  auto said = from_caf(why);
  if (why == caf::sec::request_timeout)
    said = {
      errc::unavailable, "The session did not give the voice in time. Try again", {}, "deadline"};
  let_go();
  say_seat("unavailable", said);
}

void connection_voice::give() {
  if (is_off() || wish_ == wish::none)
    return;
  if (session_ && seat_ != 0)
    self_->send(session_, leave_seat{seat_});
  let_go();
  say_seat("free", {});
}

void connection_voice::on(const seat_lost& loss) {
  if (is_off() || wish_ != wish::held || loss.seat != seat_)
    return;
  let_go();
  const auto* state = loss.reason == "taken"   ? "elsewhere"
                      : loss.reason == "ended" ? "free"
                                               : "unavailable";
  say_seat(state, seat_error(loss.reason));
}

/// Nothing of the seat is left: no sound in either direction.
void connection_voice::let_go() {
  wish_ = wish::none;
  seat_ = 0;
  team_.reset();
  feed_.reset();
  stream_.reset();
  is_streaming_ = false;
  drop_early();
  send_deferred();
  ahead_.clear();
  held_.clear();
  paused_.clear();
  open_item_.clear();
  due_at_.reset();
  in_.reset();
  out_.reset();
}

void connection_voice::tell_heard() {
  if (is_off() || !session_ || seat_ == 0 || !out_)
    return;
  if (auto point = out_->point(parts_->clock->now()); !point.item.empty())
    self_->send(session_, playout_report{.point = std::move(point)});
}

void connection_voice::stop() {
  if (is_off())
    return;
  if (session_ && seat_ != 0) {
    tell_heard();
    self_->send(session_, leave_seat{seat_});
  }
  // It may be one of this object's own calls that has ended the connection: everything else goes
  // with the actor.
  wish_ = wish::none;
  seat_ = 0;
  parts_ = nullptr;
}

// -- the session

void connection_voice::on_attached(const session_actor& session, const attached& state) {
  if (is_off())
    return;
  session_ = session;
  for (const auto& position : state.view->streams)
    position_of(position.stream) = position;
  open_speech_.clear();
  for (const auto& open : state.view->open_speech)
    open_speech_[open.item] = open;
  for (const auto& response : state.view->open_responses)
    if (response->phase == response_phase::started)
      started_[response->id] = response->item;
  for (const auto& e : state.events)
    take_event(*e);
  if (in_)
    for (const auto& again : in_->edges_again())
      if (const auto* edge = std::get_if<speech_edge>(&again))
        if (const auto& view = *state.view; view.removed.contains(edge->utterance)
                                            || (view.find_item(edge->utterance) != nullptr
                                                && view.find_speech(edge->utterance) == nullptr))
          settle(edge->utterance, false);
  if (!is_off() && wish_ == wish::asked)
    request_seat();
}

void connection_voice::on_session_lost() {
  session_ = nullptr;
  seat_ = 0;
  team_.reset();
  feed_.reset();
  ++run_;
  if (wish_ == wish::held)
    wish_ = wish::asked;
}

// -- the begin of a stream

void connection_voice::begin_stream() {
  if (!stream_ || is_streaming_ || wish_ != wish::held)
    return;
  is_streaming_ = true;
  const auto heard = heard_.find(stream_->stream);
  acknowledged_.reset();
  std::vector<speech_state> awaited;
  for (const auto& [item, open] : open_speech_)
    if (open.stream == stream_->stream)
      awaited.push_back(open);
  input(in_->begin_stream(stream_->stream, stream_->from_ms,
                          heard == heard_.end() ? stream_position{} : heard->second,
                          std::move(awaited)));
  if (is_off() || !in_)
    return;
  for (auto& what : std::exchange(early_, {}))
    std::visit(
      [this](auto& one) {
        using type = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<type, sound_in>)
          take(std::move(one));
        else if constexpr (std::is_same_v<type, commit_sound>)
          commit(one);
        else
          clear();
      },
      what);
  early_ms_ = 0;
}

void connection_voice::keep_early(early what) {
  if (const auto* sound = std::get_if<sound_in>(&what))
    early_ms_ += sound_ms(sound->data.size(), sound->rate);
  early_.push_back(std::move(what));
  while (early_.size() > 1 && (early_ms_ > early_max_ms || early_.size() > early_max)) {
    if (const auto* oldest = std::get_if<sound_in>(&early_.front())) {
      const auto ms = sound_ms(oldest->data.size(), oldest->rate);
      early_ms_ -= ms;
      // The rest keeps its place in the stream.
      stream_->from_ms += ms;
      count(counter::sound_in_dropped_ms, ms);
    }
    early_.pop_front();
  }
}

void connection_voice::drop_early() {
  count(counter::sound_in_dropped_ms, std::exchange(early_ms_, 0));
  for (auto& what : std::exchange(early_, {})) {
    if (is_off())
      return;
    if (const auto* wish_for = std::get_if<commit_sound>(&what))
      perform(parts_->codec->on_commit_refused(wish_for->event_id));
    else if (std::holds_alternative<clear_sound>(what))
      perform(parts_->codec->on_cleared());
  }
}

} // namespace sidevoice
