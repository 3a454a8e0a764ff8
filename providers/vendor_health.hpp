#pragma once

#include "config/loop.hpp"
#include "config/result.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

namespace sidevoice {

class vendor_places;

/// Which vendors have failed lately, by app and key: whoever has a choice of models leaves such a
/// vendor out for a while, then one call tries it for all of them. Time comes in. Any thread.
class vendor_health {
public:
  using time_point = loop::clock::time_point;

  /// What a mark belongs to: another key of the same vendor is another matter, so a rotated key is
  /// tried at once. The key itself is not kept.
  struct account {
    std::string app;
    std::string vendor;
    std::size_t key_hash = 0;

    account(std::string app_id, std::string vendor_name, const std::string& key);
    auto operator<=>(const account&) const = default;
  };

  enum class verdict {
    ask,
    /// It has had its pause: this call finds out for the others, who still pass it over. Whoever
    /// gets this answer owes `worked`, `failed` or `left`.
    probe,
    pass_over,
  };

  vendor_health();
  vendor_health(const vendor_health&) = delete;
  vendor_health& operator=(const vendor_health&) = delete;
  ~vendor_health();

  /// `pass_over` within `retry_after` after a failure, and while a probe is under way. With a time
  /// of 0 it is always `ask`.
  [[nodiscard]] verdict judge(const account& who, time_point now, std::chrono::seconds retry_after);

  /// Marks it where the failure is the vendor's or the account's; a bad request or a model that
  /// does not exist says nothing about the next call. True: it was marked.
  bool failed(const account& who, const error& why, time_point now);

  /// It has answered: the mark goes.
  void worked(const account& who);

  /// The probe was given up before the vendor said anything: the next call is one.
  void left(const account& who);

  /// The calls that are under way, by the same accounts.
  [[nodiscard]] vendor_places& places() {
    return *places_;
  }

private:
  struct mark {
    time_point at;
    bool is_probed = false;
  };

  mutable std::mutex mutex_;
  std::map<account, mark> failed_;
  std::shared_ptr<vendor_places> places_;
};

} // namespace sidevoice
