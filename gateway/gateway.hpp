#pragma once

#include "actors/interfaces.hpp"
#include "config/app_registry.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "config/result.hpp"
#include "gateway/admin.hpp"
#include "gateway/admission.hpp"
#include "gateway/open_links.hpp"
#include "gateway/port_context.hpp"
#include "gateway/routes.hpp"
#include "gateway/upgrade.hpp"
#include "persistence/store.hpp"
#include "providers/vad.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace sidevoice {

struct gateway_options {
  std::string listen = "127.0.0.1:8080";
  /// Empty: no admin port.
  std::string admin_listen = "127.0.0.1:8081";
  /// How visitors see the server, such as "https://talk.example"; may be empty.
  std::string public_url = {};
  /// Folder of seal.key; must exist.
  std::string data = "data";
  /// Folders of the page and of the JavaScript client; empty: none.
  std::string page = {};
  std::string client = {};
  /// Said aloud by the operator: other machines may reach public apps, or the admin port.
  bool allow_public = false;
  bool allow_public_admin = false;
  /// PEM files; with them the public port speaks HTTPS only.
  std::string tls_certificate = {};
  std::string tls_key = {};
  /// Addresses and networks of the proxies before this server.
  std::vector<std::string> trusted_proxies = {};
  /// With any, every path of the admin port needs one of them.
  std::vector<std::string> admin_keys = {};
  port_limits limits = {};
  link_limits links = {};
  request_limits requests = {};
  /// When new sessions are refused, so that those that there are keep their pace.
  admission_limits admission = {};
};

/// What main gives: all of it outlives the gateway.
struct gateway_parts {
  /// One thread runs it; everything of the gateway happens there.
  boost::asio::io_context* io = nullptr;
  caf::actor_system* sys = nullptr;
  directory_actor directory;
  const app_registry* apps = nullptr;
  counters* count = nullptr;
  id_source* ids = nullptr;
  loop* where = nullptr;
  /// Where keys that are not in app files are kept; null: there are none.
  store* keys = nullptr;
  /// Sessions with running actors, for /metrics; may be empty.
  std::function<std::size_t()> sessions = {};
  /// The same.
  std::function<std::vector<histogram_value>()> histograms = {};
  /// The same.
  std::function<std::vector<gauge_value>()> gauges = {};
  /// Null: clients that ask for voice get text.
  const vad_engine* vad = nullptr;
  /// What an app's voice can do; empty: all of it.
  std::function<voice_abilities(const app_definition&)> voice_of = {};
  gateway_options options = {};
};

/// How the world gets in: the public port and the admin port. Listens from `open` on, and answers
/// /readyz with 503 until it is told that the node is ready.
class gateway {
public:
  /// Runs the context until the store has said which keys there are. Errors say what the operator
  /// has to change: a port that is taken, a bind to other machines that nobody asked for aloud, a
  /// sealing key that others can read, a certificate that does not fit its key.
  static result<std::unique_ptr<gateway>> open(gateway_parts parts);

  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;
  /// Closes the ports. Sockets still open end with the context.
  ~gateway();

  /// Any thread.
  void set_ready(bool ready);

  /// Reads certificate and key again, without touching connections; they are looked at each second
  /// anyway. Any thread.
  void reload_tls();

  /// The node is about to go: not ready, nobody gets a WebSocket any more (503 with Retry-After),
  /// and clients whose session sleeps are sent to the next server. Those of the others hear it from
  /// their sessions. Any thread; once.
  void begin_drain();

  /// Sends all clients that are left to the next server. `done` is called once, on the context's
  /// thread, when they have gone or a second has passed. Any thread; once.
  void send_away(std::function<void()> done);

  /// No new connections; every WebSocket is closed with 1012, and requests under way are answered.
  /// `done` is called once, on the context's thread, when no socket is left or `close_deadline` and
  /// a second have passed: then the sessions may be stopped. Any thread; once.
  void stop(std::function<void()> done = {});

  [[nodiscard]] std::uint16_t port() const;
  /// 0 without an admin port.
  [[nodiscard]] std::uint16_t admin_port() const;
  /// "http://127.0.0.1:8080", or https; the admin one is empty without an admin port.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::string admin_url() const;
  /// Connections of any kind on the public port. Any thread.
  [[nodiscard]] std::size_t open_sockets() const;

private:
  struct state;

  explicit gateway(std::shared_ptr<state> s);

  std::shared_ptr<state> state_;
};

/// Refuses addresses that would let other machines in without the operator having said so.
/// `ring` has the keys beside those of app files. Errors: `invalid`.
result<void> check_exposure(const app_entries& apps, const gateway_options& options,
                            bool listen_is_loopback, bool admin_is_loopback,
                            const key_ring& ring = {});

} // namespace sidevoice
