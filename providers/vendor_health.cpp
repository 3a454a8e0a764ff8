#include "providers/vendor_health.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

namespace sidevoice {

namespace {

/// Apps come and go, keys change: beyond so many the oldest mark goes.
constexpr std::size_t marks_max = 4096;

constexpr std::array<std::string_view, 17> telling{
  "invalid_api_key", "forbidden", "rate_limit", "insufficient_quota",
  "server_error",    "timeout",   "conflict",   "redirect",
  "first_byte",      "stall",     "cut",        "bad_answer",
  "resolve",         "connect",   "tls",        "deadline",
  "no_network"};

} // namespace

vendor_health::account::account(std::string app_id, std::string vendor_name, const std::string& key)
    : app(std::move(app_id)),
      vendor(std::move(vendor_name)),
      key_hash(std::hash<std::string>{}(key)) {}

bool vendor_health::usable(const account& who, time_point now,
                           std::chrono::seconds retry_after) const {
  const std::lock_guard guard{mutex_};
  const auto found = failed_.find(who);
  return found == failed_.end() || now - found->second >= retry_after;
}

bool vendor_health::failed(const account& who, const error& why, time_point now) {
  if (std::find(telling.begin(), telling.end(), why.reason) == telling.end())
    return false;
  const std::lock_guard guard{mutex_};
  if (failed_.size() >= marks_max && !failed_.contains(who))
    failed_.erase(
      std::min_element(failed_.begin(), failed_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; }));
  failed_.insert_or_assign(who, now);
  return true;
}

void vendor_health::worked(const account& who) {
  const std::lock_guard guard{mutex_};
  failed_.erase(who);
}

} // namespace sidevoice
