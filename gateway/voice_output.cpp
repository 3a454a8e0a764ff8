#include "gateway/voice_output.hpp"

#include "gateway/spoken_item.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace sidevoice {

namespace {

using std::chrono::milliseconds;
using span = spoken_item::span;
using item_ptr = std::unique_ptr<spoken_item>;
using items = std::deque<item_ptr>;

constexpr std::size_t late_max = 16;
constexpr std::uint32_t wanted_ms = 2000;
constexpr std::uint32_t excess_ms = 30'000;
constexpr milliseconds report_each{500};

spoken_item* find(const items& among, const std::string& id) {
  const auto found = std::find_if(among.begin(), among.end(),
                                  [&](const auto& one) { return one->id == id; });
  return found == among.end() ? nullptr : found->get();
}

} // namespace

struct voice_output::state {
  voice_output_settings settings;
  counters* count = nullptr;
  /// Those that play, the one that goes out, and those that wait for it, in this order.
  items line;
  /// Those that are over, oldest first.
  items late;
  /// Who the newest sound was added to.
  std::string newest;
  std::string held;
  std::optional<time> last;

  spoken_item* find_any(const std::string& id) const;
  spoken_item* find_open(const speech_sound& piece);
  void put_away(items::iterator which, bool is_dropped);
  void forget_late();

  [[nodiscard]] bool is_paused(const spoken_item& one) const;
  [[nodiscard]] span since_last(time now) const;
  void advance(time now);
  /// What the client has and has not played, by the clock.
  [[nodiscard]] span buffered() const;
  /// How much too early it is for the next frame; unset: there is none.
  [[nodiscard]] std::optional<span> early_for(const spoken_item& one) const;

  void send(outcome& out, time now);
  void tell_all(outcome& out, time now);
  static void tell(outcome& out, spoken_item& one, bool is_front, time now);
  [[nodiscard]] std::optional<time> next_call(time now) const;
  [[nodiscard]] std::uint32_t waiting_ms() const;
};

spoken_item* voice_output::state::find_any(const std::string& id) const {
  auto* one = find(line, id);
  return one != nullptr ? one : find(late, id);
}

spoken_item* voice_output::state::find_open(const speech_sound& piece) {
  if (auto* one = find(line, piece.item); one != nullptr)
    return one->is_whole ? nullptr : one;
  const auto again = std::find_if(late.begin(), late.end(),
                                  [&](const auto& one) { return one->id == piece.item; });
  if (again == late.end())
    return line.emplace_back(std::make_unique<spoken_item>(piece.item, settings)).get();
  if ((*again)->is_dropped || (*again)->is_out)
    return nullptr;
  (*again)->revive();
  line.push_back(std::move(*again));
  late.erase(again);
  return line.back().get();
}

void voice_output::state::put_away(items::iterator which, bool is_dropped) {
  auto& one = **which;
  if (one.id == held)
    held.clear();
  one.drop_waiting();
  one.is_dropped = is_dropped;
  late.push_back(std::move(*which));
  line.erase(which);
  forget_late();
}

void voice_output::state::forget_late() {
  if (late.size() > late_max)
    late.pop_front();
}

bool voice_output::state::is_paused(const spoken_item& one) const {
  return !held.empty() && one.terms.reports;
}

span voice_output::state::since_last(time now) const {
  return last && now > *last ? span{now - *last} : span{0};
}

void voice_output::state::advance(time now) {
  const auto all = since_last(now);
  last = std::max(now, last.value_or(now));
  auto left = all;
  for (const auto& one : line) {
    if (!one->is_begun || is_paused(*one))
      break;
    const auto step = std::min(left, one->sent() - one->clocked());
    one->pass(step, all);
    left -= step;
  }
}

span voice_output::state::buffered() const {
  span sum{0};
  for (const auto& one : line)
    sum += one->sent() - one->clocked();
  return sum;
}

std::optional<span> voice_output::state::early_for(const spoken_item& one) const {
  const auto length = one.next_length();
  if (!length)
    return std::nullopt;
  // A frame longer than the lead still has to go.
  const auto room = std::max(span{one.terms.lead}, *length);
  return std::max(buffered() + *length - room, span{0});
}

void voice_output::state::send(outcome& out, time now) {
  if (!held.empty())
    return;
  for (const auto& one : line) {
    while (early_for(*one) == span{0})
      out.frames.push_back(one->take_frame(now));
    if (!one->is_out)
      return;
  }
}

void voice_output::state::tell(outcome& out, spoken_item& one, bool is_front, time now) {
  playout_report report;
  report.point = one.point();
  report.sent_all = one.is_out;
  report.played_all = is_front && one.is_finished();
  report.first_sent = !one.told.first_sent;
  // By the clock the first sound is heard when it goes out, unless other sound is before it.
  const bool is_heard = one.terms.reports ? one.played() > span{0} : is_front;
  report.first_played = !one.told.first_played && one.sent() > span{0} && is_heard;
  const bool is_news = report.first_sent || report.first_played || report.played_all
                       || (report.sent_all && !one.told.sent_all);
  const bool is_moved = one.told.point.played_ms != report.point.played_ms
                        || one.told.point.sent_ms != report.point.sent_ms;
  const bool is_time = is_front && now - one.told.at >= report_each;
  if (is_news || is_time)
    one.told.at = now;
  if (!is_news && !(is_time && is_moved))
    return;
  one.told.first_sent = true;
  one.told.first_played = one.told.first_played || report.first_played;
  one.told.sent_all = report.sent_all;
  one.told.point = report.point;
  out.reports.push_back(std::move(report));
}

