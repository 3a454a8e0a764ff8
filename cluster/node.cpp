#include "cluster/node.hpp"

#include "cluster/directory_local.hpp"
#include "cluster/supervision_tree.hpp"
#include "config/log.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace sidevoice {

namespace {

constexpr std::chrono::milliseconds stop_poll{10};

caf::actor_system_config& configure(caf::actor_system_config& config, std::size_t threads) {
  if (threads == 0)
    threads = std::max(1U, std::thread::hardware_concurrency());
  config.set("scheduler.max-threads", threads);
  // One queue for all workers: on few cores it sleeps deeper and serves evenly.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", std::size_t{50});
  return config;
}

} // namespace

/// In the order of their start; the destructor goes the other way.
struct node::body {
  body(std::vector<app_ptr> known, std::size_t threads)
      : apps{std::move(known)},
        context{1},
        guard{context.get_executor()},
        where{context},
        system{configure(config, threads)} {}

  std::vector<app_ptr> apps;
  counters count;
  std::atomic<std::size_t> live_sessions{0};
  random_ids ids;
  catalogue providers = catalogue::builtin();
  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  asio_loop where;
  std::unique_ptr<store> journal;
  node_parts parts;
  caf::actor_system_config config;
  caf::actor_system system;
  directory_actor directory;
  std::unique_ptr<timer> stop_timer;
};

node::node(std::unique_ptr<body> inside) : body_{std::move(inside)} {}

result<std::unique_ptr<node>> node::open(node_options options) {
  if (options.apps.empty())
    return error{errc::invalid,
                 "there is no app to serve; `sidevoice check PATH` says what is wrong", "apps"};
  auto disk = options.data ? open_sqlite(*options.data) : make_memory_store();
  if (!disk)
    return disk.error();
  auto inside = std::make_unique<body>(std::move(options.apps), options.worker_threads);
  auto& b = *inside;
  b.journal = make_threaded_store(std::move(*disk), b.where, b.count);
  b.parts = {.journal = b.journal.get(),
             .providers = &b.providers,
             .where = &b.where,
             .ids = &b.ids,
             .count = &b.count,
             .node = b.ids.make("node_"),
             .timing = options.timing};
  for (const auto& app : b.apps)
    log(log_level::info, "app.loaded", {{"app", app->id}, {"release", app->release}});
  b.directory = spawn_directory_local(b.system, b.parts, make_session_tree(),
                                      {.live = &b.live_sessions});
  return std::unique_ptr<node>{new node{std::move(inside)}};
}

node::~node() {
  if (body_->directory) {
    stop();
    run();
  }
}

void node::sweep() {
  spawn_sweeper(body_->system, body_->parts, body_->directory,
                [this](const std::string& id) { return find_app(id); });
}

void node::run() {
  body_->context.run();
}

void node::stop(std::chrono::milliseconds patience) {
  body_->where.post([this, patience] {
    if (!body_->directory)
      return;
    caf::anon_send(body_->directory, stop_atom::value);
    body_->directory = nullptr;
    wait_for_sessions(body_->where.now() + patience);
  });
}

void node::wait_for_sessions(loop::clock::time_point until) {
  const auto left = body_->system.registry().running();
  if (left != 0 && body_->where.now() < until) {
    body_->stop_timer = body_->where.after(stop_poll, [this, until] { wait_for_sessions(until); });
    return;
  }
  body_->stop_timer.reset();
  if (left != 0) {
    // The actor system would wait for them for ever. The journal has all that was acknowledged.
    log(log_level::error, "node.stop_deadline", {{"actors_left", std::to_string(left)}});
    std::_Exit(EXIT_FAILURE);
  }
  body_->guard.reset();
  body_->context.stop();
}

app_ptr node::find_app(const std::string& id) const {
  for (const auto& app : body_->apps)
    if (app->id == id)
      return app;
  return nullptr;
}

const std::vector<app_ptr>& node::apps() const {
  return body_->apps;
}

const node_parts& node::parts() const {
  return body_->parts;
}

const directory_actor& node::directory() const {
  return body_->directory;
}

std::size_t node::live_sessions() const {
  return body_->live_sessions.load(std::memory_order_relaxed);
}

caf::actor_system& node::system() {
  return body_->system;
}

boost::asio::io_context& node::context() {
  return body_->context;
}

counters& node::count() {
  return body_->count;
}

loop& node::where() {
  return body_->where;
}

id_source& node::ids() {
  return body_->ids;
}

} // namespace sidevoice
