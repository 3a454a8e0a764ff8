#include "actors/speech_line.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/follow_apps.hpp"
#include "cluster/node.hpp"
#include "cluster/supervision_metrics.hpp"
#include "cluster/supervision_tree.hpp"
#include "config/app_file.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"
#include "config/settings.hpp"
#include "config/trace_settings.hpp"
#include "gateway/gateway.hpp"
#include "providers/speech/models_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sidevoice::cli {

namespace {

namespace fs = std::filesystem;

/// What the command line says; it beats the settings file.
struct serve_options {
  std::string config = "apps";
  std::optional<std::string> listen;
  std::optional<std::string> admin_listen;
  std::optional<std::string> data;
  std::optional<std::string> profile;
  std::optional<std::string> synchronous;
  std::optional<std::string> public_url;
  std::optional<std::string> tls_certificate;
  std::optional<std::string> tls_key;
  std::vector<std::string> trusted_proxies;
  std::string assets;
  std::optional<std::string> models;
  std::optional<std::uint32_t> drain_s;
  bool no_shedding = false;
  std::optional<std::string> fault;
  bool no_speech = false;
  bool fake_speech = false;
  bool allow_public = false;
  bool allow_public_admin = false;
  bool verbose = false;
};

bool print_faults(const std::vector<app_fault>& faults) {
  bool good = true;
  for (const auto& fault : faults) {
    std::fprintf(stderr, "%s%s\n", fault.warning ? "warning: " : "", to_string(fault).c_str());
    good = good && fault.warning;
  }
  return good;
}

/// The settings file where --config names one, else defaults with its path as the apps.
std::optional<server_settings> read_settings(const serve_options& options) {
  server_settings settings;
  const fs::path path{options.config};
  if (path.filename() == "sidevoice.jsonc") {
    auto loaded = load_settings(options.config);
    if (!print_faults(loaded.faults))
      return std::nullopt;
    settings = std::move(loaded.settings);
  } else {
    settings.apps = options.config;
  }
  settings.listen = options.listen.value_or(settings.listen);
  settings.admin_listen = options.admin_listen.value_or(settings.admin_listen);
  settings.data = options.data.value_or(settings.data);
  settings.profile = options.profile.value_or(settings.profile);
  settings.public_url = options.public_url.value_or(settings.public_url);
  settings.tls_certificate = options.tls_certificate.value_or(settings.tls_certificate);
  settings.tls_key = options.tls_key.value_or(settings.tls_key);
  if (options.drain_s)
    settings.drain = std::chrono::seconds{*options.drain_s};
  settings.shedding = settings.shedding && !options.no_shedding;
  settings.speech = settings.speech && !options.no_speech;
  settings.speech_models = options.models.value_or(settings.speech_models);
  if (!options.trusted_proxies.empty())
    settings.trusted_proxies = options.trusted_proxies;
  if (options.synchronous)
    settings.synchronous = *options.synchronous == "normal" ? sqlite_synchronous::normal
                                                            : sqlite_synchronous::full;
  return settings;
}

/// Page and client lie beside the sources, or where a package has put them.
std::string find_assets(const std::string& given) {
  if (!given.empty())
    return given;
  std::error_code ignored;
  const auto binary = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& place : {fs::current_path(), binary / "../..", binary / "../share/sidevoice"})
    if (fs::exists(place / "web/index.html", ignored))
      return fs::weakly_canonical(place, ignored).string();
  return {};
}

gateway_options gateway_settings(const server_settings& settings, const serve_options& options) {
  gateway_options how;
  how.listen = settings.listen;
  how.admin_listen = settings.admin_listen;
  how.public_url = settings.public_url;
  how.data = settings.data;
  how.tls_certificate = settings.tls_certificate;
  how.tls_key = settings.tls_key;
  how.trusted_proxies = settings.trusted_proxies;
  how.admin_keys = settings.admin_keys;
  how.admission = {.enabled = settings.shedding,
                   .target_delay = settings.target_delay,
                   .cpu_share = settings.cpu_share,
                   .memory_share = settings.memory_share};
  how.allow_public = options.allow_public;
  how.allow_public_admin = options.allow_public_admin;
  if (const auto assets = find_assets(options.assets); !assets.empty()) {
    how.page = assets + "/web";
    how.client = assets + "/clients/js";
  } else {
    log(log_level::warning, "page.missing",
        {{"remedy", "name the folder that holds web/ with --assets"}});
  }
  return how;
}

std::vector<histogram_value> turn_series(const turn_histograms& turns) {
  std::vector<histogram_value> out;
  for (const auto& one : turns.read())
    out.push_back({.name = "sidevoice_turn_milliseconds",
                   .help = "The silence that visitors heard after their spoken turns, by part",
                   .part = one.part,
                   .bounds = {turn_histograms::bounds.begin(), turn_histograms::bounds.end()},
                   .counts = {one.counts.begin(), one.counts.end()},
                   .sum = static_cast<double>(one.sum_ms)});
  return out;
}

