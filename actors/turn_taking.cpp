#include "actors/turn_taking.hpp"

#include <utf8.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sidevoice {

namespace {

/// Utterances whose words are outstanding; more than a visitor can say within the deadlines.
constexpr std::size_t speech_max = 32;

bool is_within(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

/// Small letters of the scripts that have an easy rule: Latin, Greek, Cyrillic.
char32_t small_letter(char32_t c) {
  if (is_within(c, U'A', U'Z') || (is_within(c, 0xC0, 0xDE) && c != 0xD7)
      || is_within(c, 0x391, 0x3A9) || is_within(c, 0x410, 0x42F))
    return c + 0x20;
  if (is_within(c, 0x100, 0x137) || is_within(c, 0x14A, 0x177))
    return c | 1U;
  return c;
}

/// A letter or a digit of any script, and not a sign: "…" is no word.
bool is_word(char32_t c) {
  if (c < 0x80)
    return is_within(c, U'a', U'z') || is_within(c, U'0', U'9');
  return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !is_within(c, 0x2000, 0x2BFF)
         && !is_within(c, 0x3000, 0x303F) && !is_within(c, 0xFE00, 0xFE0F)
         && !is_within(c, 0xFF00, 0xFF0F) && c < 0x1F000;
}

/// Words in small letters, without punctuation, one space between them.
std::string plain_words(const std::string& text) {
  std::string out;
  const auto whole = utf8::replace_invalid(text);
  for (auto at = whole.begin(); at != whole.end();) {
    const auto c = small_letter(utf8::unchecked::next(at));
    if (is_word(c))
      utf8::append(c, std::back_inserter(out));
    else if (c != U'\'' && c != 0x2019 && !out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

} // namespace

bool turn_taking::is_backchannel(const std::string& text, const std::vector<std::string>& ignore) {
  auto rest = plain_words(text);
  std::vector<std::string> known;
  for (const auto& one : ignore)
    known.push_back(plain_words(one));
  // Longer ones first: "uh huh" before "uh".
  std::sort(known.begin(), known.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  if (rest.empty())
    return false;
  while (!rest.empty()) {
    const auto hit = std::find_if(known.begin(), known.end(), [&rest](const std::string& one) {
      return !one.empty() && rest.compare(0, one.size(), one) == 0
             && (rest.size() == one.size() || rest[one.size()] == ' ');
    });
    if (hit == known.end())
      return false;
    rest.erase(0, std::min(rest.size(), hit->size() + 1));
  }
  return true;
}

turn_taking::speech* turn_taking::find(const std::string& utterance) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const speech& s) { return s.id == utterance; });
  return found == open_.end() ? nullptr : &*found;
}

bool turn_taking::is_open() const {
  return std::any_of(open_.begin(), open_.end(), [](const speech& s) {
    return s.where == phase::open || s.where == phase::paused;
  });
}

bool turn_taking::may_interrupt(const speech& s) const {
  return settings_.turns.interrupt_response && !s.interrupted
         && (s.held || !s.playing.item.empty());
}

void turn_taking::let_go(speech& s, actions& out) {
  s.interrupts_at.reset();
  if (!std::exchange(s.held, false) || s.interrupted)
    return;
  // Another voice may hold it still.
  const auto& item = s.playing.item;
  if (std::none_of(open_.begin(), open_.end(),
                   [&](const speech& other) { return other.held && other.playing.item == item; })
      && !item.empty())
    out.emplace_back(let_go_on{item});
}

void turn_taking::interrupt(speech& s, actions& out) {
  s.interrupts_at.reset();
  if (!may_interrupt(s))
    return;
  s.interrupted = true;
  for (auto& other : open_)
    if (other.playing.item == s.playing.item) {
      other.held = false;
      other.interrupted = true;
      other.interrupts_at.reset();
    }
  out.emplace_back(break_off{s.playing});
}

turn_taking::actions turn_taking::on_edge(const speech_edge& edge, time now) {
  actions out;
  auto* s = find(edge.utterance);
  if (s == nullptr) {
    if (open_.size() >= speech_max) {
      let_go(open_.front(), out);
      open_.erase(open_.begin());
    }
    s = &open_.emplace_back();
    s->id = s->item = edge.utterance;
    s->playing = edge.playing;
  }
  s->stream = edge.stream;
  s->from_ms = edge.from_ms;
  s->voiced_ms = std::max(s->voiced_ms, edge.voiced_ms);
  switch (edge.kind) {
    case edge_kind::begun:
    case edge_kind::resumed:
      s->where = phase::open;
      // What the model said of the pause holds no longer.
      s->probability = -1;
      if (!edge.playing.item.empty())
        s->playing = edge.playing;
      if (!edge.playing.audible && !answering_ && !s->held)
        break;
      s->held = true;
      if (!settings_.turns.interrupt_response)
        let_go(*s, out);
      else if (settings_.interrupts_at_once || !settings_.barge_in.resume_after_false)
        interrupt(*s, out);
      else
        s->interrupts_at = now
                           + std::max(std::chrono::milliseconds{0},
                                      voice_interrupts - std::chrono::milliseconds{s->voiced_ms});
      break;
    case edge_kind::paused:
      s->where = phase::paused;
      s->interrupts_at.reset();
      if (std::chrono::milliseconds{s->voiced_ms} >= voice_interrupts && s->held)
        interrupt(*s, out);
      else if (std::chrono::milliseconds{s->voiced_ms} < settings_.barge_in.min_speech)
        let_go(*s, out);
      if (settings_.turns.mode == turn_mode::semantic && settings_.has_model && edge.tail
          && std::chrono::milliseconds{s->voiced_ms} >= settings_.barge_in.min_speech)
        out.emplace_back(ask_model{s->id, edge.tail});
      break;
    case edge_kind::ended:
      end(*s, edge, now, out);
      break;
  }
  return out;
}

void turn_taking::end(speech& s, const speech_edge& edge, time now, actions& out) {
  if (s.where == phase::ended || s.where == phase::committed)
    return;
  s.where = phase::ended;
  s.to_ms = edge.at_ms;
  s.manual = edge.manual;
  s.interrupts_at.reset();
  // Cleared, or another stream has begun: nothing of it is wanted.
  if (!s.manual && edge.voiced_ms == 0) {
    let_go(s, out);
    out.emplace_back(drop_noise{s.id});
    return;
  }
  // What a client commits is its word, and a client that saw speech begin waits for the commit.
  if (!s.manual && !settings_.interrupts_at_once
      && std::chrono::milliseconds{s.voiced_ms} < settings_.barge_in.min_speech) {
    let_go(s, out);
    out.emplace_back(drop_noise{s.id});
    return;
  }
  if (s.held && std::chrono::milliseconds{s.voiced_ms} >= voice_interrupts)
    interrupt(s, out);
  s.words_due = now + settings_.transcript;
  turn_over why{s.id, s.manual ? "manual" : "silence", edge.silence_ms, s.probability};
  if (s.probability > turn_is_over)
    why.why = "semantic";
  else if (!s.manual && edge.silence_ms == 0)
    why.why = "limit";
  out.emplace_back(take_turn{s.id, s.stream, s.from_ms, s.to_ms, std::move(why)});
}

turn_taking::actions turn_taking::on_committed(const std::string& utterance,
                                               const speech_committed& as, time now) {
  actions out;
  auto* s = find(utterance);
  if (s == nullptr)
    return out;
  if (as.known) {
    let_go(*s, out);
    out.emplace_back(drop_noise{s->id});
    return out;
  }
  s->where = phase::committed;
  s->item = as.item;
  s->words_due = now + settings_.transcript;
  if (s->words)
    finish(*s, out);
  return out;
}

turn_taking::actions turn_taking::on_text(const utterance_text& text, time) {
  actions out;
  auto* s = find(text.utterance);
  if (s == nullptr)
    return out;
  if (!text.is_final) {
    if (s->held && !plain_words(text.text).empty()
        && !is_backchannel(text.text, settings_.barge_in.ignore))
      interrupt(*s, out);
    return out;
  }
  s->words = text;
  s->words_due.reset();
  if (s->where == phase::committed)
    finish(*s, out);
  return out;
}

/// Its words are known and it is in the journal: what they mean.
void turn_taking::finish(speech& s, actions& out) {
  const auto& text = s.words->text;
  take_words take{.utterance = s.item, .text = text, .playing = s.playing};
  const bool during_answer = !s.playing.item.empty() && s.playing.audible;
  if (s.words->failed) {
    take.reason = "failed";
    // The agent asks again, unless it was speaking and nobody knows that this was meant for it.
    take.answer = !s.manual && settings_.turns.create_response && (!during_answer || s.interrupted);
    let_go(s, out);
  } else if (plain_words(text).empty()) {
    take.text.clear();
    take.reason = "nothing";
    let_go(s, out);
  } else if (during_answer && !s.interrupted && !s.manual
             && is_backchannel(text, settings_.barge_in.ignore)) {
    let_go(s, out);
  } else {
    interrupt(s, out);
    // A client that commits asks for its answer itself.
    take.answer = !s.manual && settings_.turns.create_response;
  }
  out.emplace_back(std::move(take));
  s.words_due.reset();
}

turn_taking::actions turn_taking::on_model(const std::string& utterance, float probability, time) {
  actions out;
  auto* s = find(utterance);
  // It speaks again, or the silence has decided already.
  if (s == nullptr || s->where != phase::paused)
    return out;
  s->probability = probability;
  if (probability > turn_is_over)
    out.emplace_back(close_turn{{s->id, "semantic", 0, probability}});
  return out;
}

turn_taking::actions turn_taking::on_time(time now) {
  actions out;
  for (auto& s : open_) {
    if (s.interrupts_at && *s.interrupts_at <= now)
      interrupt(s, out);
    if (!s.words_due || *s.words_due > now)
      continue;
    if (!std::exchange(s.asked_other, true)) {
      s.words_due = now + settings_.transcript;
      out.emplace_back(ask_other_engine{s.id});
      continue;
    }
    s.words_due.reset();
    s.words = utterance_text{s.id, {}, true, true};
    if (s.where == phase::committed)
      finish(s, out);
  }
  return out;
}

std::vector<std::string> turn_taking::on_settled(const std::string& item, actions& out) {
  std::vector<std::string> gone;
  for (auto& s : open_)
    if (s.id == item || s.item == item) {
      // Somebody has deleted it before its words were known.
      let_go(s, out);
      gone.push_back(s.id);
    }
  std::erase_if(open_, [&](const speech& s) { return s.id == item || s.item == item; });
  return gone;
}

std::optional<turn_taking::time> turn_taking::next() const {
  std::optional<time> first;
  for (const auto& s : open_)
    for (const auto& at : {s.interrupts_at, s.words_due})
      if (at && (!first || *at < *first))
        first = at;
  return first;
}

} // namespace sidevoice
