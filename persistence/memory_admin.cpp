#include "persistence/memory_admin.hpp"

#include "persistence/admin_rules.hpp"

#include <algorithm>

namespace sidevoice {

result<release_kept> memory_admin::answer_to(const put_release& job) {
  if (auto checked = check_release(job); !checked)
    return checked.error();
  releases_.try_emplace({job.app, job.digest}, release{job.body, job.at});
  return release_kept{};
}

result<release_found> memory_admin::answer_to(const get_release& job) const {
  const auto found = releases_.find({job.app, job.digest});
  if (found == releases_.end())
    return release_found{};
  return release_found{found->second.body};
}

result<release_pointed> memory_admin::answer_to(const point_release& job) {
  if (auto checked = check_pointer(job); !checked)
    return checked.error();
  if (!releases_.contains({job.app, job.digest}))
    return unknown_release();
  names_[{job.app, job.name}] = job.digest;
  return release_pointed{};
}

result<release_list> memory_admin::answer_to(const list_releases& job) const {
  release_list list;
  for (const auto& [where, release] : releases_) {
    if (where.first != job.app)
      continue;
    auto& row =
      list.rows.emplace_back(release_row{.digest = where.second, .created_at = release.created_at});
    for (const auto& [name, digest] : names_)
      if (name.first == job.app && digest == row.digest)
        row.names.push_back(name.second);
  }
  std::stable_sort(list.rows.begin(), list.rows.end(),
                   [](const auto& a, const auto& b) { return a.created_at > b.created_at; });
  return list;
}

result<key_kept> memory_admin::answer_to(const put_key& job) {
  if (auto checked = check_key(job.key); !checked)
    return checked.error();
  const name_in_app where{job.key.app, job.key.id};
  if (const auto known = keys_.find(where); known != keys_.end() && known->second == job.key)
    return key_kept{};
  const auto same_hash = [&job](const auto& entry) { return entry.second.hash == job.key.hash; };
  if (keys_.contains(where) || revocations_.contains(where)
      || std::any_of(keys_.begin(), keys_.end(), same_hash))
    return taken_key(job.key);
  keys_.emplace(where, job.key);
  ++key_change_;
  return key_kept{};
}

result<key_list> memory_admin::answer_to(const list_keys& job) const {
  key_list list{.change = key_change_, .changed = job.since_change != key_change_};
  if (!list.changed)
    return list;
  for (const auto& [where, key] : keys_)
    if (job.app.empty() || where.first == job.app)
      list.keys.push_back(key);
  for (const auto& [where, revocation] : revocations_)
    if (job.app.empty() || where.first == job.app)
      list.revocations.push_back(revocation);
  return list;
}

result<key_revoked> memory_admin::answer_to(const revoke_key& job) {
  if (auto checked = check_revocation(job); !checked)
    return checked.error();
  const auto key = keys_.find({job.app, job.id});
  const bool server_key = key != keys_.end();
  bool changed = false;
  if (server_key && key->second.revoked_at == 0) {
    key->second.revoked_at = job.at;
    changed = true;
  } else if (!server_key) {
    changed = revocations_
                .try_emplace({job.app, job.id}, key_revocation{.app = job.app,
                                                               .id = job.id,
                                                               .revoked_at = job.at,
                                                               .expires_at = job.expires_at})
                .second;
  }
  const auto dropped = std::erase_if(revocations_, [&job](const auto& entry) {
    return entry.second.expires_at != 0 && entry.second.expires_at <= job.at;
  });
  if (changed || dropped > 0)
    ++key_change_;
  return key_revoked{server_key};
}

result<spend_found> memory_admin::answer_to(const get_spend& job) const {
  const auto found = spend_.find({job.app, job.day});
  return spend_found{found == spend_.end() ? 0 : found->second};
}

void memory_admin::spend(const std::string& app, std::int32_t day, std::uint64_t micro) {
  if (micro > 0)
    spend_[{app, day}] += micro;
}

} // namespace sidevoice