std::vector<histogram_value> node_series(const node& home) {
  auto out = turn_series(*home.parts().turns);
  out.push_back(queue_age_series(home.parts().figures->read(home.parts().where->now())));
  return out;
}

/// SIGTERM and SIGINT: turns that are under way end, clients hear the goodbye, then the sessions
/// go. The second signal does not wait for turns.
class way_out {
public:
  way_out(node& home, gateway& doors, std::chrono::milliseconds patience)
      : home_(home),
        doors_(doors),
        patience_(patience),
        signals_(home.context(), SIGINT, SIGTERM) {
    wait();
  }

private:
  void wait() {
    signals_.async_wait([this](const boost::system::error_code& ec, int number) {
      if (ec)
        return;
      log(log_level::info, "node.stops",
          {{"signal", std::to_string(number)}, {"at_once", draining_ ? "true" : "false"}});
      if (std::exchange(draining_, true))
        return stop();
      wait();
      doors_.begin_drain();
      home_.drain(patience_, [this] {
        if (!stopping_)
          doors_.send_away([this] { stop(); });
      });
    });
  }

  void stop() {
    if (!std::exchange(stopping_, true))
      doors_.stop([this] { home_.stop(); });
  }

  node& home_;
  gateway& doors_;
  std::chrono::milliseconds patience_;
  boost::asio::signal_set signals_;
  bool draining_ = false;
  bool stopping_ = false;
};

int run_node(node& home, const server_settings& settings, const serve_options& options) {
  auto following = follow_apps::start(home, settings.apps,
                                      {.profile = settings.profile, .env = process_environment()});
  if (!following)
    return fail(following.error());
  auto opened = gateway::open(
    {.io = &home.context(),
     .sys = &home.system(),
     .directory = home.directory(),
     .apps = &home.apps(),
     .count = &home.count(),
     .ids = &home.ids(),
     .where = &home.where(),
     .keys = home.parts().journal,
     .sessions = [&home] { return home.live_sessions(); },
     .histograms = [&home] { return node_series(home); },
     .gauges =
       [&home] { return supervision_gauges(home.parts().figures->read(home.where().now())); },
     .vad = home.parts().speech != nullptr ? &home.parts().speech->vad() : nullptr,
     .voice_of =
       [&home](const app_definition& app_of) {
         return voice_abilities{can_hear(home.parts(), app_of, app_of.language).has_value(),
                                can_speak(home.parts(), app_of, app_of.language).has_value(),
                                home.parts().speech != nullptr
                                  && home.parts().speech->end_of_turn() != nullptr};
       },
     .options = gateway_settings(settings, options)});
  if (!opened)
    return fail(opened.error());
  auto& doors = **opened;

  way_out leaving{home, doors, settings.drain};
  boost::asio::signal_set hang_up{home.context(), SIGHUP};
  const std::function<void()> wait_for_hang_up = [&] {
    hang_up.async_wait([&](const boost::system::error_code& ec, int) {
      if (ec)
        return;
      doors.reload_tls();
      (*following)->reload();
      wait_for_hang_up();
    });
  };
  wait_for_hang_up();
  home.sweep();
  doors.set_ready(true);
  if (const auto* speech = home.parts().speech)
    for (const auto& gap : speech->missing())
      std::printf("voice: no %s: %s. %s\n", gap.part.c_str(), gap.why.c_str(), gap.remedy.c_str());
  // Scripts wait for this line; people click on it.
  std::printf("listening on %s (admin %s)\n", doors.url().c_str(), doors.admin_url().c_str());
  std::printf("open %s/ in a browser to talk with: ", doors.url().c_str());
  const auto apps = home.apps().all();
  for (const auto& [id, entry] : *apps)
    std::printf("%s%s", id == apps->begin()->first ? "" : ", ", id.c_str());
  std::printf("\n");
  std::fflush(stdout);
  home.run();
  return 0;
}

/// By OTEL_*. A value that cannot be used never keeps the server from starting.
trace_settings read_traces() {
  auto loaded = read_trace_settings();
  for (const auto& fault : loaded.faults)
    std::fprintf(stderr, "warning: %s\n", fault.c_str());
  if (const auto& url = loaded.settings.url; !url.empty())
    log(log_level::info, "traces.on", {{"collector", url.substr(0, url.find('?'))}});
  return std::move(loaded.settings);
}

std::optional<fault_scenario> read_faults(const std::string& path) {
  if (!has_faults()) {
    std::fprintf(stderr, "sidevoice: this build makes no faults; build with -DSIDEVOICE_FAULTS=ON, "
                         "as the presets dev and lab do\n");
    return std::nullopt;
  }
  auto read = load_fault_scenario(path, session_tree_names(true));
  if (!print_faults(read.faults))
    return std::nullopt;
  return std::move(read.scenario);
}

