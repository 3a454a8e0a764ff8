#include "actors/silence_watch.hpp"

#include <utility>

namespace sidevoice {

void silence_watch::on_visitor() {
  on_agent();
  prompts_ = 0;
}

void silence_watch::on_voice() {
  if (!before_)
    before_ = now_;
  now_ = {};
}

void silence_watch::on_noise() {
  if (const auto before = std::exchange(before_, std::nullopt))
    now_ = *before;
}

void silence_watch::on_asked(const std::string& response, bool is_ours, time now) {
  awaited_ = response;
  if (is_ours)
    return;
  on_visitor();
  if (settings_.dead_air)
    now_.filler = now + settings_.dead_air->after;
}

void silence_watch::on_agent() {
  now_ = {};
  before_.reset();
  played_early_ = false;
}

void silence_watch::on_ended(const std::string& response, time now) {
  if (response != awaited_)
    return;
  awaited_.clear();
  now_.filler.reset();
  if (before_)
    before_->filler.reset();
  if (std::exchange(played_early_, false))
    watch_visitor(now);
}

void silence_watch::on_played(time now) {
  if (awaited_.empty())
    watch_visitor(now);
  else
    played_early_ = true;
}

void silence_watch::watch_visitor(time now) {
  watched next;
  if (settings_.visitor_silent && prompts_ < settings_.visitor_silent->times)
    next.prompt = now + settings_.visitor_silent->after;
  if (settings_.idle_timeout && prompts_ == 0)
    next.idle = now + *settings_.idle_timeout;
  // While a voice speaks it may still be a noise.
  (before_ ? *before_ : now_) = next;
}

silence_watch::what silence_watch::on_time(time now) {
  const auto due = [now](std::optional<time>& at) {
    if (!at || *at > now)
      return false;
    at.reset();
    return true;
  };
  if (due(now_.filler))
    return settings_.dead_air && !settings_.dead_air->say.empty() ? what::filler : what::nothing;
  if (due(now_.idle)) {
    ++prompts_;
    return what::idle;
  }
  if (due(now_.prompt)) {
    ++prompts_;
    return what::prompt;
  }
  return what::nothing;
}

std::optional<silence_watch::time> silence_watch::next() const {
  std::optional<time> first;
  for (const auto& at : {now_.filler, now_.prompt, now_.idle})
    if (at && (!first || *at < *first))
      first = at;
  return first;
}

} // namespace sidevoice
