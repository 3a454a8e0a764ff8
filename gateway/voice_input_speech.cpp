#include "gateway/voice_input_state.hpp"

#include <algorithm>
#include <memory>
#include <utility>

/// voice_input: what begins, goes on and ends in it.
namespace sidevoice {

namespace {

/// What an end-of-turn model listens to.
constexpr std::size_t tail_size = 8 * std::size_t{speech_rate};

} // namespace

void voice_input::state::on_edge(steps& out, const speech_edges::edge& edge) {
  using kind = speech_edges::edge::kind;
  if (edge.what == kind::begun) {
    open_spoken(out, edge);
    return;
  }
  auto* one = kept.current();
  if (one == nullptr)
    return;
  give_sound(out, judged);
  if (edge.what == kind::ended) {
    end(out, edge.voiced_ms, edge.silence_ms, false);
    return;
  }
  const auto is_pause = edge.what == kind::paused;
  auto told = edge_of(*one, is_pause ? edge_kind::paused : edge_kind::resumed, judged,
                      edge.voiced_ms, edge.silence_ms);
  one->paused.reset();
  if (is_pause) {
    one->paused = told;
    add_tail(told, *one);
  }
  out.emplace_back(std::move(told));
}

void voice_input::state::open_at(std::uint64_t from, std::string id) {
  kept.open(std::move(id), stream, from);
  taken = from;
}

void voice_input::state::open_spoken(steps& out, const speech_edges::edge& edge) {
  const auto begun_at = origin + edge.at_ms * per_ms;
  const auto padding =
    static_cast<std::uint64_t>(std::max<std::int64_t>(turns.prefix_padding.count(), 0));
  const auto wanted = begun_at > padding * per_ms ? begun_at - padding * per_ms : 0;
  open_at(std::max({wanted, floor, recent_from}), ids.make("item_"));
  auto& one = *kept.current();
  // A commit may have cut the frame it begins in.
  one.begun = edge_of(one, edge_kind::begun, std::max(begun_at, one.from), edge.voiced_ms, 0);
  out.emplace_back(*one.begun);
  out.emplace_back(feed_begin{one.id});
  give_sound(out, judged);
}

void voice_input::state::open_manual(steps& out) {
  open_at(std::max(floor, recent_from), ids.make("item_"));
  edges.open();
  out.emplace_back(feed_begin{kept.current()->id});
}

void voice_input::state::await(std::vector<speech_state> speech) {
  for (auto& one : speech)
    if (std::none_of(kept.all().begin(), kept.all().end(),
                     [&one](const kept_utterance& known) { return known.id == one.item; }))
      awaited.push_back(std::move(one));
  std::sort(awaited.begin(), awaited.end(),
            [](const speech_state& a, const speech_state& b) { return a.from_ms < b.from_ms; });
}

void voice_input::state::open_again(steps& out) {
  while (!is_again && !awaited.empty() && awaited.front().to_ms * per_ms <= judged)
    awaited.pop_front();
  if (is_again || awaited.empty() || awaited.front().from_ms * per_ms >= judged + vad_frame)
    return;
  const auto& again = awaited.front();
  const auto from = std::max({again.from_ms * per_ms, floor, taken, recent_from});
  if (from >= again.to_ms * per_ms) {
    awaited.pop_front();
    return;
  }
  if (const auto* one = kept.current(); one != nullptr && one->from < from) {
    give_sound(out, from);
    end(out, edges.voiced_ms(), edges.silence_ms(), false);
  } else if (one != nullptr) {
    forget_open(out, from);
  }
  open_at(from, again.item);
  auto& one = *kept.current();
  one.begun = edge_of(one, edge_kind::begun, from, 0, 0);
  out.emplace_back(*one.begun);
  out.emplace_back(feed_begin{one.id});
  is_again = true;
  again_voiced_ms = again_silence_ms = 0;
}

void voice_input::state::go_on_again(steps& out, float probability) {
  constexpr std::uint32_t frame_ms = vad_frame / per_ms;
  const auto& again = awaited.front();
  const auto* one = kept.current();
  // A commit, a clear, or its words have come: what is left of it is sound like any other.
  const bool is_over = one == nullptr || one->id != again.item || is_manual();
  if (probability >= turns.threshold) {
    again_voiced_ms += frame_ms;
    again_silence_ms = 0;
  } else {
    again_silence_ms += frame_ms;
  }
  if (!is_over && judged < again.to_ms * per_ms)
    return;
  if (!is_over) {
    give_sound(out, again.to_ms * per_ms);
    end(out, again_voiced_ms, again_silence_ms, false);
  } else if (one == nullptr) {
    // A beginning that was passed over is noticed once more.
    edges.close();
  }
  is_again = false;
  awaited.pop_front();
}

void voice_input::state::adopt(steps& out) {
  must_adopt = false;
  auto* one = kept.current();
  if (one == nullptr || one->begun)
    return;
  if (edges.voiced_ms() == 0) {
    forget_open(out, floor);
    return;
  }
  one->begun = edge_of(*one, edge_kind::begun, judged, edges.voiced_ms(), edges.silence_ms());
  out.emplace_back(*one->begun);
}

void voice_input::state::give_sound(steps& out, std::uint64_t until) {
  if (until <= taken)
    return;
  const samples_view data{recent.data() + (taken - recent_from), until - taken};
  kept.append(data);
  out.emplace_back(feed_sound{samples{data.begin(), data.end()}});
  taken = until;
}

void voice_input::state::end(steps& out, std::uint32_t voiced_ms, std::uint32_t silence_ms,
                             bool manual) {
  auto& one = *kept.current();
  auto ended = edge_of(one, edge_kind::ended, taken, voiced_ms, silence_ms);
  ended.manual = manual;
  one.ended = ended;
  edges.close();
  floor = taken;
  must_adopt = false;
  out.emplace_back(feed_end{});
  out.emplace_back(std::move(ended));
}

void voice_input::state::forget_open(steps& out, std::uint64_t new_floor, bool told) {
  const auto& one = *kept.current();
  out.emplace_back(feed_cancel{one.id});
  if (told && one.begun)
    out.emplace_back(edge_of(one, edge_kind::ended, taken, 0, 0));
  kept.forget(std::string{one.id});
  edges.close();
  floor = new_floor;
  must_adopt = false;
}

void voice_input::state::keep_bounds(steps& out) {
  const auto* one = kept.current();
  if (one == nullptr || judged < one->from + limits.utterance_ms * per_ms)
    return;
  give_sound(out, judged);
  // Silence of a client that commits by hand, and has not for so long.
  if (!one->begun && edges.voiced_ms() == 0)
    forget_open(out, taken);
  else
    end(out, edges.voiced_ms(), edges.silence_ms(), false);
}

speech_edge voice_input::state::edge_of(const kept_utterance& one, edge_kind kind, std::uint64_t at,
                                        std::uint32_t voiced_ms, std::uint32_t silence_ms) const {
  speech_edge edge;
  edge.kind = kind;
  edge.utterance = one.id;
  edge.stream = one.stream;
  edge.from_ms = one.from / per_ms;
  edge.at_ms = at / per_ms;
  edge.voiced_ms = voiced_ms;
  edge.silence_ms = silence_ms;
  return edge;
}

void voice_input::state::add_tail(speech_edge& edge, const kept_utterance& one) const {
  if (turns.mode == turn_mode::semantic)
    edge.tail = std::make_shared<const samples>(one.data.newest(tail_size));
}

} // namespace sidevoice
