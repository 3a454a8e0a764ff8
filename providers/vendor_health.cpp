#include "providers/vendor_health.hpp"

#include "providers/vendor_places.hpp"

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

vendor_health::vendor_health() : places_(std::make_shared<vendor_places>()) {}

vendor_health::~vendor_health() = default;

vendor_health::verdict vendor_health::judge(const account& who, time_point now,
                                            std::chrono::seconds retry_after) {
  if (retry_after.count() <= 0)
    return verdict::ask;
  const std::lock_guard guard{mutex_};
  const auto found = failed_.find(who);
  if (found == failed_.end())
    return verdict::ask;
  if (found->second.is_probed || now - found->second.at < retry_after)
    return verdict::pass_over;
  found->second.is_probed = true;
  return verdict::probe;
}

bool vendor_health::failed(const account& who, const error& why, time_point now) {
  const std::lock_guard guard{mutex_};
  if (std::find(telling.begin(), telling.end(), why.reason) == telling.end()) {
    // A probe that came to nothing for a reason of its own: the next call is one.
    if (const auto found = failed_.find(who); found != failed_.end())
      found->second.is_probed = false;
    return false;
  }
  if (failed_.size() >= marks_max && !failed_.contains(who))
    failed_.erase(
      std::min_element(failed_.begin(), failed_.end(),
                       [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  failed_.insert_or_assign(who, mark{now});
  return true;
}

void vendor_health::worked(const account& who) {
  const std::lock_guard guard{mutex_};
  failed_.erase(who);
}

void vendor_health::left(const account& who) {
  const std::lock_guard guard{mutex_};
  if (const auto found = failed_.find(who); found != failed_.end())
    found->second.is_probed = false;
}

} // namespace sidevoice
