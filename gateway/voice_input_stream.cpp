#include "gateway/voice_input_state.hpp"

#include <algorithm>
#include <span>
#include <utility>

/// voice_input: from samples to frames, and up to where they are settled.
namespace sidevoice {

namespace {

/// A beginning is noticed in its second frame.
constexpr std::uint64_t noticed_after = 2 * vad_frame;

/// 96 ms.
constexpr std::uint32_t frames_a_probe = 3;

} // namespace

voice_input::state::state(std::unique_ptr<vad_stream> vad_in, id_source& ids_in, counters& count,
                          voice_input_limits limits_in)
    : vad{std::move(vad_in)},
      ids{ids_in},
      limits{limits_in},
      kept{count, limits_in.kept_ms * std::size_t{per_ms}} {
  edges.set(turns);
}

void voice_input::state::restart(std::string stream_id, std::uint64_t from,
                                 std::uint64_t heard_to) {
  stream = std::move(stream_id);
  next = from;
  const auto at = std::max(from, heard_to);
  position = judged = origin = floor = taken = recent_from = at;
  recent.clear();
  convert.reset();
  vad->reset();
  edges = speech_edges{};
  edges.set(turns);
  must_adopt = false;
  unprobed = 0;
  probe_peak = 0;
  awaited.clear();
  is_again = false;
}

void voice_input::state::set_rate(std::uint32_t in) {
  if (convert && rate == in)
    return;
  rate = in;
  convert.emplace(in, speech_rate);
}

void voice_input::state::hush(std::span<std::int16_t> sound) const {
  const auto begin = position;
  const auto end = position + sound.size();
  for (const auto& one : heard) {
    const auto from = std::clamp(one.from_ms * per_ms, begin, end) - begin;
    const auto to = std::clamp(one.to_ms * per_ms, begin, end) - begin;
    std::fill(sound.begin() + static_cast<std::ptrdiff_t>(from),
              sound.begin() + static_cast<std::ptrdiff_t>(to), std::int16_t{0});
  }
}

void voice_input::state::take_in(steps& out) {
  const auto known = std::min<std::uint64_t>(position - next, converted.size());
  next += converted.size();
  const auto fresh = std::span{converted}.subspan(known);
  hush(fresh);
  recent.insert(recent.end(), fresh.begin(), fresh.end());
  position += fresh.size();
  while (position - judged >= vad_frame) {
    if (is_manual() && kept.current() == nullptr && position > floor)
      open_manual(out);
    judge_frame(out);
  }
  if (is_manual() && kept.current() == nullptr && position > floor)
    open_manual(out);
  if (kept.current() != nullptr)
    give_sound(out, judged);
  trim();
}

void voice_input::state::judge_frame(steps& out) {
  const auto* begin = recent.data() + (judged - recent_from);
  const auto probability = vad->push(std::span<const std::int16_t, vad_frame>{begin, vad_frame});
  if (!is_manual())
    open_again(out);
  judged += vad_frame;
  const auto edge = edges.push(probability, vad_frame / per_ms);
  if (is_again)
    go_on_again(out, probability);
  else if (edge)
    on_edge(out, *edge);
  keep_bounds(out);
  probe(out, probability);
}

void voice_input::state::probe(steps& out, float probability) {
  probe_peak = std::max(probe_peak, probability);
  if (++unprobed < frames_a_probe)
    return;
  const bool is_speaking = kept.current() != nullptr && edges.voiced_ms() > 0
                           && edges.silence_ms() == 0;
  out.emplace_back(speech_probe{judged / per_ms, probe_peak, is_speaking});
  unprobed = 0;
  probe_peak = 0;
}

std::uint64_t voice_input::state::reach() const {
  if (is_manual())
    return floor;
  const auto padding =
    static_cast<std::uint64_t>(std::max<std::int64_t>(turns.prefix_padding.count(), 0));
  const auto back = padding * per_ms + noticed_after;
  return std::max(floor, judged > back ? judged - back : 0);
}

void voice_input::state::trim() {
  const auto wanted = kept.current() != nullptr ? taken : reach();
  const auto from = std::min(wanted, judged);
  if (from <= recent_from)
    return;
  recent.erase(recent.begin(), recent.begin() + static_cast<std::ptrdiff_t>(from - recent_from));
  recent_from = from;
  // After a burst.
  if (recent.capacity() > 4 * recent.size() + speech_rate)
    recent.shrink_to_fit();
}

std::uint64_t voice_input::state::settled_ms() const {
  const auto oldest = kept.oldest(stream);
  return std::min(oldest.value_or(reach()), reach()) / per_ms;
}

void voice_input::state::tell_settled(steps& out, std::uint64_t least_ms) {
  const auto now = settled_ms();
  if (now < told_settled_ms + least_ms)
    return;
  told_settled_ms = now;
  out.emplace_back(sound_settled{now});
}

} // namespace sidevoice