int run_serve(const serve_options& options) {
  const auto settings = read_settings(options);
  if (!settings)
    return 2;
  if (options.verbose)
    set_log_level(log_level::debug);
  auto loaded = load_apps(settings->apps,
                          {.profile = settings->profile, .env = process_environment()});
  if (!print_faults(loaded.faults) || loaded.apps.empty()) {
    std::fprintf(
      stderr,
      "sidevoice: %s holds no app that can be served; mend the faults above, or begin with the "
      "smallest app: { \"app\": \"NAME\", \"checklist\": { \"topics\": [ { \"id\": \"email\" } ] } "
      "}\n",
      settings->apps.c_str());
    return 2;
  }
  node_options how{.apps = entries_of(loaded),
                   .data = sqlite_options{.folder = settings->data,
                                          .synchronous = settings->synchronous}};
  how.timing.idle = settings->passivate_after;
  if (settings->speech)
    how.speech = speech_options{.models = settings->speech_models.empty()
                                            ? default_models_folder(process_environment())
                                            : settings->speech_models,
                                .stt_workers = settings->stt_workers,
                                .tts_workers = settings->tts_workers};
  how.fake_speech = options.fake_speech;
  if (options.fault) {
    how.faults = read_faults(*options.fault);
    if (!how.faults)
      return 2;
  }
  how.traces = read_traces();
  auto home = node::open(std::move(how));
  if (!home)
    return fail(home.error());
  return run_node(**home, *settings, options);
}

} // namespace

void add_serve(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("serve",
                                     "Serve apps: page, OpenAI Realtime protocol, health, metrics");
  auto o = std::make_shared<serve_options>();
  command
    ->add_option("--config", o->config, "A folder of apps, an app's folder, or a sidevoice.jsonc")
    ->capture_default_str();
  command->add_option("--listen", o->listen,
                      "HOST:PORT for visitors (default 127.0.0.1:8080; port 0: any)");
  command->add_option("--data", o->data,
                      "Data folder, made if it is missing (default data/); one process at a time");
  command->add_option(
    "--admin-listen", o->admin_listen,
    "HOST:PORT of /metrics and /debug/tree (default 127.0.0.1:8081; keep it private)");
  command->add_option("--profile", o->profile, "Profile of the app files (default dev)");
  command
    ->add_option("--synchronous", o->synchronous,
                 "full: an acknowledged input survives power loss (default); normal: a crash of "
                 "the process only")
    ->check(CLI::IsMember({"full", "normal"}));
  command->add_option("--assets", o->assets,
                      "Folder that holds web/ and clients/js/ (default: found)");
  command->add_option("--models", o->models,
                      "Folder of the speech models (default: where `make models` has put them)");
  command
    ->add_option("--drain-s", o->drain_s,
                 "Seconds that a stopping server waits for turns under way (default 10)")
    ->check(CLI::Range(0, 3600));
  command->add_flag("--no-shedding", o->no_shedding,
                    "Refuse nobody for want of head-room; for measurements beyond it");
  command->add_flag("--no-speech", o->no_speech, "Load no speech models: chats only");
  // For measurements (bench/voice.sh); no help line: it would only disappoint visitors.
  command->add_flag("--fake-speech", o->fake_speech, "Scripted speech engines")->group("");
  command->add_option("--fault", o->fault,
                      "Test builds only: a file of faults that are made on purpose "
                      "(docs/supervision.md)");
  command->add_option("--public-url", o->public_url,
                      "How visitors see the server, such as https://talk.example");
  command->add_option(
    "--tls-certificate", o->tls_certificate,
    "PEM file: the certificate, then its chain; the public port then speaks HTTPS "
    "only. Read again when it changes, and on SIGHUP");
  command->add_option("--tls-key", o->tls_key, "PEM file: the certificate's private key");
  command->add_option("--trusted-proxy", o->trusted_proxies,
                      "Address or network of a proxy before this server, whose X-Forwarded-For or "
                      "Forwarded is believed; may be repeated");
  command->add_flag("--allow-public", o->allow_public, "Let other machines reach public apps");
  command->add_flag("--allow-public-admin", o->allow_public_admin,
                    "Let other machines reach the admin port");
  command->add_flag("--verbose", o->verbose, "Log more");
  command->footer(
    "Example: sidevoice serve --config apps --listen 127.0.0.1:8080 --data data\n"
    "Stop with Ctrl-C: answers under way are ended, clients are told to come back, sessions go to "
    "sleep, nothing is lost. Ctrl-C again does not wait for answers.\n"
    "Traces: set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 (docs/tracing.md).");
  command->callback([&chosen, o] { chosen = [o] { return run_serve(*o); }; });
}

} // namespace sidevoice::cli
