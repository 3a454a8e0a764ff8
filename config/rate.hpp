#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

/// Token buckets: time in, decision out. No clock, no lock: the caller has both.
namespace sidevoice {

using rate_time = std::chrono::steady_clock::time_point;

/// `burst` at once, then one per `recovery`.
struct rate_limit {
  std::size_t burst = 1;
  std::chrono::nanoseconds recovery{0};

  bool operator==(const rate_limit&) const = default;
};

/// "20 per minute": all of them at once, then evenly; 0 allows nothing. Over any such period at
/// most twice the count.
rate_limit limit_per(std::size_t count, std::chrono::nanoseconds period);

/// One bucket. The limit comes with each question, so that a changed one holds at once.
class rate_bucket {
public:
  /// How long until the next one is allowed, at least 1 ms; zero: it is allowed now.
  [[nodiscard]] std::chrono::milliseconds wait(const rate_limit& limit, rate_time now) const;

  /// Takes one if it is allowed; what is refused costs nothing. Answers as `wait` did before.
  std::chrono::milliseconds take(const rate_limit& limit, rate_time now);

  /// Takes one, allowed or not.
  void charge(const rate_limit& limit, rate_time now);

  /// True when nothing is owed any more: such a bucket is like a new one.
  [[nodiscard]] bool recovered(rate_time now) const;

private:
  /// When all that was taken will have come back.
  rate_time clear_at_;
};

/// What happens to a new key while as many as there may be owe something.
enum class when_crowded {
  /// The bucket that was used least recently is forgotten: each key has its own, but whoever has
  /// very many keys gets more.
  forget_oldest,
  /// New keys share one bucket: for guessers, who must gain nothing by having many addresses.
  share,
};

/// A bucket for each key (an address, a session, an app), at most `keys_max` of them.
class keyed_rate {
public:
  explicit keyed_rate(std::size_t keys_max = 10'000,
                      when_crowded policy = when_crowded::forget_oldest);

  // Buckets are found by views of their names in the list.
  keyed_rate(const keyed_rate&) = delete;
  keyed_rate& operator=(const keyed_rate&) = delete;

  /// As for a bucket.
  [[nodiscard]] std::chrono::milliseconds wait(std::string_view key, const rate_limit& limit,
                                               rate_time now) const;
  std::chrono::milliseconds take(std::string_view key, const rate_limit& limit, rate_time now);
  void charge(std::string_view key, const rate_limit& limit, rate_time now);

  /// Keys that have a bucket of their own.
  [[nodiscard]] std::size_t size() const;

private:
  struct entry {
    std::string key;
    rate_bucket bucket;
  };

  /// Whether a new key gets no bucket of its own.
  [[nodiscard]] bool must_share(rate_time now) const;
  rate_bucket& bucket_of(std::string_view key, rate_time now);
  void forget_last();

  std::size_t keys_max_;
  when_crowded policy_;
  /// The one used last comes first.
  std::list<entry> entries_;
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_key_;
  /// Of the keys beyond `keys_max`.
  rate_bucket shared_;
};

} // namespace sidevoice
