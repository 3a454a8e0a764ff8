#pragma once

#include "providers/catalogue.hpp"
#include "tests/providers/llm_conformance.hpp"
#include "tests/providers/moving.hpp"
#include "tests/providers/scripted_http.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace sidevoice::openai_test {

inline constexpr const char* key = "sk-proj-Canary0123456789";
inline constexpr const char* model = R"({"vendor":"openai","model":"gpt-4.1-mini"})";

inline llm_request request() {
  llm_request r;
  r.app = moving::app();
  r.instructions = "Lead the conversation.";
  r.wall_ms = moving::today_ms;
  r.zone = "UTC";
  r.history = {{llm_role::assistant, "item_1", "Hello!", "", ""},
               {llm_role::user, "item_2", "From Leeds", "", ""}};
  return r;
}

/// A provider over a scripted client, in virtual time.
struct openai_fixture {
  counted_ids ids;
  counters count;
  hand_loop turned;
  scripted_http http{turned};

  provider_context context() {
    provider_context c{turned, ids, count, &http};
    c.account.key = key;
    return c;
  }

  std::unique_ptr<llm_provider> make(const provider_context& c, const json_text& options = model) {
    auto made = make_llm_openai(c, options);
    REQUIRE(made.has_value());
    return std::move(*made);
  }

  /// One generation to its end.
  std::shared_ptr<llm_conformance::record> run(const llm_request& what = request()) {
    auto got = std::make_shared<llm_conformance::record>();
    const auto provider = make(context());
    const auto stream = llm_conformance::open(*provider, what, got);
    REQUIRE(stream.has_value());
    turned.advance(std::chrono::minutes{5});
    REQUIRE(got->terminals() == 1);
    return got;
  }

  std::string failure(const llm_request& what = request()) {
    const auto got = run(what);
    const auto* failed = std::get_if<llm_failed>(&got->events.back());
    if (failed == nullptr)
      return std::get<llm_done>(got->events.back()).reason;
    CHECK_FALSE(failed->why.detail.empty());
    CHECK(failed->why.detail.find("Canary") == std::string::npos);
    return failed->why.reason;
  }
};

inline std::string error_body(const std::string& code, const std::string& message = "x") {
  return nlohmann::json{{"error", {{"message", message}, {"type", "t"}, {"code", code}}}}.dump();
}

} // namespace sidevoice::openai_test
