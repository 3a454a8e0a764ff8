#include "cluster/sweeper.hpp"

#include "config/fault_point.hpp"
#include "config/log.hpp"

#include <deque>

namespace sidevoice {

struct sweep_rows {
  result<session_list> answer;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(sweep_rows)

namespace sidevoice {

namespace {

constexpr std::size_t sweep_page = 10'000;
/// Sessions that are restored at the same time.
constexpr std::size_t sweep_width = 16;
constexpr std::chrono::seconds sweep_deadline{30};
constexpr std::chrono::seconds sweep_pause{2};

using sweep_atom = caf::atom_constant<caf::atom("sweep")>;

/// Owned by one sweeper actor; touched only inside its handlers.
struct sweeper_state {
  static inline const char* name = "sweeper";

  sweeper_state() = default;

  node_parts parts;
  directory_actor directory;
  app_lookup apps;
  std::deque<find_session> left;
  std::size_t under_way = 0;
  std::size_t restored = 0;
};

using sweeper_pointer = caf::stateful_actor<sweeper_state>*;

void read_rows(sweeper_pointer self) {
  list_sessions query;
  query.open_only = true;
  query.limit = sweep_page;
  self->state.parts.journal->ask(query, [me = caf::actor{self}](result<session_list> answer) {
    caf::anon_send(me, sweep_rows{std::move(answer)});
  });
}

void restore_next(sweeper_pointer self) {
  auto& s = self->state;
  while (s.under_way < sweep_width && !s.left.empty()) {
    ++s.under_way;
    auto who = std::move(s.left.front());
    s.left.pop_front();
    const auto next = [self](bool restored) {
      --self->state.under_way;
      self->state.restored += restored ? 1 : 0;
      fault_point("sweep.restored");
      restore_next(self);
    };
    self->request(s.directory, sweep_deadline, who)
      .then([next](const session_actor&) { next(true); },
            [next, id = who.id](const caf::error& why) {
              log(log_level::warning, "sweeper.not_restored",
                  {{"session", id}, {"detail", from_caf(why).detail}});
              next(false);
            });
  }
  if (s.under_way == 0 && s.left.empty()) {
    if (s.restored > 0)
      log(log_level::info, "sweeper.done", {{"restored", std::to_string(s.restored)}});
    self->quit();
  }
}

caf::behavior sweeper(sweeper_pointer self, const node_parts& parts,
                      const directory_actor& directory, const app_lookup& apps) {
  self->state.parts = parts;
  self->state.directory = directory;
  self->state.apps = apps;
  // A session that hangs says goodbye to whoever has asked for it.
  self->set_down_handler([](const caf::down_msg&) {});
  read_rows(self);
  return {
    [self](sweep_rows& rows) {
      if (!rows.answer) {
        log(log_level::warning, "sweeper.no_rows", {{"detail", rows.answer.error().detail}});
        self->delayed_send(self, sweep_pause, sweep_atom::value);
        return;
      }
      for (const auto& row : rows.answer->rows) {
        if (auto app = self->state.apps(row.key.app); app != nullptr)
          self->state.left.push_back({.app = app, .id = row.key.id, .user = row.user});
        else
          log(log_level::warning, "sweeper.unknown_app",
              {{"session", row.key.id}, {"app", row.key.app}});
      }
      fault_point("sweep.read");
      restore_next(self);
    },
    [self](sweep_atom) { read_rows(self); },
  };
}

} // namespace

void spawn_sweeper(caf::actor_system& sys, const node_parts& parts,
                   const directory_actor& directory, app_lookup apps) {
  sys.spawn(sweeper, parts, directory, std::move(apps));
}

} // namespace sidevoice
