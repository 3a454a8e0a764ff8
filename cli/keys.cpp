#include "cli/ask_store.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "config/asio_loop.hpp"
#include "config/fault_point.hpp"
#include "config/ids.hpp"
#include "gateway/client_key.hpp"
#include "gateway/server_key.hpp"
#include "persistence/stores.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>

/// Server keys that are not in app files, and the end of client keys; also beside a running server,
/// which notices within a second.
namespace sidevoice::cli {

namespace {

constexpr std::int64_t day_ms = 24 * 60 * 60 * 1000;
/// A client key lives at most a week; a little longer, since clocks differ.
constexpr std::int64_t client_key_life_ms = 8 * day_ms;

struct key_options {
  std::string data = "data";
  std::string app;
  std::string name;
  std::string id;
  std::int64_t expires_days = 0;
};

std::int64_t now_ms() {
  boost::asio::io_context context;
  return wall_ms(asio_loop{context});
}

std::string day_of(std::int64_t at_ms) {
  if (at_ms == 0)
    return "-";
  const auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%MZ", &utc);
  return text;
}

/// Names go into tables and logs.
bool is_tame(const std::string& text) {
  return text.size() <= 100 && std::none_of(text.begin(), text.end(), [](unsigned char c) {
           return c < 0x20 || c == 0x7f;
         });
}

int run_create(const key_options& options) {
  if (!is_tame(options.app) || !is_tame(options.name))
    return fail({errc::invalid, "--app and --name have at most 100 bytes and no control "
                                "characters"});
  auto store = open_sqlite_side(options.data);
  if (!store)
    return fail(store.error());
  const auto key = make_server_key();
  const auto now = now_ms();
  random_ids ids;
  const key_row row{.id = ids.make("key_"),
                    .app = options.app,
                    .name = options.name,
                    .hash = hex_of(digest_of_key(key)),
                    .created_at = now,
                    .expires_at = options.expires_days == 0 ? 0
                                                            : now + options.expires_days * day_ms};
  fault_point("key.before");
  if (auto kept = ask(**store, put_key{row}); !kept)
    return fail(kept.error());
  fault_point("key.after");
  // The key alone on standard output, so that scripts can take it.
  std::printf("%s\n", key.c_str());
  std::fprintf(stderr,
               "This server key of app %s is shown once; only its hash is kept.\n"
               "Its id is %s: `sidevoice keys revoke %s` ends it.\n",
               row.app.c_str(), row.id.c_str(), row.id.c_str());
  return 0;
}

const char* state_of(const key_row& row, std::int64_t now) {
  if (row.revoked_at != 0)
    return "revoked";
  return row.expires_at != 0 && row.expires_at <= now ? "expired" : "good";
}

int run_list(const key_options& options) {
  auto store = open_sqlite_read_only(options.data);
  if (!store)
    return fail(store.error());
  auto list = ask(**store, list_keys{options.app, 0});
  if (!list)
    return fail(list.error());
  std::printf("%-28s %-14s %-20s %-18s %-18s %s\n", "ID", "APP", "NAME", "CREATED", "EXPIRES",
              "STATE");
  const auto now = now_ms();
  for (const auto& row : list->keys)
    std::printf("%-28s %-14s %-20s %-18s %-18s %s\n", row.id.c_str(), row.app.c_str(),
                row.name.c_str(), day_of(row.created_at).c_str(), day_of(row.expires_at).c_str(),
                state_of(row, now));
  for (const auto& row : list->revocations)
    std::printf("%-28s %-14s %-20s %-18s %-18s %s\n", row.id.c_str(), row.app.c_str(),
                "(client key)", "-", day_of(row.expires_at).c_str(), "revoked");
  return 0;
}

struct key_name {
  std::string app;
  std::string id;
};

/// What is to be revoked: a server key by its id, a client key by itself or by its id.
result<key_name> find_key(store_writer& store, const key_options& options) {
  if (looks_like_client_key(options.id)) {
    auto sealer = key_sealer::open(options.data);
    if (!sealer)
      return sealer.error();
    const auto key = sealer->unseal(options.id, 0);
    if (!key)
      return error{errc::invalid, "this client key was not made with the data folder "
                                    + options.data + "; name the server's one with --data"};
    return key_name{key->app, key->id};
  }
  auto list = ask(store, list_keys{});
  if (!list)
    return list.error();
  for (const auto& row : list->keys)
    if (row.id == options.id && (options.app.empty() || options.app == row.app))
      return key_name{row.app, row.id};
  if (!options.id.starts_with("ck_"))
    return error{errc::not_found, "there is no server key " + options.id
                                    + "; `sidevoice keys list` shows what there is"};
  if (options.app.empty())
    return error{errc::invalid, options.id
                                  + " is the id of a client key, which is not stored: say its app "
                                    "with --app, or give the key itself"};
  return key_name{options.app, options.id};
}

int run_revoke(const key_options& options) {
  auto store = open_sqlite_side(options.data);
  if (!store)
    return fail(store.error());
  const auto which = find_key(**store, options);
  if (!which)
    return fail(which.error());
  const auto now = now_ms();
  const auto gone = ask(**store, revoke_key{which->app, which->id, now, now + client_key_life_ms});
  if (!gone)
    return fail(gone.error());
  std::printf("revoked %s key %s of app %s; a running server refuses it and closes its connections "
              "within a second\n",
              gone->server_key ? "server" : "client", which->id.c_str(), which->app.c_str());
  return 0;
}

} // namespace

void add_keys(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "keys", "Server keys of apps, and the end of client keys; also beside a running server");
  command->require_subcommand(1);
  auto options = std::make_shared<key_options>();
  const auto add = [&](const char* name, const char* help, int (*run)(const key_options&)) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_option("--data", options->data, "The server's data folder")->capture_default_str();
    verb->callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
    return verb;
  };
  auto* create = add("create", "A new server key, printed once", run_create);
  create->add_option("--app", options->app, "The app that it opens")->required();
  create->add_option("--name", options->name, "What people call it, such as \"shop backend\"")
    ->required();
  create->add_option("--expires", options->expires_days, "Days until it ends; without it: never")
    ->check(CLI::Range(1, 3650));
  add("list", "All keys, and which of them still open", run_list)
    ->add_option("--app", options->app, "Only of this app");
  auto* revoke = add("revoke", "Ends a key at once, and the connections that came in with it",
                     run_revoke);
  revoke
    ->add_option("KEY", options->id,
                 "The id of a server key (key_...) or of a client key (ck_...), or a client key "
                 "itself (ek_...)")
    ->required();
  revoke->add_option("--app", options->app, "Of a client key's id: its app");
}

} // namespace sidevoice::cli
