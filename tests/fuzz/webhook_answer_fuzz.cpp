#include "actors/webhook.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <nlohmann/json.hpp>
#include <utf8.h>

#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

constexpr std::size_t output_bytes_max = 512;

bool can_be_stored(const std::string& text) {
  return utf8::is_valid(text.begin(), text.end()) && text.find('\0') == std::string::npos;
}

void judge(const tool_result& result) {
  must(!result.outcome.empty(), "an end without an outcome");
  must(can_be_stored(result.output) && can_be_stored(result.outcome), "what cannot be stored");
  // Cut, and a sentence that says so.
  must(result.output.size() <= output_bytes_max + 1024, "an output beyond its bound");
}

/// The bytes as exchanges: statuses, pieces of a body, ends and failures.
void run(tool_effect effect, std::string_view text) {
  tool_declaration tool{.name = "t", .kind = tool_kind::webhook, .effect = effect};
  tool.output_bytes_max = output_bytes_max;
  webhook_exchange exchange{tool};
  bool is_over = false;
  int exchanges = 1;
  const auto take = [&](const http_event& event) {
    const auto step = exchange.on(event);
    must(!(step.done && step.again), "an end and another try");
    if (step.done)
      judge(*step.done);
    is_over = is_over || step.done.has_value();
    return step.done || step.again;
  };
  while (!text.empty() && !is_over) {
    const auto how = static_cast<unsigned char>(text[0]);
    const auto pieces = split(text.substr(1), '\n', 2);
    text = pieces.size() > 1 ? pieces[1] : std::string_view{};
    if (how % 8 == 7) {
      static constexpr const char* reasons[] = {"resolve",  "connect",        "first_byte",
                                                "deadline", "too_large",      "cut",
                                                "tls",      "private_address"};
      if (take(http_failed{{errc::unavailable, "d", {}, reasons[how / 8 % 8]}}))
        ++exchanges;
      continue;
    }
    static constexpr unsigned statuses[] = {200, 204, 301, 400, 409, 429, 500};
    bool is_next = take(sidevoice::http_head{statuses[how % 8], {}});
    if (!is_next)
      is_next = take(http_bytes{std::string{pieces[0]}});
    if (!is_next)
      is_next = take(http_end{});
    must(is_next, "an answer that leads to nothing");
    ++exchanges;
  }
  must(exchanges <= 5, "tried without end");
  if (effect == tool_effect::once)
    must(exchanges <= 4, "a tool with an effect was tried too often");
}

} // namespace

/// What the other side of a webhook answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  for (const auto effect : {tool_effect::none, tool_effect::idempotent, tool_effect::once})
    run(effect, text_of(bytes, size));
  return 0;
}
