#include "cluster/node.hpp"

#include "actors/supervision_figures.hpp"
#include "actors/tracer.hpp"
#include "cluster/directory_local.hpp"
#include "cluster/faulty_node.hpp"
#include "cluster/supervision_tree.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"
#include "providers/span_exporter.hpp"
#include "providers/speech/fake_engines.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace sidevoice {

namespace {

constexpr std::chrono::milliseconds stop_poll{10};
/// A session ends its own patience; one that cannot is not waited for.
constexpr std::chrono::milliseconds drain_slack{500};
/// For the last spans; a collector that is gone does not keep the process.
constexpr std::chrono::milliseconds span_patience{1'000};

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
  body(app_entries known, std::size_t threads)
      : apps{std::move(known)},
        context{1},
        guard{context.get_executor()},
        where{context},
        system{configure(config, threads)} {}

  app_registry apps;
  counters count;
  std::atomic<std::size_t> live_sessions{0};
  random_ids ids;
  catalogue providers = catalogue::builtin();
  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  asio_loop where;
  std::unique_ptr<store> journal;
  std::unique_ptr<faulty_node> faulty;
  std::unique_ptr<http_client> http;
  /// Null: nothing is traced.
  std::unique_ptr<span_exporter> spans;
  std::unique_ptr<tracer> traces;
  std::unique_ptr<speech_engines> speech;
  seat_register seats;
  turn_histograms turns;
  supervision_figures figures{session_tree_names(true)};
  spend_ledger ledger;
  vendor_health health;
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
  b.http = make_http_curl(b.where, b.count, {.ca_file = options.ca_file});
  if (!options.traces.url.empty()) {
    const trace_sampler sampler{options.traces.ratio};
    b.spans = make_span_exporter(b.where, *b.http, b.count, b.ids, std::move(options.traces));
    b.traces = std::make_unique<tracer>(b.where, b.ids, *b.spans, sampler);
  }
  if (options.speech)
    b.speech = options.fake_speech ? make_fake_speech(*options.speech, b.where, b.count)
                                   : open_speech(*options.speech, b.where, b.count);
  b.journal = make_threaded_store(std::move(*disk), b.where, b.count);
  b.parts = {.journal = b.journal.get(),
             .providers = &b.providers,
             .apps = &b.apps,
             .http = b.http.get(),
             .ledger = &b.ledger,
             .speech = b.speech.get(),
             .seats = &b.seats,
             .turns = &b.turns,
             .figures = &b.figures,
             .traces = b.traces.get(),
             .health = &b.health,
             .where = &b.where,
             .ids = &b.ids,
             .count = &b.count,
             .node = b.ids.make("node_"),
             .timing = options.timing};
  if (options.faults) {
    b.faulty = std::make_unique<faulty_node>(std::move(*options.faults), b.parts,
                                             [&b](const fault_order& order) {
                                               if (b.directory)
                                                 caf::anon_send(b.directory, order);
                                             });
    b.parts = b.faulty->between(b.parts);
  }
  b.directory = spawn_directory_local(b.system, b.parts, make_session_tree(),
                                      {.live = &b.live_sessions});
  std::unique_ptr<node> made{new node{std::move(inside)}};
  made->use_apps(*b.apps.all());
  return made;
}

namespace {

void keep_release(store& journal, const app_definition& app, const std::string& name,
                  std::int64_t at) {
  const auto complain = [id = app.id, release = app.release](const error& why) {
    log(log_level::error, "release.not_stored",
        {{"app", id}, {"release", release}, {"detail", why.detail}});
  };
  journal.ask(put_release{app.id, app.release, app.release_body, at},
              [complain](const result<release_kept>& kept) {
                if (!kept)
                  complain(kept.error());
              });
  journal.ask(point_release{app.id, name, app.release, at},
              [complain](const result<release_pointed>& pointed) {
                if (!pointed)
                  complain(pointed.error());
              });
}

} // namespace

void node::use_apps(app_entries apps) {
  auto& b = *body_;
  const auto at = wall_ms(b.where);
  for (const auto& [id, entry] : apps) {
    // Jobs are done in their order: no session can be older in the store than its release.
    if (entry.stable)
      keep_release(*b.journal, *entry.stable, "stable", at);
    if (entry.preview)
      keep_release(*b.journal, *entry.preview, "preview", at);
    if (const auto release = entry.release({}))
      log(log_level::info, "app.loaded", {{"app", id}, {"release", release->release}});
    if (entry.live->limits.eur_per_day)
      b.journal->ask(get_spend{id, day_of(at)},
                     [&b, id = id, day = day_of(at)](const result<spend_found>& found) {
                       if (found)
                         b.ledger.seed(id, day, found->micro);
                     });
  }
  b.apps.replace(std::move(apps));
}

result<std::map<std::string, named_releases>> node::stored_names() {
  auto& b = *body_;
  std::map<std::string, named_releases> names;
  std::size_t open = 0;
  std::optional<error> failed;
  const auto read = [&](const std::string& app, const std::string& name,
                        const std::string& digest) {
    ++open;
    b.journal->ask(get_release{app, digest}, [&, app, name](const result<release_found>& found) {
      --open;
      auto release = found && found->body ? read_release(*found->body) : result<app_ptr>{nullptr};
      if (release && *release)
        (name == "stable" ? names[app].stable : names[app].preview) = *release;
    });
  };
  for (const auto& [id, entry] : *b.apps.all()) {
    ++open;
    b.journal->ask(list_releases{id}, [&, id = id](const result<release_list>& found) {
      --open;
      if (!found) {
        failed = found.error();
        return;
      }
      for (const auto& row : found->rows)
        for (const auto& name : row.names)
          read(id, name, row.digest);
    });
  }
  while (open != 0)
    b.context.run_one();
  if (failed)
    return *failed;
  return names;
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
  if (body_->faulty)
    body_->faulty->start();
}

void node::run() {
  body_->context.run();
}

void node::drain(std::chrono::milliseconds patience, std::function<void()> done) {
  body_->where.post([this, patience, done = std::move(done)]() mutable {
    if (!body_->directory)
      return done();
    fault_point("drain.sessions");
    caf::anon_send(body_->directory, drain_session{patience});
    wait_for_turns(body_->where.now() + patience + drain_slack, std::move(done));
  });
}

void node::wait_for_turns(loop::clock::time_point until, std::function<void()> done) {
  // Each session counts itself once, when its turn has ended or its time is over.
  const auto told = body_->count.value(counter::sessions_drained)
                    + body_->count.value(counter::drains_overdue);
  if (told >= live_sessions() || body_->where.now() >= until) {
    body_->stop_timer.reset();
    return done();
  }
  body_->stop_timer = body_->where.after(stop_poll,
                                         [this, until, done = std::move(done)]() mutable {
                                           wait_for_turns(until, std::move(done));
                                         });
}

void node::stop(std::chrono::milliseconds patience) {
  body_->where.post([this, patience] {
    if (!body_->directory)
      return;
    fault_point("stop.sessions");
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
  const auto end = [this] {
    body_->guard.reset();
    body_->context.stop();
  };
  if (!body_->spans)
    return end();
  body_->spans->flush(end);
  body_->stop_timer = body_->where.after(span_patience, end);
}

app_ptr node::find_app(const std::string& id) const {
  return body_->apps.find(id);
}

const app_registry& node::apps() const {
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
  return *body_->parts.where;
}

id_source& node::ids() {
  return body_->ids;
}

} // namespace sidevoice
