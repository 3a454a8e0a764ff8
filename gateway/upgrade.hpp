#pragma once

#include "actors/interfaces.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "gateway/routes.hpp"
#include "gateway/site.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sidevoice {

/// What the public port needs of the node. All of it outlives the port.
struct node_access {
  caf::actor_system* sys = nullptr;
  directory_actor directory;
  counters* count = nullptr;
  id_source* ids = nullptr;
  const loop* where = nullptr;
};

/// Asks the directory for a session, with a deadline of 5 s. `done` is called once, on an actor's
/// thread.
void ask_directory(const node_access& node, const find_session& where,
                   std::function<void(result<session_actor>)> done);

/// The public port: the router's answers, and the way from an allowed upgrade to a connection
/// actor.
class public_site final : public http_site {
public:
  public_site(router_parts parts, node_access node);

  site_answer handle(const http_request& request) override;

  router& routes() {
    return router_;
  }

private:
  [[nodiscard]] http_upgrade upgrade_to(const open_session& opened) const;

  router router_;
  node_access node_;
};

} // namespace sidevoice
