#include "actors/turn_ledger.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

constexpr std::size_t turns_max = 16;

std::uint32_t ms_between(turn_ledger::time from, turn_ledger::time to) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(ms, 0));
}

} // namespace

turn_ledger::turn* turn_ledger::of_utterance(const std::string& utterance) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const turn& t) { return t.utterance == utterance; });
  return found == open_.end() ? nullptr : &*found;
}

turn_ledger::turn* turn_ledger::of_response(const std::string& response) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const turn& t) {
    return !response.empty() && t.response == response;
  });
  return found == open_.end() ? nullptr : &*found;
}

void turn_ledger::ended(const std::string& utterance, std::chrono::milliseconds silence, time now) {
  if (of_utterance(utterance) != nullptr)
    return;
  open_.push_back({.utterance = utterance,
                   .response = {},
                   .item = {},
                   .voice_end = now - silence,
                   .decided = now,
                   .words = {},
                   .first_token = {},
                   .first_clause = {},
                   .sent = {}});
  if (open_.size() > turns_max)
    open_.pop_front();
}

void turn_ledger::words(const std::string& utterance, time now) {
  if (auto* t = of_utterance(utterance); t != nullptr && !t->words)
    t->words = now;
}

void turn_ledger::asked(const std::string& utterance, const std::string& response) {
  if (auto* t = of_utterance(utterance))
    t->response = response;
}

void turn_ledger::first_token(const std::string& response, time now) {
  if (auto* t = of_response(response); t != nullptr && !t->first_token)
    t->first_token = now;
}

void turn_ledger::first_clause(const std::string& response, time now) {
  if (auto* t = of_response(response); t != nullptr && !t->first_clause)
    t->first_clause = now;
}

void turn_ledger::sent(const std::string& item, const std::string& response, time now) {
  if (auto* t = of_response(response); t != nullptr && !t->sent) {
    t->sent = now;
    t->item = item;
  }
}

std::optional<turn_measured> turn_ledger::played(const std::string& item, time now) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const turn& t) {
    return t.sent && !item.empty() && t.item == item;
  });
  if (found == open_.end())
    return std::nullopt;
  const auto t = *found;
  open_.erase(found);
  // A part that nobody told of is none: its time counts in the next one. Each ends between the part
  // before it and the sound, and all are counted from the voice's end, so that they add up.
  const auto at = [&t](const std::optional<time>& told, std::uint32_t before, std::uint32_t most) {
    return std::clamp(told ? ms_between(t.voice_end, *told) : before, before, most);
  };
  const auto heard = ms_between(t.voice_end, now);
  const auto sent = std::min(ms_between(t.voice_end, *t.sent), heard);
  const auto decided = at(t.decided, 0, sent);
  const auto words = at(t.words, decided, sent);
  const auto token = at(t.first_token, words, sent);
  const auto clause = at(t.first_clause, token, sent);
  return turn_measured{.response = t.response,
                       .item = t.item,
                       .end_of_speech = decided,
                       .transcript = words - decided,
                       .first_token = token - words,
                       .first_clause = clause - token,
                       .first_audio = sent - clause,
                       .played = heard - sent};
}

void turn_ledger::forget(const std::string& response) {
  std::erase_if(open_, [&](const turn& t) { return !t.sent && t.response == response; });
}

} // namespace sidevoice
