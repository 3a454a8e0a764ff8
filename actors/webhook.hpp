#pragma once

#include "actors/builtin_tools.hpp"
#include "actors/messages.hpp"
#include "actors/presentable.hpp"
#include "config/live.hpp"
#include "providers/http.hpp"

#include <optional>
#include <string>

/// Webhook tools: what is sent, and what an answer means. Pure.
namespace sidevoice {

/// The signed request: headers of Standard Webhooks with the call id as `webhook-id`, so that the
/// other side can tell a repeated call, and as body
/// {"type":"tool.called","timestamp","data":{app,session,user,release,call_id,attempt,name,
/// arguments,locale,zone}}. `url` has its references resolved.
http_call make_webhook(const tool_declaration& tool, const run_call& run, const std::string& url,
                       const live_settings& live, std::int64_t wall_ms);

/// One call through its exchanges. An error that cannot have had an effect is tried again, twice;
/// with `effect: once`, an exchange that broke after it may have been sent ends as "unknown".
class webhook_exchange {
public:
  explicit webhook_exchange(const tool_declaration& tool);

  struct step {
    std::optional<tool_result> done;
    /// Begin another exchange after this time.
    std::optional<std::chrono::milliseconds> again;
  };

  step on(const http_event& event);

private:
  step finish();
  step fail(const std::string& reason, const std::string& message);
  step retry_or(tool_result result);

  tool_effect effect_;
  std::size_t output_bytes_max_;
  unsigned status_ = 0;
  std::string body_;
  std::uint32_t tries_ = 1;
};

} // namespace sidevoice
