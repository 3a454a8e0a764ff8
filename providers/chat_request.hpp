#pragma once

#include "providers/llm.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// From an llm_request to the body of POST /chat/completions. Plain functions.
namespace sidevoice {

/// What a model entry of the app file may say beside vendor and model. Empty: not sent.
struct chat_options {
  std::string model;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::int64_t> seed;
  std::string reasoning_effort;
  std::string verbosity;
  std::string service_tier;
  std::optional<bool> parallel_tool_calls;
  /// "max_completion_tokens", "max_tokens" (older compatible servers) or "none".
  std::string max_tokens_field = "max_completion_tokens";
  /// "system", or "developer" where a model wants that.
  std::string instructions_role = "system";
  /// False for servers that refuse `stream_options`; usage is then estimated.
  bool include_usage = true;
};

/// Reads a model entry. Error `invalid`, param "models": which option, and what it may be.
result<chat_options> read_chat_options(const json_text& entry);

/// How the body differs by service.
struct chat_dialect {
  /// OpenAI's own service: fields that compatible servers may refuse are sent.
  bool is_openai = false;
  /// False where the model is in the path.
  bool model_in_body = true;
};

/// The body, in the order that lets vendors' caches hit: instructions, tools by name, history as it
/// grew, and one last message with what changes all the time: the time, the board, the next topic.
///
/// The history follows the service's rules: each call has exactly one output directly behind it
/// (`{"error":"cancelled"}` where there is none), calls that follow each other are one message,
/// outputs without a call go. For `analyze` each text of user and assistant begins with its item's
/// id in square brackets, such as "[item_1] From Leeds", so that evidence can name it.
json_text make_chat_request(const llm_request& request, const chat_options& options,
                            const chat_dialect& dialect);

/// The last message's text.
std::string situation_text(const llm_request& request);

/// For a model whose context is too short: without the older half of the history, so that it begins
/// with a user's message. False, and nothing changed, where only the newest one is left.
bool drop_oldest_turns(llm_request& request);

} // namespace sidevoice
