#pragma once

#include "config/result.hpp"
#include "persistence/admin_jobs.hpp"

#include <map>
#include <string>
#include <utility>

namespace sidevoice {

/// Releases, keys and spend of the memory store; internal to persistence. One thread at a time.
class memory_admin {
public:
  result<release_kept> answer_to(const put_release& job);
  [[nodiscard]] result<release_found> answer_to(const get_release& job) const;
  result<release_pointed> answer_to(const point_release& job);
  [[nodiscard]] result<release_list> answer_to(const list_releases& job) const;
  result<key_kept> answer_to(const put_key& job);
  [[nodiscard]] result<key_list> answer_to(const list_keys& job) const;
  result<key_revoked> answer_to(const revoke_key& job);
  [[nodiscard]] result<spend_found> answer_to(const get_spend& job) const;

  /// Counts what an append has spent.
  void spend(const std::string& app, std::int32_t day, std::uint64_t micro);

private:
  struct release {
    json_text body;
    std::int64_t created_at = 0;
  };
  /// An app and what is named in it.
  using name_in_app = std::pair<std::string, std::string>;

  std::map<name_in_app, release> releases_;
  /// Digests by name.
  std::map<name_in_app, std::string> names_;
  std::map<name_in_app, key_row> keys_;
  std::map<name_in_app, key_revocation> revocations_;
  std::uint64_t key_change_ = 1;
  std::map<std::pair<std::string, std::int32_t>, std::uint64_t> spend_;
};

} // namespace sidevoice
