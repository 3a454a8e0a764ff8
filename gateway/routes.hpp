#pragma once

#include "config/app.hpp"
#include "config/ids.hpp"
#include "gateway/auth.hpp"
#include "gateway/client_key.hpp"
#include "gateway/http.hpp"
#include "gateway/static_files.hpp"

#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace sidevoice {

/// The request may become a WebSocket, once its session is found.
struct open_session {
  app_ptr app;
  std::string session;
  /// Make the session where it is unknown.
  bool create = false;
  std::string user;
  std::string locale;
  std::string zone;
  /// sidevoice.* events.
  bool extensions = false;
  /// To be echoed; empty: none.
  std::string subprotocol;
  bool may_set_instructions = false;
  /// Sealed key for an anonymous visitor to come back with; empty: none.
  std::string client_key;
};

using route_answer = std::variant<http_response, open_session>;

struct router_parts {
  std::vector<app_ptr> apps;
  key_sealer sealer;
  own_address own;
  static_files files;
  id_source* ids = nullptr;
  failure_throttle::options throttle = {};
  /// Life of the key that an anonymous visitor gets for its session.
  std::chrono::seconds client_key_life = std::chrono::hours{24 * 7};
};

/// The public port: which path and method is what, and who may. No socket, no actor, no clock. Any
/// thread.
class router {
public:
  explicit router(router_parts parts);

  /// `request` has passed check_head.
  [[nodiscard]] route_answer handle(const http_request& request, request_time at);

  /// Whether /readyz says so; `reason` names what is waited for, such as "starting".
  void set_ready(bool ready, std::string reason);

private:
  [[nodiscard]] http_response ready_response() const;
  [[nodiscard]] http_response list_apps(const http_request& request, request_time at);
  [[nodiscard]] route_answer open_realtime(const http_request& request, request_time at);
  [[nodiscard]] route_answer bind_session(const http_request& request, const access_grant& grant,
                                          request_time at);

  router_parts parts_;
  authenticator auth_;
  mutable std::mutex ready_mutex_;
  bool ready_ = false;
  std::string not_ready_because_ = "starting";
};

} // namespace sidevoice
