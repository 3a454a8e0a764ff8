#pragma once

#include "config/result.hpp"
#include "gateway/client_link.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sidevoice {

/// Whose WebSocket it is.
struct link_owner {
  std::string app;
  std::string session;
  /// Id of the key that it came in with; empty: none, or one of the app file.
  std::string key;
  /// The address as accounts count it; empty: not bounded by address.
  std::string address;
};

struct link_limits {
  std::size_t per_session = 16;
  /// Of visitors; the backend of a site has one address for all of them, and a server key.
  std::size_t per_address = 256;
};

/// The WebSockets of the public port, by session, address and key: bounds their number, and finds
/// those of a key that is revoked. Any thread.
class open_links : public std::enable_shared_from_this<open_links> {
public:
  /// Counts until it goes.
  class place {
  public:
    place(std::shared_ptr<open_links> all, std::size_t number)
        : all_(std::move(all)),
          number_(number) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place();

    /// The socket is there. One whose key was revoked meanwhile is closed at once. `leave` sends
    /// its client to the next server: with `attached` in any case, else where no session is awake
    /// that would do it.
    void occupy(const std::shared_ptr<client_link>& link,
                std::function<void(bool attached)> leave = {});

  private:
    std::shared_ptr<open_links> all_;
    std::size_t number_;
  };

  explicit open_links(link_limits limits) : limits_(limits) {}

  /// `app_sessions` bounds the sessions of the app that have a socket. Errors: `overloaded`, with
  /// the limit as the reason: "sessions_limit", "session_connections_limit",
  /// "address_connections_limit".
  result<std::shared_ptr<place>> enter(link_owner who, std::optional<std::uint32_t> app_sessions);

  /// Closes the sockets of a key with 1008 "key revoked"; how many there were.
  std::size_t close_key(const std::string& app, const std::string& key);

  /// Has clients go to the next server, as of `occupy`.
  void leave_all(bool attached) const;

  [[nodiscard]] std::size_t size() const;

private:
  struct entry {
    link_owner who;
    std::weak_ptr<client_link> link;
    std::function<void(bool attached)> leave;
    bool revoked = false;
  };

  void leave(std::size_t number);
  void occupy(std::size_t number, const std::shared_ptr<client_link>& link,
              std::function<void(bool attached)> leave);

  const link_limits limits_;
  mutable std::mutex mutex_;
  std::map<std::size_t, entry> entries_;
  std::size_t next_ = 0;
  /// By app and session.
  std::map<std::pair<std::string, std::string>, std::size_t> by_session_;
  /// Sessions with a socket.
  std::map<std::string, std::size_t> by_app_;
  std::map<std::string, std::size_t> by_address_;
  /// Numbers of entries, by app and key.
  std::multimap<std::pair<std::string, std::string>, std::size_t> by_key_;
};

} // namespace sidevoice
