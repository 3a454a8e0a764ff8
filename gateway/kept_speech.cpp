#include "gateway/kept_speech.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

/// Of utterances whose sound has gone too; in a minute of sound there are never so many.
constexpr std::size_t utterances_max = 256;

constexpr std::size_t samples_per_ms = speech_rate / 1000;

} // namespace

kept_speech::kept_speech(counters& count, std::size_t samples_max)
    : count_{count},
      samples_max_{samples_max} {}

kept_utterance& kept_speech::open(std::string id, std::string stream, std::uint64_t from) {
  if (all_.size() >= utterances_max)
    forget(std::string{all_.front().id});
  auto& one = all_.emplace_back();
  one.id = std::move(id);
  one.stream = std::move(stream);
  one.from = from;
  return one;
}

kept_utterance* kept_speech::current() {
  return all_.empty() || all_.back().ended ? nullptr : &all_.back();
}

const kept_utterance* kept_speech::current() const {
  return all_.empty() || all_.back().ended ? nullptr : &all_.back();
}

void kept_speech::append(samples_view data) {
  if (auto* one = current(); one != nullptr) {
    one->data.append(data);
    samples_ += data.size();
    make_room();
  }
}

void kept_speech::make_room() {
  const auto before = dropped_ / samples_per_ms;
  for (auto& one : all_) {
    if (samples_ <= samples_max_)
      break;
    const auto gone = std::min(samples_ - samples_max_, one.data.size());
    one.data.drop(gone);
    samples_ -= gone;
    dropped_ += gone;
  }
  if (const auto lost_ms = dropped_ / samples_per_ms - before; lost_ms > 0)
    count_.add(counter::sound_dropped_ms, lost_ms);
}

bool kept_speech::forget(const std::string& id) {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const auto& one) { return one.id == id; });
  if (found == all_.end())
    return false;
  samples_ -= found->data.size();
  all_.erase(found);
  return true;
}

std::optional<std::uint64_t> kept_speech::oldest(const std::string& stream) const {
  std::optional<std::uint64_t> from;
  for (const auto& one : all_)
    if (one.stream == stream)
      from = std::min(from.value_or(one.from), one.from);
  return from;
}

const std::deque<kept_utterance>& kept_speech::all() const {
  return all_;
}

std::size_t kept_speech::samples_kept() const {
  return samples_;
}

} // namespace sidevoice
