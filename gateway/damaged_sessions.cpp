#include "gateway/damaged_sessions.hpp"

#include <algorithm>

namespace sidevoice {

http_response refuse_damaged(const std::string& session, const std::string& event) {
  const auto where = event.empty() ? std::string{} : " at event " + event;
  return to_response(
    {410, "session_damaged",
     "The stored session " + session + " is damaged" + where
       + " and cannot be opened; asking again does not help. Whoever runs the server can save and "
         "repair it: `sidevoice store verify --session "
       + session + "`.",
     "session"});
}

void damaged_sessions::add(const session_key& key, const std::string& event) {
  const std::lock_guard lock{mutex_};
  sessions_[key] = {event, next_++};
  if (sessions_.size() <= sessions_max)
    return;
  sessions_.erase(
    std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
      return a.second.number < b.second.number;
    }));
}

void damaged_sessions::remove(const session_key& key) {
  const std::lock_guard lock{mutex_};
  sessions_.erase(key);
}

std::optional<http_response> damaged_sessions::refusal(const session_key& key) const {
  const std::lock_guard lock{mutex_};
  const auto found = sessions_.find(key);
  if (found == sessions_.end())
    return std::nullopt;
  return refuse_damaged(key.id, found->second.event);
}

} // namespace sidevoice
