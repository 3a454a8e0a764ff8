#include "cli/ask_store.hpp"
#include "cli/commands.hpp"
#include "config/topic_value.hpp"
#include "persistence/stores.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

/// Looks into a data folder, also beside a running server: reads only.
namespace sidevoice::cli {

namespace {

using nlohmann::ordered_json;

struct session_options {
  std::string data = "data";
  std::string app;
  std::string id;
  std::size_t limit = 100;
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
    auto view = read_view(**store, key);
    if (!view) {
      // One damaged session does not keep the others from being exported.
      code = fail({view.error().code, key.id + ": " + view.error().detail});
      continue;
    }
    ordered_json line{{"session_id", key.id}, {"items", ordered_json::array()}};
    for (const auto& entry : (*view)->items)
      line["items"].push_back(export_item(*entry));
    std::cout << line.dump() << '\n';
  }
  return code;
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
}

} // namespace sidevoice::cli
