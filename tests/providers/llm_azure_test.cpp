#include "providers/catalogue.hpp"
#include "tests/providers/llm_conformance.hpp"
#include "tests/providers/moving.hpp"
#include "tests/providers/scripted_http.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;

constexpr const char* key = "azure-Canary-0123456789";
constexpr const char* model = R"({"vendor":"azure","model":"my deployment/1"})";
constexpr const char* v1 = "https://res.openai.azure.com/openai/v1";

llm_request request() {
  llm_request r;
  r.app = moving::app();
  r.history = {{llm_role::user, "item_1", "Hello", "", ""}};
  return r;
}

struct fixture {
  counted_ids ids;
  counters count;
  hand_loop turned;
  scripted_http http{turned};

  provider_context context(const std::string& url, const std::string& version = {}) {
    provider_context c{turned, ids, count, &http};
    c.account.key = key;
    c.account.openai_url = url;
    c.account.api_version = version;
    return c;
  }

  std::shared_ptr<llm_conformance::record> run(const provider_context& c) {
    const auto provider = make_llm_azure(c, model);
    REQUIRE(provider.has_value());
    auto got = std::make_shared<llm_conformance::record>();
    const auto stream = llm_conformance::open(**provider, request(), got);
    turned.advance(5min);
    REQUIRE(got->terminals() == 1);
    return got;
  }
};

} // namespace

TEST_CASE("Azure's models keep the interface's promises") {
  counted_ids ids;
  counters count;
  std::map<hand_loop*, std::unique_ptr<scripted_http>> clients;
  llm_conformance::run({[&](hand_loop& l) {
                          auto& http = clients[&l];
                          http = std::make_unique<scripted_http>(l);
                          http->answers = {good_answer()};
                          provider_context c{l, ids, count, http.get()};
                          c.account.key = key;
                          c.account.openai_url = v1;
                          auto made = make_llm_azure(c, model);
                          REQUIRE(made.has_value());
                          return std::move(*made);
                        },
                        request()});
}

TEST_CASE_FIXTURE(fixture,
                  "both forms of address lead to the right place, the key in its own header") {
  struct row {
    std::string url;
    std::string version;
    std::string asked;
    bool model_in_body;
  };
  const std::string classic = "https://res.openai.azure.com/openai/deployments/my%20deployment%2F1/"
                              "chat/completions?api-version=";
  for (const auto& row : std::vector<struct row>{
         {v1, "", std::string{v1} + "/chat/completions", true},
         {std::string{v1} + "/", "2024-10-21", std::string{v1} + "/chat/completions", true},
         {"https://gateway.example/team/v1", "", "https://gateway.example/team/v1/chat/completions",
          true},
         {"https://res.openai.azure.com", "", classic + "2024-10-21", false},
         {"https://res.openai.azure.com/", "2025-01-01-preview", classic + "2025-01-01-preview",
          false},
         {"https://res.openai.azure.com/openai/", "", classic + "2024-10-21", false},
       }) {
    INFO(row.url);
    http.answers = {good_answer()};
    CHECK(run(context(row.url, row.version))->text() == "Hello there");
    const auto& call = http.calls.back();
    CHECK(call.url == row.asked);
    const auto body = nlohmann::json::parse(call.body);
    CHECK(body.contains("model") == row.model_in_body);
    CHECK_FALSE(body.contains("prompt_cache_key"));
    int keys = 0;
    for (const auto& field : call.fields) {
      CHECK(field.name != "Authorization");
      keys += field.name == "api-key" && field.value == key ? 1 : 0;
    }
    CHECK(keys == 1);
  }
}

TEST_CASE_FIXTURE(fixture, "an account that is not whole is refused when the provider is made") {
  for (const auto& [url, key_text, reason, field] :
       std::vector<std::tuple<std::string, std::string, std::string, std::string>>{
         {v1, "", "no_key", "live.vendors.azure.key"},
         {v1, "Canary\n", "bad_key", "live.vendors.azure.key"},
         {"", key, "no_url", "live.vendors.azure.openai_url"},
         {"res.openai.azure.com", key, "bad_url", "live.vendors.azure.openai_url"},
         {"https://res.openai.azure.com/openai?x=1", key, "bad_url",
          "live.vendors.azure.openai_url"},
         {"https://res.openai.azure.com/other", key, "bad_url", "live.vendors.azure.openai_url"},
         {"https://", key, "bad_url", "live.vendors.azure.openai_url"},
       }) {
    const auto what = url + " " + reason;
    INFO(what);
    auto c = context(url);
    c.account.key = key_text;
    const auto made = make_llm_azure(c, model);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid);
    CHECK(made.error().reason == reason);
    CHECK(made.error().param == field);
    CHECK(made.error().detail.find(field) != std::string::npos);
    CHECK(made.error().detail.find("Canary") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "a blocked prompt is a filtered answer, not a failure") {
  http.answers = {refusal(
    400,
    R"({"error":{"message":"x","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})")};
  const auto got = run(context(v1));
  REQUIRE(std::holds_alternative<llm_done>(got->events.back()));
  CHECK(std::get<llm_done>(got->events.back()).reason == "content_filter");
  CHECK(http.calls.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "Azure's own error forms are understood") {
  for (const auto& [status, body, reason] :
       std::vector<std::tuple<unsigned, std::string, std::string>>{
         {401, R"({"error":{"code":"401","message":"Access denied"}})", "invalid_api_key"},
         {404, R"({"statusCode":404,"message":"Resource not found"})", "model_not_found"},
         {404, R"({"error":{"code":"DeploymentNotFound","message":"x"}})", "model_not_found"}}) {
    const std::string what = body;
    INFO(what);
    http.calls.clear();
    http.answers = {refusal(status, body)};
    const auto got = run(context(v1));
    REQUIRE(std::holds_alternative<llm_failed>(got->events.back()));
    CHECK(std::get<llm_failed>(got->events.back()).why.reason == reason);
    CHECK(http.calls.size() == 1);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "the asynchronous filter may stop an answer that has been said already") {
  http.answers = {
    {{0ms, stream_head()},
     {0ms,
      http_bytes{
        R"(data: {"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[{"prompt_index":0}]})"
        "\n\n"}},
     {0ms, http_bytes{chunk_of_text("Well, ")}},
     {0ms,
      http_bytes{
        R"(data: {"choices":[{"index":0,"delta":{},"content_filter_offsets":{"start_offset":0},"content_filter_results":{"hate":{"filtered":true}},"finish_reason":"content_filter"}]})"
        "\n\n"
        + chunk_of_end}},
     {0ms, http_end{}}}};
  const auto got = run(context(v1));
  CHECK(got->text() == "Well, ");
  CHECK(std::get<llm_done>(got->events.back()).reason == "content_filter");
}

} // namespace sidevoice
