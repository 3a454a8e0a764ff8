#include "gateway/gateway.hpp"

#include "config/fault_point.hpp"
#include "config/log.hpp"
#include "gateway/admin.hpp"
#include "gateway/forwarded.hpp"
#include "gateway/head_room.hpp"
#include "gateway/http_session.hpp"
#include "gateway/key_watch.hpp"
#include "gateway/listener.hpp"
#include "gateway/tls.hpp"
#include "gateway/upgrade.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <functional>
#include <optional>

namespace sidevoice {

namespace asio = boost::asio;

struct gateway::state {
  asio::io_context* io = nullptr;
  std::shared_ptr<key_ring> ring = std::make_shared<key_ring>();
  std::shared_ptr<open_links> links;
  std::unique_ptr<key_watch> watch;
  std::shared_ptr<tls_certificates> tls;
  std::unique_ptr<tls_watch> tls_files;
  std::shared_ptr<public_site> site;
  std::shared_ptr<socket_register> sockets;
  std::shared_ptr<socket_register> admin_sockets;
  std::unique_ptr<listener> public_port;
  std::unique_ptr<listener> admin_port;
  std::shared_ptr<head_room> room;
  std::unique_ptr<asio::steady_timer> stop_deadline;
  std::unique_ptr<asio::steady_timer> leave_timer;
  std::chrono::milliseconds close_deadline{0};

