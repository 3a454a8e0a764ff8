#pragma once

#include "config/app.hpp"
#include "config/ids.hpp"
#include "config/rate.hpp"
#include "gateway/admission.hpp"
#include "gateway/auth.hpp"
#include "gateway/client_key.hpp"
#include "gateway/damaged_sessions.hpp"
#include "gateway/http.hpp"
#include "gateway/static_files.hpp"

#include <functional>
#include <mutex>
#include <optional>
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
  /// Whether the session is new cannot be seen from the request: the journal knows. An overloaded
  /// node refuses it only if it is.
  bool perhaps_new = false;
  std::string user;
  std::string locale;
  std::string zone;
  /// sidevoice.* events.
  bool extensions = false;
  /// To be echoed; empty: none.
  std::string subprotocol;
  /// It came with a server key: session.update may set all but the model.
  bool by_server_key = false;
  /// Session fields that its key brought with it, as JSON; empty: none.
  json_text preset;
  /// Sealed key for an anonymous visitor to come back with; empty: none.
  std::string client_key;
  /// Id of the key whose revocation ends the connection; empty: none.
  std::string key;
};

using route_answer = std::variant<http_response, open_session>;

/// A path of the public port, beside the files.
struct route {
  enum class guard {
    /// Everybody gets the same answer.
    nobody,
    /// The answer holds what the caller may know of.
    filter,
    /// A credential for the app, or an app that is open to the caller.
    app,
    /// A server key of the app.
    server_key,
  };

  std::string path;
  /// As the field Allow has it.
  std::string allow;
  guard guarded_by = guard::nobody;
};

/// How often one address may ask, without a server key.
struct request_limits {
  /// Any path but /healthz and /readyz.
  rate_limit requests{600, std::chrono::milliseconds{20}};
};

struct router_parts {
  const app_registry* apps = nullptr;
  key_sealer sealer;
  own_address own;
  static_files files;
  id_source* ids = nullptr;
  failure_throttle::options throttle = {};
  request_limits limits = {};
  /// Keys of the store; null: none.
  const key_ring* ring = nullptr;
  /// Sessions that a plain GET is told not to open; null: none is known.
  const damaged_sessions* damaged = nullptr;
  /// Life of the key that an anonymous visitor gets for its session.
  std::chrono::seconds client_key_life = std::chrono::hours{24 * 7};
  /// The node has speech engines: what a session object says of its modalities.
  bool speaks = false;
  /// Refuses a new session where the node has no room for it; empty: there always is. Any thread.
  std::function<std::optional<http_response>(newcomer)> refuse_newcomer = {};
};

/// The public port: which path and method is what, and who may. No socket, no actor, no clock. Any
/// thread.
class router {
public:
  explicit router(router_parts parts);

  /// All paths that `handle` knows, beside the files.
  [[nodiscard]] static const std::vector<route>& table();

  /// `request` has passed check_head. A refusal by a limit is 429 with Retry-After.
  [[nodiscard]] route_answer handle(const http_request& request, request_time at);

  /// Whether /readyz says so; `reason` names what is waited for, such as "starting".
  void set_ready(bool ready, std::string reason);

  /// From now on nobody gets a WebSocket: the server is about to go, and clients come back to the
  /// next one. Not ready either.
  void stop();

private:
  using answerer = route_answer (router::*)(const http_request&, request_time);
  struct entry {
    route what;
    answerer answer;
  };

  static const std::vector<entry>& entries();
  [[nodiscard]] route_answer dispatch(const http_request& request, request_time at);
  [[nodiscard]] std::optional<http_response> over_limit(const http_request& request,
                                                        request_time at);
  [[nodiscard]] route_answer alive(const http_request& request, request_time at);
  [[nodiscard]] route_answer ready(const http_request& request, request_time at);
  [[nodiscard]] route_answer list_apps(const http_request& request, request_time at);
  [[nodiscard]] route_answer open_realtime(const http_request& request, request_time at);
  [[nodiscard]] route_answer make_client_secret(const http_request& request, request_time at);
  [[nodiscard]] std::optional<http_response> refuse_upgrade() const;
  [[nodiscard]] std::optional<http_response> over_load(const access_grant& grant,
                                                       const open_session& opened) const;
  [[nodiscard]] route_answer bind_session(const http_request& request, const access_grant& grant);
  /// What only a request that really opens a socket uses up.
  [[nodiscard]] route_answer begin(const http_request& request, const access_grant& grant,
                                   open_session opened, request_time at);

  router_parts parts_;
  authenticator auth_;
  std::mutex rates_mutex_;
  /// By address; by app and address.
  keyed_rate requests_;
  keyed_rate sessions_;
  mutable std::mutex ready_mutex_;
  bool ready_ = false;
  bool stopping_ = false;
  std::string not_ready_because_ = "starting";
};

/// 429 whose code names the limit.
http_response refuse_limit(const std::string& code, std::string message,
                           std::chrono::milliseconds wait);

/// Code of a refusal for want of head-room.
inline constexpr const char* overload_code = "server_overloaded";

/// The first name in the query that looks like a key, refused: URLs end up in logs.
std::optional<http_response> refuse_key_in_url(const http_request& request);

/// Has the form of an id that a client may name.
bool is_session_id(const std::string& id);

} // namespace sidevoice
