#pragma once

#include "gateway/http.hpp"
#include "persistence/store.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace sidevoice {

/// 410: the session's journal is damaged, and stays so until an operator has stopped the server.
/// `event` is the number of the first damaged event; empty: not known.
http_response refuse_damaged(const std::string& session, const std::string& event);

/// Sessions that were refused as damaged. A browser says nothing about an upgrade that failed, so
/// pages ask again by a plain GET, which opens no session: this knows what that one would find. Any
/// thread.
class damaged_sessions {
public:
  /// The oldest entries go first.
  static constexpr std::size_t sessions_max = 1000;

  void add(const session_key& key, const std::string& event);
  /// It could be opened after all.
  void remove(const session_key& key);
  /// Unset for a session that was not refused.
  [[nodiscard]] std::optional<http_response> refusal(const session_key& key) const;

private:
  struct entry {
    std::string event;
    std::uint64_t number = 0;
  };

  mutable std::mutex mutex_;
  std::map<session_key, entry> sessions_;
  std::uint64_t next_ = 0;
};

} // namespace sidevoice
