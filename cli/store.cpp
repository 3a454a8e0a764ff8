#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "config/asio_loop.hpp"
#include "persistence/store_check.hpp"
#include "persistence/store_repair.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <memory>
#include <set>

/// Whether all of a data folder can be read, and what to do where it cannot.
namespace sidevoice::cli {

namespace {

using nlohmann::ordered_json;

struct store_options {
  std::string data = "data";
  std::string app;
  std::string session;
  std::uint64_t cut = 0;
  bool as_json = false;
};

std::int64_t now_ms() {
  boost::asio::io_context context;
  return wall_ms(asio_loop{context});
}

std::string repair_of(const store_finding& finding) {
  auto command = "sidevoice store repair --session " + finding.key.id;
  if (finding.kind == "event")
    command += " --cut " + std::to_string(finding.event);
  return command;
}

/// What an operator can do about it; empty where nothing has to be done.
std::string remedy_of(const store_finding& finding) {
  if (finding.kind == "file")
    return "restore a backup, or save what can be read with `sqlite3 sidevoice.db .recover`";
  if (finding.kind == "release")
    return "the session goes on with the newest release of its app";
  if (finding.kind == "event")
    return "restore a backup; or `sidevoice sessions export " + finding.key.id
           + " --readable` saves what can be read, and `" + repair_of(finding)
           + "` keeps what comes before the event";
  return "`" + repair_of(finding) + "` makes it what the journal says";
}

/// Of the findings of one session only the first damaged event is a place to cut.
bool is_first(const store_finding& finding, std::set<session_key>& cut) {
  return finding.kind != "event" || cut.insert(finding.key).second;
}

void print(const store_report& report) {
  std::set<session_key> cut;
  std::set<session_key> sessions;
  for (const auto& finding : report.findings) {
    const auto name = finding.key.id.empty() ? "the file" : finding.key.app + "/" + finding.key.id;
    std::printf("%s: %s\n", name.c_str(), finding.detail.c_str());
    if (is_first(finding, cut))
      std::printf("    %s\n", remedy_of(finding).c_str());
    if (!finding.key.id.empty())
      sessions.insert(finding.key);
  }
  std::printf("%zu sessions with %llu events were read: ", report.sessions,
              static_cast<unsigned long long>(report.events));
  if (report.findings.empty())
    std::printf("all is well\n");
  else
    std::printf("%zu findings, in %zu sessions\n", report.findings.size(), sessions.size());
}

void print_json(const store_report& report) {
  ordered_json out{{"sessions", report.sessions},
                   {"events", report.events},
                   {"findings", ordered_json::array()}};
  for (const auto& finding : report.findings)
    out["findings"].push_back({{"app", finding.key.app},
                               {"session", finding.key.id},
                               {"kind", finding.kind},
                               {"event", finding.event},
                               {"detail", finding.detail},
                               {"remedy", remedy_of(finding)}});
  // What a damaged file holds need not be UTF-8.
  std::cout << out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

int run_verify(const store_options& options) {
  const auto report = verify_store(options.data, {options.app, options.session});
  if (!report)
    return fail(report.error());
  options.as_json ? print_json(*report) : print(*report);
  return report->findings.empty() ? 0 : 1;
}

/// The session's key: its app is looked up when it was not named.
result<session_key> find_key(const store_options& options) {
  if (!options.app.empty())
    return session_key{options.app, options.session};
  return find_session_key(options.data, options.session);
}

int run_repair(const store_options& options) {
  const auto key = find_key(options);
  if (!key)
    return fail(key.error());
  repair_order order{.folder = options.data, .key = *key, .at = now_ms()};
  if (options.cut > 0)
    order.cut = options.cut;
  const auto done = repair_session(order);
  if (!done)
    return fail(done.error());
  if (!done->kept_in.empty())
    std::printf("%llu events are in %s now\n", static_cast<unsigned long long>(done->cut_events),
                done->kept_in.c_str());
  if (done->dropped_snapshots > 0)
    std::printf("%zu snapshots said something else and are gone\n", done->dropped_snapshots);
  if (done->row_mended)
    std::printf("its row says what its journal says\n");
  const bool changed = !done->kept_in.empty() || done->dropped_snapshots > 0 || done->row_mended;
  std::printf("%s/%s %s %llu events\n", key->app.c_str(), key->id.c_str(),
              changed ? "goes on with" : "is whole, with",
              static_cast<unsigned long long>(done->head));
  return 0;
}

} // namespace

void add_store(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("store", "Check a data folder, repair a damaged session");
  command->require_subcommand(1);
  auto options = std::make_shared<store_options>();
  const auto add = [&](const char* name, const char* help, int (*run)(const store_options&)) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_option("--data", options->data, "The server's data folder")->capture_default_str();
    verb->callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
    return verb;
  };
  auto* verify = add("verify",
                     "Read everything and tell what is damaged, with the command that mends it.\n"
                     "Safe beside a running server. Exit code 1: something was found.",
                     run_verify);
  verify->add_option("--app", options->app, "Only sessions of this app");
  verify->add_option("--session", options->session, "Only this session");
  verify->add_flag("--json", options->as_json,
                   "One object {\"sessions\", \"events\", \"findings\": [{\"app\", \"session\", "
                   "\"kind\", \"event\", \"detail\", \"remedy\"}]}");
  auto* repair =
    add("repair",
        "Make a damaged session one that can be opened. Stop the server before.\n"
        "Without --cut, snapshots and row become what the journal says. With --cut N,\n"
        "event N and all behind it go into a file in the data folder first.\n"
        "`sidevoice store verify` tells the number.",
        run_repair);
  repair->add_option("--app", options->app, "Its app, where two apps have a session of this id");
  repair->add_option("--session", options->session, "Its id, such as sess_...")->required();
  repair->add_option("--cut", options->cut, "The first event that goes")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
}

} // namespace sidevoice::cli
