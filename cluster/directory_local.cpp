#include "cluster/directory_local.hpp"

#include "actors/pulse.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace sidevoice {

namespace {

/// Time to ask the next supervisors for the pulse of their actors.
using watch_atom = caf::atom_constant<caf::atom("watch")>;
using directory_inner = directory_actor::extend<caf::reacts_to<watch_atom>>;

constexpr std::chrono::seconds watch_step{1};

/// Owned by the directory actor; touched only inside its handlers.
class directory_state {
public:
  static inline const char* name = "directory";
  using pointer = directory_inner::stateful_pointer<directory_state>;

  explicit directory_state(directory_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const session_tree& tree, directory_options options) {
    parts_ = parts;
    tree_ = tree;
    options_ = options;
    self_->set_down_handler([this](const caf::down_msg& down) { on_down(down.source); });
    self_->set_exit_handler([this](const caf::exit_msg&) { stop(); });
  }

  caf::result<session_actor> on_find(const find_session& who) {
    if (stopping_)
      return to_caf({errc::unavailable, "this node is stopping; connect again", {}, "stopping"});
    const session_key key{who.app->id, who.id};
    auto known = sessions_.find(key);
    if (known == sessions_.end()) {
      if (draining_)
        return to_caf({errc::unavailable, "this node is stopping; connect again", {}, "stopping"});
      if (sessions_.size() >= options_.sessions_max)
        return to_caf({errc::overloaded,
                       "this node has all the sessions it can hold; try later",
                       {},
                       "sessions_max"});
      auto fresh = spawn_session_supervisor(self_->system(), parts_, tree_, who,
                                            caf::actor_cast<caf::actor>(directory_inner{self_}));
      self_->monitor(fresh);
      keys_.emplace(fresh.address(), key);
      known = sessions_.emplace(key, std::move(fresh)).first;
      if (first_.id.empty())
        first_ = key;
      newest_ = key;
      count_live();
      start_watch();
    }
    return self_->delegate(known->second, who);
  }

  caf::result<tree_report> on_tree() {
    auto answer = self_->make_response_promise<tree_report>();
    if (sessions_.empty()) {
      answer.deliver(tree_report{});
      return answer;
    }
    // Each supervisor answers for its session; the last one to answer, or to be gone, completes the
    // report.
    struct gathering {
      tree_report report;
      std::size_t open = 0;
    };
    auto all = std::make_shared<gathering>();
    all->open = std::min<std::size_t>(sessions_.size(), report_max);
    auto left = all->open;
    for (const auto& [key, supervisor] : sessions_) {
      if (left-- == 0)
        break;
      auto one_less = [all, answer]() mutable {
        if (--all->open == 0)
          answer.deliver(std::move(all->report));
      };
      self_->request(supervisor, std::chrono::seconds{2}, tree_atom::value)
        .then(
          [all, one_less](const tree_report& part) mutable {
            all->report.entries.insert(all->report.entries.end(), part.entries.begin(),
                                       part.entries.end());
            one_less();
          },
          [one_less](const caf::error&) mutable { one_less(); });
    }
    return answer;
  }

  void on_drain(const drain_session& how) {
    draining_ = true;
    for (const auto& [key, supervisor] : sessions_)
      self_->send(supervisor, how);
  }

  /// Beside ids: "first" is the first session that this node has run, "newest" the newest.
  void on_fault(const fault_order& fault) {
    const auto& asked = fault.session == "first"    ? first_.id
                        : fault.session == "newest" ? newest_.id
                                                    : fault.session;
    for (const auto& [key, supervisor] : sessions_)
      if (asked.empty() || asked == key.id)
        self_->send(supervisor, fault);
  }

  void on_watch() {
    watching_ = false;
    if (stopping_)
      return;
    const auto rounds = static_cast<std::size_t>(options_.watch_round / watch_step);
    auto left = std::min(options_.watch_max, (sessions_.size() + rounds - 1) / rounds);
    for (auto next = sessions_.upper_bound(watched_); left > 0; --left, ++next) {
      if (next == sessions_.end())
        next = sessions_.begin();
      caf::anon_send(caf::actor_cast<caf::actor>(next->second), pulse_atom::value);
      watched_ = next->first;
    }
    start_watch();
  }

  void stop() {
    if (std::exchange(stopping_, true))
      return;
    for (const auto& [key, supervisor] : sessions_)
      self_->send(supervisor, stop_atom::value);
    if (sessions_.empty())
      self_->quit(caf::exit_reason::user_shutdown);
  }

private:
  /// Without sessions there is nothing to watch, and no timer.
  void start_watch() {
    if (watching_ || sessions_.empty() || options_.watch_round < watch_step)
      return;
    watching_ = true;
    self_->delayed_send(self_, watch_step, watch_atom::value);
  }

  void count_live() {
    if (options_.live != nullptr)
      options_.live->store(sessions_.size(), std::memory_order_relaxed);
  }

  /// A report is for people: more sessions than this make none of it readable.
  static constexpr std::size_t report_max = 1000;

  void on_down(const caf::actor_addr& source) {
    auto node = keys_.extract(source);
    if (!node.empty())
      sessions_.erase(node.mapped());
    count_live();
    if (stopping_ && sessions_.empty())
      self_->quit(caf::exit_reason::user_shutdown);
  }

  directory_inner::pointer self_;
  node_parts parts_;
  session_tree tree_;
  directory_options options_;
  std::map<session_key, session_supervisor_actor> sessions_;
  std::unordered_map<caf::actor_addr, session_key> keys_;
  session_key first_;
  session_key newest_;
  /// The one that was asked last.
  session_key watched_;
  bool watching_ = false;
  /// No new sessions.
  bool draining_ = false;
  bool stopping_ = false;
};

directory_inner::behavior_type directory_behavior(directory_state::pointer self,
                                                  const node_parts& parts, const session_tree& tree,
                                                  directory_options options) {
  auto& s = self->state;
  s.start(parts, tree, options);
  return {
    [&s](const find_session& who) { return s.on_find(who); },
    [&s](tree_atom) { return s.on_tree(); },
    [&s](const drain_session& how) { s.on_drain(how); },
    [&s](const fault_order& fault) { s.on_fault(fault); },
    [&s](stop_atom) { s.stop(); },
    [&s](watch_atom) { s.on_watch(); },
  };
}

} // namespace

directory_actor spawn_directory_local(caf::actor_system& sys, const node_parts& parts,
                                      const session_tree& tree, directory_options options) {
  return sys.spawn(directory_behavior, parts, tree, options);
}

} // namespace sidevoice
