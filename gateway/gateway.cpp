#include "gateway/gateway.hpp"

#include "config/log.hpp"
#include "gateway/admin.hpp"
#include "gateway/http_session.hpp"
#include "gateway/listener.hpp"
#include "gateway/upgrade.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace sidevoice {

namespace asio = boost::asio;

struct gateway::state {
  asio::io_context* io = nullptr;
  std::shared_ptr<public_site> site;
  std::shared_ptr<socket_register> sockets;
  std::shared_ptr<socket_register> admin_sockets;
  std::unique_ptr<listener> public_port;
  std::unique_ptr<listener> admin_port;
  std::unique_ptr<asio::steady_timer> stop_deadline;
  std::chrono::milliseconds close_deadline{0};
};

namespace {

std::string names_of(const std::vector<app_ptr>& apps, bool (*which)(const app_definition&)) {
  std::string names;
  for (const auto& app : apps)
    if (which(*app))
      names += (names.empty() ? "" : ", ") + app->id;
  return names;
}

void begin(listener& port, const port_context_ptr& context) {
  port.start([context](asio::ip::tcp::socket socket) { start_http(std::move(socket), context); });
}

} // namespace

result<void> check_exposure(const std::vector<app_ptr>& apps, const gateway_options& options,
                            bool listen_is_loopback, bool admin_is_loopback) {
  if (!admin_is_loopback && !options.allow_public_admin)
    return error{errc::invalid, "--admin-listen " + options.admin_listen
                                  + " would let other machines read metrics and the supervision "
                                    "tree. Use 127.0.0.1, or say --allow-public-admin if the "
                                    "network is yours."};
  if (listen_is_loopback || options.allow_public)
    return {};
  const auto open = names_of(apps, [](const app_definition& app) { return app.is_public; });
  if (!open.empty())
    return error{errc::invalid, "--listen " + options.listen
                                  + " would let other machines talk without a key to: " + open
                                  + " (live.access.public). Use 127.0.0.1, or say --allow-public."};
  const auto keyless = names_of(apps, [](const app_definition& app) {
    return std::all_of(app.server_keys.begin(), app.server_keys.end(),
                       [](const auto& key) { return key.empty(); });
  });
  if (!keyless.empty())
    return error{errc::invalid, "--listen " + options.listen
                                  + " would offer apps that have no server key: " + keyless
                                  + ". Set live.access.server_keys, use 127.0.0.1, or say "
                                    "--allow-public."};
  return {};
}

gateway::gateway(std::shared_ptr<state> s) : state_(std::move(s)) {}

result<std::unique_ptr<gateway>> gateway::open(gateway_parts parts) {
  const auto& options = parts.options;
  auto s = std::make_shared<state>();
  s->io = parts.io;
  s->close_deadline = options.limits.close_deadline + std::chrono::seconds{1};
  auto port = listener::open(*parts.io, {options.listen, "--listen"});
  if (!port)
    return port.error();
  s->public_port = std::move(*port);
  if (!options.admin_listen.empty()) {
    auto admin = listener::open(*parts.io, {options.admin_listen, "--admin-listen"});
    if (!admin)
      return admin.error();
    s->admin_port = std::move(*admin);
  }
  const auto admin_is_loopback = !s->admin_port || s->admin_port->is_loopback();
  if (auto safe = check_exposure(parts.apps, options, s->public_port->is_loopback(),
                                 admin_is_loopback);
      !safe)
    return safe.error();
  auto sealer = key_sealer::open(options.data);
  if (!sealer)
    return sealer.error();

  const node_access node{parts.sys, parts.directory, parts.count, parts.ids, parts.where};
  s->site = std::make_shared<public_site>(
    router_parts{.apps = parts.apps,
                 .sealer = std::move(*sealer),
                 .own = {options.public_url, s->public_port->is_loopback()},
                 .files = static_files{options.page, options.client},
                 .ids = parts.ids},
    node);
  s->sockets = std::make_shared<socket_register>(options.limits.sockets_max);
  s->admin_sockets = std::make_shared<socket_register>(64);
  begin(*s->public_port, std::make_shared<const port_context>(port_context{
                           s->site, s->sockets, options.limits, parts.count, parts.where}));
  if (s->admin_port) {
    auto site = std::make_shared<admin_site>(
      admin_parts{node, [sockets = s->sockets] { return sockets->size(); }, parts.sessions,
                  options.allow_public_admin});
    begin(*s->admin_port, std::make_shared<const port_context>(
                            port_context{std::move(site), s->admin_sockets, options.limits,
                                         parts.count, parts.where}));
  }
  return std::unique_ptr<gateway>{new gateway{std::move(s)}};
}

gateway::~gateway() {
  state_->sockets->abandon();
  state_->admin_sockets->abandon();
}

void gateway::set_ready(bool ready) {
  state_->site->routes().set_ready(ready, ready ? "" : "starting");
}

void gateway::stop(std::function<void()> done) {
  state_->site->routes().set_ready(false, "stopping");
  asio::post(*state_->io, [s = state_, done = std::move(done)]() mutable {
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
  return "http://" + state_->public_port->address();
}

std::string gateway::admin_url() const {
  return state_->admin_port ? "http://" + state_->admin_port->address() : std::string{};
}

std::size_t gateway::open_sockets() const {
  return state_->sockets->size();
}

} // namespace sidevoice
