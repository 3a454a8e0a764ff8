#include "cli/ask_store.hpp"
#include "cli/commands.hpp"
#include "cli/session_bundle.hpp"
#include "config/topic_value.hpp"
#include "persistence/store_check.hpp"
#include "persistence/stores.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

/// Looks into a data folder, also beside a running server: reads only.
namespace sidevoice::cli {

namespace {

using nlohmann::ordered_json;

struct session_options {
  std::string data = "data";
  std::string app;
  std::string id;
  std::size_t limit = 100;
  bool readable = false;
  std::string out;
  bool with_text = false;
};

int fail(const error& why) {
  std::fprintf(stderr, "sidevoice: %s\n", why.detail.c_str());
  return 1;
}

std::string when(std::int64_t at_ms) {
  const auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &utc);
  return text;
}

result<view_ptr> read_view(store_writer& store, const session_key& key) {
  auto view = std::make_shared<const session_view>();
  for (;;) {
    auto page = ask(store, read_events{key, view->head, 1000});
    if (!page)
      return page.error();
    if (page->events.empty())
      break;
    auto next = sidevoice::apply(view, page->events);
    if (!next)
      return next.error();
    view = std::move(*next);
  }
  if (view->head == 0)
    return error{errc::not_found, "there is no session " + key.id + " in this data folder"};
  return view;
}

/// The session's key: its app is looked up when it was not named.
result<session_key> find_key(store_writer& store, const session_options& options) {
  if (!options.app.empty())
    return session_key{options.app, options.id};
  auto rows = ask(store, list_sessions{{}, false, 1'000'000});
  if (!rows)
    return rows.error();
  for (const auto& row : rows->rows)
    if (row.key.id == options.id)
      return row.key;
  return error{errc::not_found, "there is no session " + options.id
                                  + " here; `sidevoice sessions list` shows what there is"};
}

int run_list(const session_options& options) {
  auto store = open_sqlite_read_only(options.data);
  if (!store)
    return fail(store.error());
  auto rows = ask(**store, list_sessions{options.app, false, options.limit});
  if (!rows)
    return fail(rows.error());
  std::printf("%-32s %-12s %-9s %7s  %s\n", "SESSION", "APP", "STATUS", "EVENTS", "LAST CHANGE");
  for (const auto& row : rows->rows)
    std::printf("%-32s %-12s %-9s %7llu  %s\n", row.key.id.c_str(), row.key.app.c_str(),
                row.status.c_str(), static_cast<unsigned long long>(row.head),
                when(row.updated_at).c_str());
  return 0;
}

void print_item(const stored_item& entry) {
  const auto& i = entry.value;
  const auto who = i.kind == item_kind::message ? to_string(i.role) : to_string(i.kind);
  const auto text = i.kind == item_kind::function_call          ? i.name + "(" + i.arguments + ")"
                    : i.kind == item_kind::function_call_output ? i.output
                                                                : i.text;
  std::printf("%s  %-9s  %s%s\n", when(entry.at).c_str(), who, text.c_str(),
              i.status == item_status::incomplete ? "  [interrupted]" : "");
}

int run_show(const session_options& options) {
  auto store = open_sqlite_read_only(options.data);
  if (!store)
    return fail(store.error());
  auto key = find_key(**store, options);
  if (!key)
    return fail(key.error());
  auto read = read_view(**store, *key);
  if (!read)
    return fail(read.error());
  const auto& view = **read;
  std::printf("%s of app %s, begun %s, %llu events%s\n\n", key->id.c_str(), key->app.c_str(),
              when(view.started_at).c_str(), static_cast<unsigned long long>(view.head),
              view.ended.empty() ? "" : (", ended: " + view.ended).c_str());
  for (const auto& entry : view.items)
    print_item(*entry);
  std::printf("\nChecklist, revision %llu%s\n", static_cast<unsigned long long>(view.revision),
              view.completed ? ", complete" : "");
  for (const auto& [id, topic] : view.topics)
    std::printf("  %-12s %-12s %s%s%s\n", id.c_str(), to_string(topic->status),
                topic->value.c_str(),
                topic->evidence.quote.empty() ? "" : "  because: ", topic->evidence.quote.c_str());
  for (const auto& response : view.open_responses)
    std::printf("  open: response %s, attempt %u\n", response->id.c_str(), response->attempt);
  return 0;
}

ordered_json export_item(const stored_item& entry) {
  const auto& i = entry.value;
  ordered_json out{{"id", i.id}, {"type", to_string(i.kind)}, {"status", to_string(i.status)}};
  switch (i.kind) {
    case item_kind::message:
      out["role"] = to_string(i.role);
      out["content"] = {{{"type", i.role == item_role::assistant ? "output_text" : "input_text"},
                         {"text", i.text}}};
      break;
    case item_kind::function_call:
      out["call_id"] = i.call_id;
      out["name"] = i.name;
      out["arguments"] = i.arguments;
      break;
    case item_kind::function_call_output:
      out["call_id"] = i.call_id;
      out["output"] = i.output;
      break;
  }
  return out;
}

ordered_json export_session(const session_key& key, const session_view& view) {
  ordered_json line{{"session_id", key.id}, {"items", ordered_json::array()}};
  for (const auto& entry : view.items)
    line["items"].push_back(export_item(*entry));
  return line;
}

/// A session as far as it can be read, and which events cannot.
result<ordered_json> export_readable(const std::string& folder, const session_key& key) {
  auto found = read_readable(folder, key);
  if (!found)
    return found.error();
  auto line = export_session(key, *found->view);
  line["missing"] = ordered_json::array();
  for (const auto& gap : found->missing)
    line["missing"].push_back({{"first", gap.first}, {"last", gap.last}, {"why", gap.why}});
  return {boost::system::in_place_value, std::move(line)};
}

result<ordered_json> export_whole(store_writer& store, const session_key& key) {
  auto view = read_view(store, key);
  if (!view)
    return error{view.error().code, key.id + ": " + view.error().detail
                                      + (view.error().code == errc::damaged
                                           ? "; `sidevoice sessions export " + key.id
                                               + " --readable` leaves out what cannot be read"
                                           : "")};
  return {boost::system::in_place_value, export_session(key, **view)};
}

int run_export(const session_options& options) {
  auto store = open_sqlite_read_only(options.data);
  if (!store)
    return fail(store.error());
  std::vector<session_key> keys;
  if (!options.id.empty()) {
    auto key = find_key(**store, options);
    if (!key)
      return fail(key.error());
    keys.push_back(*key);
  } else {
    auto rows = ask(**store, list_sessions{options.app, false, options.limit});
    if (!rows)
      return fail(rows.error());
    for (const auto& row : rows->rows)
      keys.push_back(row.key);
  }
  int code = 0;
  for (const auto& key : keys) {
    auto line = options.readable ? export_readable(options.data, key) : export_whole(**store, key);
    // One damaged session does not keep the others from being exported.
    if (line)
      std::cout << line->dump() << '\n';
    else
      code = fail(line.error());
  }
  return code;
}

/// To a file of the user's alone, or to standard output for "-".
int run_bundle(const session_options& options) {
  const bundle_options what{options.data, options.app, options.id, options.with_text};
  std::ostringstream text;
  if (auto made = write_bundle(what, text); !made)
    return fail(made.error());
  if (options.out == "-") {
    std::cout << text.str();
    return 0;
  }
  const auto path = options.out.empty() ? options.id + ".bundle.jsonl" : options.out;
  if (std::filesystem::exists(path))
    return fail({errc::conflict, path + " is there already; name another file with --out"});
  const auto before = ::umask(0077);
  std::ofstream file{path};
  ::umask(before);
  file << text.str();
  file.close();
  if (!file)
    return fail({errc::unavailable,
                 path + " could not be written; name a place with room for it with --out"});
  std::printf("%s holds the session's versions, journal and timings%s\n", path.c_str(),
              options.with_text ? ", WITH what was said: mind to whom you give it"
                                : ", without what was said");
  return 0;
}

} // namespace

