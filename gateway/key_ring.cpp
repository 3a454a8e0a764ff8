#include "gateway/key_ring.hpp"

#include <algorithm>
#include <iterator>

namespace sidevoice {

std::vector<key_ring::key_name> key_ring::replace(const key_list& list) {
  auto next = std::make_shared<state>();
  for (const auto& row : list.keys) {
    if (row.revoked_at != 0) {
      next->revoked.emplace(row.app, row.id);
      continue;
    }
    ring_key key{row.app, row.id, {}, row.expires_at};
    if (read_hex(row.hash, key.digest))
      next->server_keys.push_back(std::move(key));
  }
  for (const auto& gone : list.revocations)
    next->revoked.emplace(gone.app, gone.id);
  std::vector<key_name> fresh;
  const std::lock_guard lock{mutex_};
  std::set_difference(next->revoked.begin(), next->revoked.end(), state_->revoked.begin(),
                      state_->revoked.end(), std::back_inserter(fresh));
  state_ = std::move(next);
  ++version_;
  return fresh;
}

std::shared_ptr<const key_ring::state> key_ring::now() const {
  const std::lock_guard lock{mutex_};
  return state_;
}

std::uint64_t key_ring::version() const {
  const std::lock_guard lock{mutex_};
  return version_;
}

bool key_ring::is_revoked(const std::string& app, const std::string& id) const {
  return now()->revoked.contains({app, id});
}

} // namespace sidevoice
