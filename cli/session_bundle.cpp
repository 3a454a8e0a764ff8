#include "cli/session_bundle.hpp"

#include "cli/ask_store.hpp"
#include "cli/turn_times.hpp"
#include "config/asio_loop.hpp"
#include "config/fault_point.hpp"
#include "persistence/fold.hpp"
#include "persistence/store_check.hpp"
#include "persistence/stores.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/config.hpp>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <ostream>
#include <string_view>

namespace sidevoice::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t page = 500;
/// A journal that has more of them is not read further: it is damaged as a whole.
constexpr std::size_t damaged_max = 1000;

std::string version_text(int number) {
  return std::to_string(number / 10000) + '.' + std::to_string(number / 100 % 100) + '.'
         + std::to_string(number % 100);
}

ordered_json about(const bundle_options& options, const std::string& incarnation) {
  utsname system{};
  uname(&system);
  boost::asio::io_context context;
  return {{"part", "about"},
          {"format", 1},
          {"redacted", !options.with_text},
          {"made_at", wall_ms(asio_loop{context})},
          {"sidevoice", SIDEVOICE_VERSION},
          {"build", SIDEVOICE_BUILD},
          {"faults_built_in", has_faults()},
          {"compiler", __VERSION__},
          {"caf", version_text(CAF_VERSION)},
          {"sqlite", sqlite3_libversion()},
          {"fold_version", fold_version},
          {"store", incarnation},
          // Not its name: that is whose machine it is.
          {"system", std::string{system.sysname} + ' ' + system.release + ' ' + system.machine}};
}

result<session_row> find_row(store_writer& store, const session_key& key) {
  constexpr std::size_t all = 1'000'000;
  auto rows = ask(store, list_sessions{key.app, false, all});
  if (!rows)
    return rows.error();
  for (auto& row : rows->rows)
    if (row.key == key)
      return std::move(row);
  return error{errc::not_found, "there is no session " + key.id + " of app " + key.app
                                  + " here; `sidevoice sessions list` shows what there is"};
}

ordered_json line_of(const session_row& row, redaction& clean, bool with_text) {
  return {{"part", "session"},
          {"app", clean.id(row.key.app)},
          {"session", clean.id(row.key.id)},
          {"user", with_text || row.user.empty() ? row.user : redaction::length_of(row.user)},
          {"release", clean.id(row.release)},
          {"status", row.status},
          {"events", row.head},
          // The first begin, and each restart or waking since.
          {"claims", row.epoch},
          {"node", clean.id(row.node)},
          {"open", row.open_responses},
          {"created_at", row.created_at},
          {"updated_at", row.updated_at}};
}

/// One word and not the sentence: that may repeat what stands in the event.
const char* damage_word(const std::string& detail) {
  const auto has = [&detail](std::string_view part) {
    return detail.find(part) != std::string::npos;
  };
  if (has("is missing"))
    return "missing";
  if (has("digest"))
    return "digest";
  return has("blob") ? "blob" : "unreadable";
}

/// Reads a journal past what is damaged.
class journal_reader {
public:
  journal_reader(store_writer& store, session_row row, redaction& clean, bool with_text)
      : store_(store),
        row_(std::move(row)),
        clean_(clean),
        with_text_(with_text) {}

  void write(std::ostream& to) {
    std::uint64_t after = 0;
    while (after < row_.head && damaged_ < damaged_max) {
      auto read = ask(store_, read_events{row_.key, after, limit_});
      if (!read)
        after = pass(read.error(), after, to);
      else if (read->events.empty())
        after = mark(after + 1, row_.head, "missing", to);
      else
        after = take(read->events, to);
    }
    if (after < row_.head)
      mark(after + 1, row_.head, "not_read", to);
    for (const auto& line : times_.lines(clean_))
      to << line << '\n';
    to << ordered_json{{"part", "end"},
                       {"events", events_},
                       {"damaged", damaged_},
                       {"turns", times_.turns()}}
            .dump()
       << '\n';
  }

private:
  std::uint64_t take(const std::vector<event_ptr>& events, std::ostream& to) {
    for (const auto& e : events) {
      times_.add(*e);
      ordered_json line{
        {"part", "event"}, {"seq", e->seq}, {"at", e->at}, {"type", type_of(e->body)}};
      line["body"] = ordered_json::parse(with_text_ ? encode(e->body) : clean_.event(e->body),
                                         nullptr, false);
      to << line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
      ++events_;
    }
    limit_ = page;
    return events.back()->seq;
  }

  /// What stands before the damaged event is read first, by a shorter page.
  std::uint64_t pass(const error& why, std::uint64_t after, std::ostream& to) {
    const auto number = std::strtoull(why.param.c_str(), nullptr, 10);
    if (why.code != errc::damaged || number <= after)
      return mark(after + 1, row_.head, "unreadable", to);
    if (number > after + 1) {
      limit_ = number - after - 1;
      return after;
    }
    limit_ = page;
    return mark(number, number, damage_word(why.detail), to);
  }

  std::uint64_t mark(std::uint64_t first, std::uint64_t last, const char* why, std::ostream& to) {
    ++damaged_;
    to << ordered_json{{"part", "damaged"}, {"first", first}, {"last", last}, {"why", why}}.dump()
       << '\n';
    return last;
  }

  store_writer& store_;
  const session_row row_;
  redaction& clean_;
  const bool with_text_;
  turn_times times_;
  std::size_t limit_ = page;
  std::size_t events_ = 0;
  std::size_t damaged_ = 0;
};

} // namespace

result<void> write_bundle(const bundle_options& options, std::ostream& to) {
  auto store = open_sqlite_read_only(options.data);
  if (!store)
    return store.error();
  session_key key{options.app, options.id};
  if (key.app.empty()) {
    auto found = find_session_key(options.data, options.id);
    if (!found)
      return found.error();
    key = std::move(*found);
  }
  auto row = find_row(**store, key);
  if (!row)
    return row.error();
  const auto release = ask(**store, get_release{key.app, row->release});
  const auto declaration = release && release->body ? *release->body : json_text{};
  redaction clean{names_of_app(declaration)};
  to << about(options, (*store)->incarnation()).dump() << '\n'
     << line_of(*row, clean, options.with_text).dump() << '\n';
  ordered_json app{{"part", "app"}, {"release", clean.id(row->release)}};
  app["declaration"] = ordered_json::parse(
    options.with_text ? declaration : redaction::app(declaration), nullptr, false);
  // A store from before releases were kept, or one that has lost it.
  if (app["declaration"].is_discarded())
    app["declaration"] = nullptr;
  to << app.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  journal_reader{**store, std::move(*row), clean, options.with_text}.write(to);
  return {};
}

} // namespace sidevoice::cli
