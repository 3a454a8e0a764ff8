#include "config/rate.hpp"

#include <algorithm>

namespace sidevoice {

rate_limit limit_per(std::size_t count, std::chrono::nanoseconds period) {
  const auto share = static_cast<std::chrono::nanoseconds::rep>(std::max<std::size_t>(count, 1));
  return {.burst = count, .recovery = period / share};
}

std::chrono::milliseconds rate_bucket::wait(const rate_limit& limit, rate_time now) const {
  if (limit.burst == 0)
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(limit.recovery),
                    std::chrono::milliseconds{1});
  const auto allowed = limit.recovery * static_cast<std::chrono::nanoseconds::rep>(limit.burst - 1);
  const auto debt = clear_at_ - now;
  if (debt <= allowed)
    return std::chrono::milliseconds{0};
  return std::chrono::ceil<std::chrono::milliseconds>(debt - allowed);
}

std::chrono::milliseconds rate_bucket::take(const rate_limit& limit, rate_time now) {
  const auto waiting = wait(limit, now);
  if (waiting.count() == 0)
    charge(limit, now);
  return waiting;
}

void rate_bucket::charge(const rate_limit& limit, rate_time now) {
  clear_at_ = std::max(clear_at_, now) + limit.recovery;
}

bool rate_bucket::recovered(rate_time now) const {
  return clear_at_ <= now;
}

keyed_rate::keyed_rate(std::size_t keys_max, when_crowded policy)
    : keys_max_(std::max<std::size_t>(keys_max, 1)),
      policy_(policy) {}

std::chrono::milliseconds keyed_rate::wait(std::string_view key, const rate_limit& limit,
                                           rate_time now) const {
  if (const auto found = by_key_.find(key); found != by_key_.end())
    return found->second->bucket.wait(limit, now);
  return (must_share(now) ? shared_ : rate_bucket{}).wait(limit, now);
}

std::chrono::milliseconds keyed_rate::take(std::string_view key, const rate_limit& limit,
                                           rate_time now) {
  // Who is refused makes no entry: otherwise refused newcomers would push out those who wait.
  if (const auto waiting = wait(key, limit, now); waiting.count() > 0)
    return waiting;
  return bucket_of(key, now).take(limit, now);
}

void keyed_rate::charge(std::string_view key, const rate_limit& limit, rate_time now) {
  bucket_of(key, now).charge(limit, now);
}

std::size_t keyed_rate::size() const {
  return entries_.size();
}

bool keyed_rate::must_share(rate_time now) const {
  return policy_ == when_crowded::share && entries_.size() >= keys_max_
         && !entries_.back().bucket.recovered(now);
}

rate_bucket& keyed_rate::bucket_of(std::string_view key, rate_time now) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->bucket;
  }
  if (must_share(now))
    return shared_;
  if (entries_.size() >= keys_max_)
    forget_last();
  entries_.push_front({std::string{key}, {}});
  by_key_.emplace(entries_.front().key, entries_.begin());
  return entries_.front().bucket;
}

void keyed_rate::forget_last() {
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

} // namespace sidevoice