void voice_output::state::tell_all(outcome& out, time now) {
  while (!line.empty() && line.front()->is_begun) {
    tell(out, *line.front(), true, now);
    if (!line.front()->is_finished())
      break;
    put_away(line.begin(), false);
  }
  for (std::size_t i = 1; i < line.size() && line[i]->is_begun; ++i)
    tell(out, *line[i], false, now);
}

std::optional<voice_output::time> voice_output::state::next_call(time now) const {
  std::optional<time> next;
  const auto by = [&](time when) { next = std::min(next.value_or(when), when); };
  const auto going = std::find_if(line.begin(), line.end(),
                                  [](const auto& one) { return !one->is_out; });
  if (held.empty() && going != line.end())
    if (const auto early = early_for(**going))
      by(now + *early);
  if (line.empty() || !line.front()->is_begun || is_paused(*line.front()))
    return next;
  const auto& front = *line.front();
  if (const auto change = front.next_change(now))
    by(*change);
  if (front.played() < front.sent())
    by(std::max(front.told.at + report_each, now));
  return next;
}

std::uint32_t voice_output::state::waiting_ms() const {
  std::uint64_t sum = 0;
  for (const auto& one : line)
    sum += sound_ms(one->waiting.size(), one->terms.rate);
  return static_cast<std::uint32_t>(sum);
}

voice_output::voice_output(voice_output_settings settings, counters* count)
    : state_{std::make_unique<state>()} {
  state_->settings = settings;
  state_->count = count;
}

voice_output::~voice_output() = default;

void voice_output::set(voice_output_settings settings) {
  state_->settings = settings;
}

void voice_output::add(const speech_sound& piece) {
  auto& s = *state_;
  auto* one = s.find_open(piece);
  if (one == nullptr)
    return;
  const auto before = s.waiting_ms();
  if (!one->add(piece))
    return;
  s.newest = piece.item;
  const auto after = s.waiting_ms();
  if (s.count != nullptr && after > excess_ms)
    s.count->add(counter::sound_excess_ms, after - std::max(before, excess_ms));
}

void voice_output::hold(const std::string& item, time now) {
  auto& s = *state_;
  s.advance(now);
  for (const auto& one : s.line) {
    if (one->id == item) {
      s.held = item;
      return;
    }
    if (!one->is_out)
      return;
  }
}

void voice_output::release(const std::string& item, time now) {
  state_->advance(now);
  if (state_->held == item)
    state_->held.clear();
}

void voice_output::drop(const std::string& item) {
  auto& s = *state_;
  if (item.empty()) {
    while (!s.line.empty())
      s.put_away(s.line.begin(), false);
    return;
  }
  const auto found = std::find_if(s.line.begin(), s.line.end(),
                                  [&](const auto& one) { return one->id == item; });
  if (found != s.line.end()) {
    s.put_away(found, true);
  } else if (auto* one = find(s.late, item); one != nullptr) {
    one->is_dropped = true;
  } else {
    // Pieces of it may still be on their way.
    s.late.push_back(std::make_unique<spoken_item>(item, s.settings));
    s.late.back()->is_dropped = true;
    s.forget_late();
  }
}

void voice_output::close(const std::string& item) {
  if (auto* one = find(state_->line, item); one != nullptr)
    one->is_whole = true;
}

voice_output::outcome voice_output::tick(time now) {
  outcome out;
  auto& s = *state_;
  s.advance(now);
  s.send(out, now);
  s.tell_all(out, now);
  out.next = s.next_call(now);
  out.wants_more = s.waiting_ms() < wanted_ms;
  return out;
}

void voice_output::played(const std::string& item, std::uint32_t ms, time now) {
  auto& s = *state_;
  s.advance(now);
  auto* one = find(s.line, item);
  if (one == nullptr || !one->report(ms))
    return;
  // Who plays this has played all before it.
  for (const auto& before : s.line) {
    if (before.get() == one)
      break;
    before->finish_playing();
  }
}

playout_point voice_output::point(time now) const {
  auto more = state_->since_last(now);
  for (const auto& one : state_->line) {
    if (!one->is_begun)
      break;
    const auto step = state_->is_paused(*one) ? span{0} : more;
    if (!one->is_out || one->played(step) < one->sent())
      return one->point(step);
    more -= std::min(more, one->sent() - one->played());
  }
  return {};
}

std::optional<std::size_t> voice_output::text_at(const std::string& item, std::uint32_t ms) const {
  const auto* one = state_->find_any(item);
  if (one == nullptr)
    return std::nullopt;
  return one->text_at(ms);
}

std::optional<std::uint32_t> voice_output::sent_ms(const std::string& item) const {
  const auto* one = state_->find_any(item);
  if (one == nullptr)
    return std::nullopt;
  return one->sent_ms();
}

speak_from voice_output::added() const {
  const auto* one = state_->find_any(state_->newest);
  if (one == nullptr)
    return {};
  return {one->id, one->text_end};
}

bool voice_output::is_held() const {
  return !state_->held.empty();
}

std::uint32_t voice_output::waiting_ms() const {
  return state_->waiting_ms();
}

} // namespace sidevoice
