#include "actors/speech_line.hpp"
#include "cli/commands.hpp"
#include "cli/follow_apps.hpp"
#include "cluster/node.hpp"
#include "config/app_file.hpp"
#include "config/log.hpp"
#include "config/settings.hpp"
#include "gateway/gateway.hpp"
#include "providers/speech/models_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
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

int fail(const error& why) {
  std::fprintf(stderr, "sidevoice: %s\n", why.detail.c_str());
  return why.code == errc::invalid ? 2 : 1;
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
     .histograms = [&home] { return turn_series(*home.parts().turns); },
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

  boost::asio::signal_set signals{home.context(), SIGINT, SIGTERM};
  signals.async_wait([&](const boost::system::error_code& ec, int number) {
    if (ec)
      return;
    log(log_level::info, "node.stops", {{"signal", std::to_string(number)}});
    // Clients hear the goodbye before the sessions go.
    doors.stop([&home] { home.stop(); });
  });
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
  command->add_flag("--no-speech", o->no_speech, "Load no speech models: chats only");
  // For measurements (bench/voice.sh); no help line: it would only disappoint visitors.
  command->add_flag("--fake-speech", o->fake_speech, "Scripted speech engines")->group("");
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
    "Stop with Ctrl-C: sockets are told to come back, sessions go to sleep, nothing is lost.");
  command->callback([&chosen, o] { chosen = [o] { return run_serve(*o); }; });
}

} // namespace sidevoice::cli
