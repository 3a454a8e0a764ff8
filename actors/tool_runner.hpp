#pragma once

#include "actors/parts.hpp"
#include "actors/webhook.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace sidevoice {

/// Runs calls of this server's tools: one exchange with the outside each. Belongs to one actor,
/// and lives on its thread; what the outside says comes back through the actor's mailbox.
class tool_runner {
public:
  /// What one exchange said; `run` tells it from earlier ones of the same call.
  struct piece {
    std::string call;
    std::uint64_t run = 0;
    /// Nothing: the pause before another exchange is over.
    std::optional<http_event> event;
  };

  /// `post` may be called on any thread; `done` is called from within start and take.
  tool_runner(node_parts parts, std::function<void(piece)> post,
              std::function<void(call_done)> done);

  void start(const run_call& call);
  void cancel(const std::string& call);
  void take(const piece& what);

private:
  struct running {
    run_call call;
    http_call request;
    webhook_exchange exchange;
    std::uint64_t run = 0;
    loop::clock::time_point until;
    std::unique_ptr<http_transfer> transfer;
    std::unique_ptr<timer> pause;
  };

  void begin(running& entry);
  void end(const std::string& call, tool_result result);

  node_parts parts_;
  std::function<void(piece)> post_;
  std::function<void(call_done)> done_;
  std::map<std::string, running> running_;
  std::uint64_t runs_ = 0;
};

} // namespace sidevoice
