#pragma once

#include "actors/interfaces.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "gateway/damaged_sessions.hpp"
#include "gateway/forwarded.hpp"
#include "gateway/open_links.hpp"
#include "gateway/routes.hpp"
#include "gateway/site.hpp"
#include "persistence/store.hpp"
#include "providers/vad.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sidevoice {

/// What an app's voice can do on this node.
struct voice_abilities {
  bool hears = false;
  bool speaks = false;
  /// There is a model that tells when a turn is over.
  bool judges_turns = false;
};

/// What the public port needs of the node. All of it outlives the port.
struct node_access {
  caf::actor_system* sys = nullptr;
  directory_actor directory;
  counters* count = nullptr;
  id_source* ids = nullptr;
  const loop* where = nullptr;
  /// Null: no speech engines.
  const vad_engine* vad = nullptr;
  /// The clock of the sound's pace.
  loop* clock = nullptr;
  /// Empty: all that there are engines for. Any thread.
  std::function<voice_abilities(const app_definition&)> voice_of = {};
  /// As of `connection_parts`. Any thread.
  std::function<bool()> may_begin_to_talk = {};
  /// Refuses a new session where there is no room, as of `router_parts`.
  std::function<std::optional<http_response>(newcomer)> refuse_newcomer = {};
  /// Knows which sessions there are; null: then clients with a key of their own are never new.
  store* journal = nullptr;
};

/// Asks the directory for a session, with a deadline of 5 s. `done` is called once, on an actor's
/// thread.
void ask_directory(const node_access& node, const find_session& where,
                   std::function<void(result<session_actor>)> done);

/// The public port: the router's answers, and the way from an allowed upgrade to a connection
/// actor.
class public_site final : public http_site {
public:
  public_site(router_parts parts, node_access node, std::shared_ptr<open_links> links,
              proxy_list proxies = {});

  site_answer handle(const http_request& request) override;

  router& routes() {
    return router_;
  }

private:
  [[nodiscard]] site_answer answer(const http_request& request);
  [[nodiscard]] http_response refused(http_response response, const http_request& request);
  [[nodiscard]] site_answer enter(const http_request& request, const open_session& opened);
  [[nodiscard]] http_upgrade upgrade_to(const open_session& opened,
                                        const std::shared_ptr<open_links::place>& place) const;
  [[nodiscard]] http_upgrade unless_new(const open_session& opened, http_response refusal,
                                        http_upgrade upgrade) const;

  const app_registry* apps_;
  std::shared_ptr<damaged_sessions> damaged_ = std::make_shared<damaged_sessions>();
  router router_;
  node_access node_;
  std::shared_ptr<open_links> links_;
  proxy_list proxies_;
  std::mutex log_mutex_;
  /// So that a flood does not fill the log.
  rate_bucket log_rate_;
};

} // namespace sidevoice
