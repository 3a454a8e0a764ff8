#include "gateway/voice_input.hpp"

#include "gateway/voice_input_state.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

/// A client need not keep more than this beside what is open.
constexpr std::uint64_t settled_each_ms = 2000;

constexpr std::uint64_t least_commit_ms = 100;

/// Some thirty years: no position of a client makes the counting overflow.
constexpr std::uint64_t position_max_ms = 1'000'000'000'000;

} // namespace

voice_input::voice_input(std::unique_ptr<vad_stream> vad, id_source& ids, counters& count,
                         voice_input_limits limits)
    : state_{std::make_unique<state>(std::move(vad), ids, count, limits)} {}

voice_input::~voice_input() = default;

voice_input::steps voice_input::begin_stream(std::string stream, std::uint64_t from_ms,
                                             const stream_position& position,
                                             std::vector<speech_state> awaited) {
  steps out;
  auto& s = *state_;
  const auto from = std::min(from_ms, position_max_ms) * state::per_ms;
  const auto dealt = std::min(position.to_ms, position_max_ms) * state::per_ms;
  if (stream == s.stream && from <= s.position && dealt <= s.position) {
    if (from != s.next)
      s.convert.reset();
    s.next = from;
    s.told_settled_ms = std::max(s.told_settled_ms, s.settled_ms());
  } else {
    if (const auto* one = s.kept.current(); one != nullptr) {
      // Where only the rest is missing, what was said before it counts.
      const bool is_worth = stream == s.stream && one->from >= dealt && s.edges.voiced_ms() > 0;
      if (is_worth) {
        s.give_sound(out, s.position);
        s.end(out, s.edges.voiced_ms(), s.edges.silence_ms(), false);
      } else {
        s.forget_open(out, s.position);
      }
    }
    s.restart(std::move(stream), from, dealt);
    s.heard = position.heard;
    s.await(std::move(awaited));
    s.told_settled_ms = s.settled_ms();
  }
  out.emplace_back(sound_settled{s.told_settled_ms});
  return out;
}

void voice_input::set_turns(const turn_settings& turns) {
  auto& s = *state_;
  const auto* one = s.kept.current();
  const bool was_manual = s.is_manual();
  s.turns = turns;
  s.edges.set(turns);
  // What was said while nobody listened for turns is no part of one that begins now.
  if (!was_manual && s.is_manual() && one == nullptr)
    s.floor = s.position;
  s.must_adopt = !s.is_manual() && one != nullptr && !one->begun;
}

voice_input::steps voice_input::push(samples_view sound, std::uint32_t rate) {
  steps out;
  auto& s = *state_;
  if (s.stream.empty() || rate == 0)
    return out;
  s.set_rate(rate);
  if (s.must_adopt)
    s.adopt(out);
  // A burst goes through in pieces, so that it costs no memory twice.
  while (!sound.empty()) {
    const auto piece = sound.first(std::min<std::size_t>(sound.size(), rate));
    s.converted.clear();
    s.convert->push(piece, s.converted);
    s.take_in(out);
    sound = sound.subspan(piece.size());
  }
  s.tell_settled(out, settled_each_ms);
  return out;
}

bool voice_input::commit(steps& out) {
  auto& s = *state_;
  const auto* one = s.kept.current();
  if (one == nullptr || s.position - one->from < least_commit_ms * state::per_ms)
    return false;
  s.give_sound(out, s.position);
  s.end(out, s.edges.voiced_ms(), s.edges.silence_ms(), true);
  return true;
}

voice_input::steps voice_input::clear() {
  steps out;
  auto& s = *state_;
  if (s.kept.current() != nullptr)
    s.forget_open(out, s.position);
  s.floor = s.position;
  s.edges.close();
  s.tell_settled(out, 1);
  return out;
}

voice_input::steps voice_input::end_utterance(const std::string& utterance) {
  steps out;
  auto& s = *state_;
  const auto* one = s.kept.current();
  if (one != nullptr && one->id == utterance)
    s.end(out, s.edges.voiced_ms(), s.edges.silence_ms(), false);
  return out;
}

voice_input::steps voice_input::settle(const std::string& utterance) {
  steps out;
  auto& s = *state_;
  const auto* one = s.kept.current();
  if (one != nullptr && one->id == utterance)
    s.forget_open(out, s.taken, false);
  else
    s.kept.forget(utterance);
  s.tell_settled(out, 1);
  return out;
}

voice_input::steps voice_input::feed_again() const {
  steps out;
  for (const auto& one : state_->kept.all()) {
    out.emplace_back(feed_begin{one.id});
    one.data.each([&](samples_view piece) {
      out.emplace_back(feed_sound{samples{piece.begin(), piece.end()}});
    });
    if (one.ended)
      out.emplace_back(feed_end{});
  }
  return out;
}

voice_input::steps voice_input::edges_again() const {
  steps out;
  for (const auto& one : state_->kept.all()) {
    if (one.begun)
      out.emplace_back(*one.begun);
    if (one.paused && !one.ended) {
      auto paused = *one.paused;
      state_->add_tail(paused, one);
      out.emplace_back(std::move(paused));
    }
    if (one.ended)
      out.emplace_back(*one.ended);
  }
  return out;
}

const std::string& voice_input::stream() const {
  return state_->stream;
}

std::uint64_t voice_input::position_ms() const {
  return state_->position / state::per_ms;
}

bool voice_input::in_speech() const {
  return state_->kept.current() != nullptr && state_->edges.voiced_ms() > 0;
}

std::string voice_input::open_utterance() const {
  const auto* one = state_->kept.current();
  return one == nullptr ? std::string{} : one->id;
}

std::size_t voice_input::kept_bytes() const {
  return (state_->kept.samples_kept() + state_->recent.size()) * sizeof(std::int16_t);
}

} // namespace sidevoice
