#include "gateway/open_links.hpp"

#include <vector>

namespace sidevoice {

namespace {

constexpr std::uint16_t policy_violation = 1008;
constexpr const char* revoked_text = "key revoked";

template <class Map, class Key>
std::size_t count_of(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

template <class Map, class Key>
std::size_t one_less(Map& map, const Key& key) {
  const auto found = map.find(key);
  const auto left = --found->second;
  if (left == 0)
    map.erase(found);
  return left;
}

error too_many(const char* reason, const char* detail) {
  return {errc::overloaded, detail, {}, reason};
}

} // namespace

open_links::place::~place() {
  all_->leave(number_);
}

void open_links::place::occupy(const std::shared_ptr<client_link>& link,
                               std::function<void(bool attached)> leave) {
  all_->occupy(number_, link, std::move(leave));
}

result<std::shared_ptr<open_links::place>>
open_links::enter(link_owner who, std::optional<std::uint32_t> app_sessions) {
  const std::pair session{who.app, who.session};
  const std::lock_guard lock{mutex_};
  const auto joined = count_of(by_session_, session);
  if (joined == 0 && app_sessions && count_of(by_app_, who.app) >= *app_sessions)
    return too_many("sessions_limit",
                    "The app has all the conversations at once that its operator allows. Try again "
                    "later.");
  if (joined >= limits_.per_session)
    return too_many("session_connections_limit",
                    "The session has too many connections. Close some, or try again later.");
  if (!who.address.empty() && count_of(by_address_, who.address) >= limits_.per_address)
    return too_many("address_connections_limit",
                    "Too many connections are open from this address. Close some, or try again "
                    "later.");
  if (joined == 0)
    ++by_app_[who.app];
  ++by_session_[session];
  if (!who.address.empty())
    ++by_address_[who.address];
  const auto number = next_++;
  if (!who.key.empty())
    by_key_.emplace(std::pair{who.app, who.key}, number);
  entries_.emplace(number, entry{std::move(who), {}, {}, false});
  return std::make_shared<place>(shared_from_this(), number);
}

void open_links::occupy(std::size_t number, const std::shared_ptr<client_link>& link,
                        std::function<void(bool attached)> leave) {
  bool revoked = false;
  {
    const std::lock_guard lock{mutex_};
    auto& entry = entries_.at(number);
    entry.link = link;
    entry.leave = std::move(leave);
    revoked = entry.revoked;
  }
  if (revoked)
    link->close(policy_violation, revoked_text);
}

void open_links::leave(std::size_t number) {
  std::function<void(bool)> gone; // ends behind the lock: it may hold the last of a connection
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(number);
  gone = std::move(found->second.leave);
  const auto who = std::move(found->second.who);
  entries_.erase(found);
  if (one_less(by_session_, std::pair{who.app, who.session}) == 0)
    one_less(by_app_, who.app);
  if (!who.address.empty())
    one_less(by_address_, who.address);
  const auto [first, last] = by_key_.equal_range({who.app, who.key});
  for (auto at = first; at != last; ++at)
    if (at->second == number) {
      by_key_.erase(at);
      break;
    }
}

std::size_t open_links::close_key(const std::string& app, const std::string& key) {
  std::size_t closed = 0;
  std::vector<std::shared_ptr<client_link>> links; // closed behind the lock: it may call back
  {
    const std::lock_guard lock{mutex_};
    const auto [first, last] = by_key_.equal_range({app, key});
    for (auto at = first; at != last; ++at) {
      auto& entry = entries_.at(at->second);
      if (std::exchange(entry.revoked, true))
        continue;
      ++closed;
      if (auto link = entry.link.lock())
        links.push_back(std::move(link));
    }
  }
  for (const auto& link : links)
    link->close(policy_violation, revoked_text);
  return closed;
}

void open_links::leave_all(bool attached) const {
  const std::lock_guard lock{mutex_};
  for (const auto& [number, entry] : entries_)
    if (entry.leave)
      entry.leave(attached);
}

std::size_t open_links::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

} // namespace sidevoice