  result<void> listen(const gateway_options& options, counters* count);
  result<void> read_secrets(const gateway_parts& parts);
  void wait_until_gone(std::chrono::steady_clock::time_point until, std::function<void()> done);
  void open_admin(const gateway_parts& parts, const node_access& node);
};

namespace {

constexpr std::chrono::seconds keys_deadline{10};
/// How long clients have to answer the close of a WebSocket before it is taken from them.
constexpr std::chrono::milliseconds leave_patience{1'000};
constexpr std::chrono::milliseconds leave_poll{10};

/// What is measured of the head-room.
std::vector<gauge_value> gauges_of(const head_room& room) {
  const auto now = room.figures();
  const auto seconds = [](std::chrono::microseconds delay) {
    return std::chrono::duration<double>(delay).count();
  };
  return {
    {"sidevoice_headroom", "What the node has left: 1 is all of it, 0 is none", now.headroom},
    {"sidevoice_shedding_level",
     "What is refused: 0 nothing, 1 new sessions without a key, 2 all new sessions and voices",
     static_cast<double>(now.level)},
    {"sidevoice_new_sessions_per_second", "How many new sessions the ramp lets in", now.rate},
    {"sidevoice_new_sessions_room", "How many new sessions fit now, by what the others cost",
     now.room},
    {"sidevoice_loop_delay_seconds", "How late the loop's timer was",
     seconds(now.sample.loop_delay)},
    {"sidevoice_actor_delay_seconds", "How long a message waited for a thread",
     seconds(now.sample.actor_delay)},
    {"sidevoice_store_delay_seconds", "How long a job waited for the store",
     seconds(now.sample.store_delay)},
    {"sidevoice_cpu_share", "CPU used, of what the process may use", now.sample.cpu},
    {"sidevoice_cpu_throttled_share", "Scheduler periods in which the quota was used up",
     now.sample.throttled},
    {"sidevoice_memory_share", "Memory in RAM, of its limit", now.sample.memory},
    {"sidevoice_descriptors_share", "Descriptors open, of their limit", now.sample.descriptors}};
}

std::string names_of(const app_entries& apps,
                     const std::function<bool(const std::string&, const live_settings&)>& which) {
  std::string names;
  for (const auto& [id, app] : apps)
    if (which(id, *app.live))
      names += (names.empty() ? "" : ", ") + id;
  return names;
}

bool has_server_key(const std::string& app, const live_settings& live, const key_ring& ring) {
  const auto stored = ring.now();
  return std::any_of(live.server_keys.begin(), live.server_keys.end(),
                     [](const auto& key) { return !key.empty(); })
         || std::any_of(stored->server_keys.begin(), stored->server_keys.end(),
                        [&app](const ring_key& key) { return key.app == app; });
}

/// Runs the context until the store has answered, so that no request is judged without its keys.
result<void> read_keys(asio::io_context& io, const loop& where, key_watch& watch) {
  std::optional<result<void>> answer;
  watch.start([&answer](result<void> known) { answer = std::move(known); });
  const auto until = where.now() + keys_deadline;
  while (!answer && io.run_one_until(until) > 0) {}
  if (answer && *answer)
    return {};
  return answer ? answer->error()
                : error{errc::unavailable, "the store does not say which keys there are"};
}

void begin(listener& port, const port_context_ptr& context) {
  port.start([context](asio::ip::tcp::socket socket) { start_http(std::move(socket), context); });
}

} // namespace

result<void> check_exposure(const app_entries& apps, const gateway_options& options,
                            bool listen_is_loopback, bool admin_is_loopback, const key_ring& ring) {
  if (!admin_is_loopback && !options.allow_public_admin && options.admin_keys.empty())
    return error{errc::invalid, "--admin-listen " + options.admin_listen
                                  + " would let other machines read metrics and the supervision "
                                    "tree. Use 127.0.0.1, set admin keys, or say "
                                    "--allow-public-admin if the network is yours."};
  if (listen_is_loopback || options.allow_public)
    return {};
  const auto open = names_of(apps, [](const auto&, const auto& live) { return live.is_public; });
  if (!open.empty())
    return error{errc::invalid, "--listen " + options.listen
                                  + " would let other machines talk without a key to: " + open
                                  + " (live.access.public). Use 127.0.0.1, or say --allow-public."};
  const auto keyless = names_of(apps, [&ring](const auto& id, const auto& live) {
    return !has_server_key(id, live, ring);
  });
  if (!keyless.empty())
    return error{errc::invalid, "--listen " + options.listen
                                  + " would offer apps that have no server key: " + keyless
                                  + ". Make one with `sidevoice keys create`, set "
                                    "live.access.server_keys, use 127.0.0.1, or say "
                                    "--allow-public."};
  return {};
}

gateway::gateway(std::shared_ptr<state> s) : state_(std::move(s)) {}

result<void> gateway::state::listen(const gateway_options& options, counters* count) {
  auto port = listener::open(*io, {options.listen, "--listen", count});
  if (!port)
    return port.error();
  public_port = std::move(*port);
  if (options.admin_listen.empty())
    return {};
  auto admin = listener::open(*io, {options.admin_listen, "--admin-listen", count});
  if (!admin)
    return admin.error();
  admin_port = std::move(*admin);
  return {};
}

result<void> gateway::state::read_secrets(const gateway_parts& parts) {
  const auto& options = parts.options;
  if (!options.tls_certificate.empty() || !options.tls_key.empty()) {
    auto files = tls_certificates::open(options.tls_certificate, options.tls_key);
    if (!files)
      return files.error();
    tls = std::move(*files);
    tls_files = std::make_unique<tls_watch>(tls, *parts.where);
  }
  if (parts.keys == nullptr)
    return {};
  watch = std::make_unique<key_watch>(key_watch_parts{
    .keys = parts.keys, .where = parts.where, .count = parts.count, .ring = ring, .links = links});
  return read_keys(*io, *parts.where, *watch);
}

void gateway::state::open_admin(const gateway_parts& parts, const node_access& node) {
  const auto& options = parts.options;
  auto site = std::make_shared<admin_site>(
    admin_parts{.node = node,
                .sockets = [sockets = sockets] { return sockets->size(); },
                .sessions = parts.sessions,
                .histograms = parts.histograms,
                .gauges =
                  [room = room, more = parts.gauges] {
                    auto all = gauges_of(*room);
                    for (auto& one : more ? more() : std::vector<gauge_value>{})
                      all.push_back(std::move(one));
                    return all;
                  },
                .any_host = options.allow_public_admin || !options.admin_keys.empty(),
                .keys = options.admin_keys});
  begin(*admin_port, std::make_shared<const port_context>(
                       port_context{std::move(site), admin_sockets, options.limits, parts.count,
                                    parts.where, nullptr}));
}

result<std::unique_ptr<gateway>> gateway::open(gateway_parts parts) {
  const auto& options = parts.options;
  auto s = std::make_shared<state>();
  s->io = parts.io;
  s->close_deadline = options.limits.close_deadline + std::chrono::seconds{1};
  s->links = std::make_shared<open_links>(options.links);
  if (auto listening = s->listen(options, parts.count); !listening)
    return listening.error();
  if (auto known = s->read_secrets(parts); !known)
    return known.error();
  if (auto safe = check_exposure(*parts.apps->all(), options, s->public_port->is_loopback(),
                                 !s->admin_port || s->admin_port->is_loopback(), *s->ring);
      !safe)
    return safe.error();
  auto sealer = key_sealer::open(options.data);
  if (!sealer)
    return sealer.error();
  auto proxies = proxy_list::read(options.trusted_proxies);
  if (!proxies)
    return proxies.error();

  s->room = std::make_shared<head_room>(head_room_parts{.sys = parts.sys,
                                                        .where = parts.where,
                                                        .count = parts.count,
                                                        .ids = parts.ids,
                                                        .journal = parts.keys,
                                                        .sessions = parts.sessions},
                                        options.admission);
  const node_access node{
    .sys = parts.sys,
    .directory = parts.directory,
    .count = parts.count,
    .ids = parts.ids,
    .where = parts.where,
    .vad = parts.vad,
    .clock = parts.where,
    .voice_of = parts.voice_of,
    .may_begin_to_talk = [room = s->room] { return room->may_begin_to_talk(); },
    .refuse_newcomer = [room = s->room](newcomer who) { return room->refuse(who); },
    .journal = parts.keys};
  s->site = std::make_shared<public_site>(
    router_parts{.apps = parts.apps,
                 .sealer = std::move(*sealer),
                 .own = {options.public_url, s->public_port->is_loopback()},
                 .files = static_files{options.page, options.client},
                 .ids = parts.ids,
                 .limits = options.requests,
                 .ring = s->ring.get(),
                 .speaks = parts.vad != nullptr,
                 .refuse_newcomer = node.refuse_newcomer},
    node, s->links, std::move(*proxies));
  s->sockets = std::make_shared<socket_register>(options.limits.sockets_max);
  s->admin_sockets = std::make_shared<socket_register>(64);
  begin(*s->public_port, std::make_shared<const port_context>(port_context{
                           s->site, s->sockets, options.limits, parts.count, parts.where, s->tls}));
  if (s->admin_port)
    s->open_admin(parts, node);
  s->room->start();
  return std::unique_ptr<gateway>{new gateway{std::move(s)}};
}

gateway::~gateway() {
  state_->room->stop();
  state_->watch.reset();
  state_->tls_files.reset();
  state_->sockets->abandon();
  state_->admin_sockets->abandon();
}

void gateway::set_ready(bool ready) {
  state_->site->routes().set_ready(ready, ready ? "" : "starting");
}

void gateway::reload_tls() {
  if (state_->tls)
    reload_and_tell(*state_->tls);
}

void gateway::begin_drain() {
  state_->site->routes().stop();
  state_->links->leave_all(false);
}

void gateway::send_away(std::function<void()> done) {
  asio::post(*state_->io, [s = state_, done = std::move(done)]() mutable {
    s->links->leave_all(true);
    s->wait_until_gone(std::chrono::steady_clock::now() + leave_patience, std::move(done));
  });
}

void gateway::state::wait_until_gone(std::chrono::steady_clock::time_point until,
                                     std::function<void()> done) {
  if (sockets->websockets() == 0 || std::chrono::steady_clock::now() >= until)
    return done();
  leave_timer = std::make_unique<asio::steady_timer>(*io, leave_poll);
  leave_timer->async_wait(
    [this, until, done = std::move(done)](boost::system::error_code ec) mutable {
      if (!ec)
        wait_until_gone(until, std::move(done));
    });
}

void gateway::stop(std::function<void()> done) {
  state_->site->routes().stop();
  asio::post(*state_->io, [s = state_, done = std::move(done)]() mutable {
    fault_point("stop.sockets");
    s->leave_timer.reset();
    s->room->stop();
    s->public_port->stop();
    if (s->admin_port)
      s->admin_port->stop();
    s->admin_sockets->shut_down({});
    // Whichever comes first ends the other: `done` runs once.
    s->stop_deadline = std::make_unique<asio::steady_timer>(*s->io, s->close_deadline);
    s->stop_deadline->async_wait([s, done = std::move(done)](boost::system::error_code) {
      if (const auto left = s->sockets->size())
        log(log_level::warning, "sockets left at the end", {{"count", std::to_string(left)}});
      if (done)
        done();
    });
    s->sockets->shut_down([s] { asio::post(*s->io, [s] { s->stop_deadline->cancel(); }); });
  });
}

std::uint16_t gateway::port() const {
  return state_->public_port->port();
}

std::uint16_t gateway::admin_port() const {
  return state_->admin_port ? state_->admin_port->port() : 0;
}

std::string gateway::url() const {
  return (state_->tls ? "https://" : "http://") + state_->public_port->address();
}

std::string gateway::admin_url() const {
  return state_->admin_port ? "http://" + state_->admin_port->address() : std::string{};
}

std::size_t gateway::open_sockets() const {
  return state_->sockets->size();
}

} // namespace sidevoice
