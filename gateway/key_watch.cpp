#include "gateway/key_watch.hpp"

#include "config/log.hpp"

#include <utility>

namespace sidevoice {

struct key_watch::state : std::enable_shared_from_this<key_watch::state> {
  explicit state(key_watch_parts p) : parts(std::move(p)) {}

  void ask(std::function<void(result<void>)> done = {}) {
    parts.keys->ask(list_keys{{}, change},
                    [weak = weak_from_this(), done = std::move(done)](result<key_list> answer) {
                      const auto self = weak.lock();
                      if (!self)
                        return;
                      self->on_answer(answer);
                      if (done)
                        done(answer ? result<void>{} : result<void>{answer.error()});
                    });
  }

  void on_answer(const result<key_list>& answer) {
    if (answer && answer->changed)
      take(*answer);
    // What cannot be read now is asked for again: the keys known so far stay in force.
    if (!answer && !failing)
      log(log_level::warning, "keys.unread", {{"why", to_string(answer.error().code)}});
    failing = !answer;
    pause = parts.where->after(parts.interval, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->ask();
    });
  }

  void take(const key_list& list) {
    const auto first = !std::exchange(listed, true);
    change = list.change;
    for (const auto& [app, key] : parts.ring->replace(list)) {
      const auto closed = parts.links->close_key(app, key);
      parts.count->add(counter::connections_revoked, closed);
      if (!first)
        log(log_level::info, "key.revoked",
            {{"app", app}, {"key", key}, {"connections_closed", std::to_string(closed)}});
    }
  }

  key_watch_parts parts;
  std::uint64_t change = 0;
  bool listed = false;
  bool failing = false;
  std::unique_ptr<timer> pause;
};

key_watch::key_watch(key_watch_parts parts) : state_(std::make_shared<state>(std::move(parts))) {}

key_watch::~key_watch() = default;

void key_watch::start(std::function<void(result<void>)> done) {
  state_->ask(std::move(done));
}

} // namespace sidevoice
