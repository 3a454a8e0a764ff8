#pragma once

#include "config/loop.hpp"
#include "config/result.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace sidevoice {

/// Which vendors have failed lately, by app and key: whoever has a choice of models leaves such a
/// vendor out for a while. Time comes in. Any thread.
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

  /// It has not failed within `retry_after` before `now`. With a time of 0 it is always usable.
  [[nodiscard]] bool usable(const account& who, time_point now,
                            std::chrono::seconds retry_after) const;

  /// Marks it where the failure is the vendor's or the account's; a bad request or a model that
  /// does not exist says nothing about the next call. True: it was marked.
  bool failed(const account& who, const error& why, time_point now);

  /// It has answered: the mark goes.
  void worked(const account& who);

private:
  mutable std::mutex mutex_;
  std::map<account, time_point> failed_;
};

} // namespace sidevoice