void add_sessions(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("sessions",
                                     "Look at stored conversations; safe beside a running server");
  command->require_subcommand(1);
  auto options = std::make_shared<session_options>();
  const auto add = [&](const char* name, const char* help, int (*run)(const session_options&)) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_option("--data", options->data, "The server's data folder")->capture_default_str();
    verb->add_option("--app", options->app, "Only of this app");
    verb->callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
    return verb;
  };
  add("list", "The newest sessions, one a line", run_list)
    ->add_option("--limit", options->limit, "How many")
    ->capture_default_str();
  add("show", "One session: its words, its checklist with the proof, what is open", run_show)
    ->add_option("SESSION", options->id, "Its id, such as sess_...")
    ->required();
  auto* out = add("export", "JSON lines {\"session_id\", \"items\": [...]}: one session, or all",
                  run_export);
  out->add_option("SESSION", options->id, "Its id; without it, all sessions");
  out->add_option("--limit", options->limit, "How many at most")->capture_default_str();
  out->add_flag("--readable", options->readable,
                "Leave out damaged events and say which; the line gets \"missing\": [{\"first\", "
                "\"last\", \"why\"}]");
  auto* bundle = add("bundle", "One file for a report about a session, without what was said",
                     run_bundle);
  bundle->add_option("SESSION", options->id, "Its id, such as sess_...")->required();
  bundle->add_option("--out", options->out,
                     "The file, which must not be there yet (default SESSION.bundle.jsonl); -: "
                     "standard output");
  bundle->add_flag("--with-text", options->with_text,
                   "Leave in what people and models said, and the app's instructions");
  bundle->footer(
    "JSON lines: versions, the session's row, its app, every event, timings of turns and calls.\n"
    "Ids, types, times, numbers and reasons stay; texts become \"[23 characters]\", arguments and\n"
    "values their shape. Damaged events are named by number. Read it before you send it.\n"
    "Example: sidevoice sessions bundle sess_3kTMd2hV --data data --out report.jsonl");
}

} // namespace sidevoice::cli
