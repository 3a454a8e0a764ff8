#include "tests/providers/openai_fixture.hpp"

#include <map>

/// What all vendors of this kind share: names of refusals, retries, deadlines.
namespace sidevoice {

namespace {

using namespace std::chrono_literals;
using namespace openai_test;
using fixture = openai_fixture;

} // namespace

TEST_CASE_FIXTURE(fixture, "refusals have names, and only what can help is asked again") {
  struct row {
    unsigned status;
    std::string body;
    std::vector<http_call::field> fields;
    std::string reason;
    std::size_t calls;
  };
  const std::string echo = "Incorrect API key provided: sk-proj-Canary0123456789";
  for (const auto& row : std::vector<struct row>{
         {400, error_body("invalid_value"), {}, "bad_request", 1},
         {400, error_body("content_filter"), {}, "content_filter", 1},
         {401, error_body("invalid_api_key", echo), {}, "invalid_api_key", 1},
         {401, error_body(key, echo), {}, "invalid_api_key", 1},
         {403, error_body("unsupported_country_region_territory"), {}, "forbidden", 1},
         {404, error_body("model_not_found"), {}, "model_not_found", 1},
         {408, "", {}, "timeout", 3},
         {409, "", {}, "conflict", 3},
         {413, "", {}, "request_too_large", 1},
         {422, R"({"detail":[{"loc":["body"]}]})", {}, "bad_request", 1},
         {429, error_body("rate_limit_exceeded"), {}, "rate_limit", 3},
         {429, error_body("insufficient_quota"), {}, "insufficient_quota", 1},
         {429,
          error_body("insufficient_quota"),
          {{"x-should-retry", "true"}},
          "insufficient_quota",
          1},
         {500, "<html>oops</html>", {}, "server_error", 3},
         {503, "", {}, "server_error", 3},
         {529, error_body("overloaded_error"), {}, "server_error", 3},
         {500, "", {{"x-should-retry", "false"}}, "server_error", 1},
         {400, "", {{"x-should-retry", "true"}}, "bad_request", 3},
         {302, "", {{"location", "https://elsewhere.example/"}}, "redirect", 1},
         {500, std::string(1 << 20, 'x'), {}, "server_error", 3},
       }) {
    INFO(row.status, " ", row.reason);
    http.calls.clear();
    http.answers = {refusal(row.status, row.body, row.fields)};
    CHECK(failure() == row.reason);
    CHECK(http.calls.size() == row.calls);
  }
}

TEST_CASE_FIXTURE(fixture, "connections that fail are tried again, what TLS refuses is not") {
  for (const auto& [reason, calls] : std::map<std::string, std::size_t>{{"resolve", 3},
                                                                        {"connect", 3},
                                                                        {"cut", 3},
                                                                        {"tls", 1},
                                                                        {"private_address", 1},
                                                                        {"overloaded", 1}}) {
    const std::string what = reason;
    INFO(what);
    http.calls.clear();
    http.answers = {failure_of(reason)};
    CHECK(failure() == reason);
    CHECK(http.calls.size() == calls);
  }
}

TEST_CASE_FIXTURE(fixture, "a second try that works is an answer like any other") {
  http.answers = {refusal(429, error_body("rate_limit_exceeded"), {{"retry-after-ms", "700"}}),
                  good_answer()};
  const auto begin = turned.now();
  const auto got = std::make_shared<llm_conformance::record>();
  const auto provider = make(context());
  const auto stream = llm_conformance::open(*provider, request(), got);
  turned.advance(749ms);
  CHECK(http.calls.size() == 1);
  turned.advance(1ms);
  CHECK(http.calls.size() == 2);
  CHECK(turned.now() - begin == 750ms);
  turned.advance(1min);
  CHECK(got->text() == "Hello there");
  CHECK(got->terminals() == 1);
  CHECK(count.value(counter::llm_retries) == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "whoever would have to wait longer than for a first byte hears the truth now") {
  http.answers = {refusal(429, "", {{"retry-after", "30"}}), good_answer()};
  CHECK(failure() == "rate_limit");
  CHECK(http.calls.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "nothing is asked again once something was said") {
  const auto said = chunk_of_text("Hello ");
  for (const auto& [end, reason] : std::vector<std::pair<http_event, std::string>>{
         {http_end{}, "cut"},
         {http_failed{{errc::unavailable, "it broke", {}, "cut"}}, "cut"},
         {http_bytes{"data: " + error_body("server_error") + "\n\n"}, "server_error"},
         {http_bytes{"data: {oops\n\n"}, "bad_answer"},
         {http_bytes{"data: " + std::string(600 << 10, 'x')}, "too_large"},
       }) {
    const std::string what = reason;
    INFO(what);
    http.calls.clear();
    http.answers = {{{0ms, stream_head()}, {0ms, http_bytes{said}}, {10ms, end}}};
    CHECK(failure() == reason);
    CHECK(http.calls.size() == 1);
  }
}

TEST_CASE_FIXTURE(fixture, "an error in mid-stream before anything was said is asked again") {
  http.answers = {{{0ms, stream_head()},
                   {0ms, http_bytes{"data: " + error_body("server_error") + "\n\n"}}},
                  good_answer()};
  CHECK(run()->text() == "Hello there");
  CHECK(http.cancelled == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "a model that does not begin in time is given up, head and comments or not") {
  for (const auto& answer : std::vector<scripted_http::answer>{
         {},
         {{100ms, stream_head()}},
         {{100ms, stream_head()}, {9s, http_bytes{": OPENROUTER PROCESSING\n\n"}}}}) {
    http.answers = {answer};
    const auto got = std::make_shared<llm_conformance::record>();
    const auto provider = make(context());
    const auto stream = llm_conformance::open(*provider, request(), got);
    turned.advance(9'999ms);
    CHECK(got->events.empty());
    turned.advance(1ms);
    REQUIRE(got->terminals() == 1);
    CHECK(std::get<llm_failed>(got->events.back()).why.reason == "first_byte");
  }
  CHECK(http.cancelled == 3);
  CHECK(turned.pending() == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a model that stops in mid-answer is given up, measured from its last word") {
  http.answers = {{{1s, stream_head()},
                   {0s, http_bytes{chunk_of_text("a")}},
                   {14s, http_bytes{chunk_of_text("b")}},
                   {10s, http_bytes{": comment\n\n"}}}};
  const auto got = std::make_shared<llm_conformance::record>();
  const auto provider = make(context());
  const auto stream = llm_conformance::open(*provider, request(), got);
  turned.advance(29'999ms);
  CHECK(got->text() == "ab");
  CHECK(got->terminals() == 0);
  turned.advance(1ms);
  REQUIRE(got->terminals() == 1);
  CHECK(std::get<llm_failed>(got->events.back()).why.reason == "stall");
}

TEST_CASE_FIXTURE(fixture, "a finish without usage or end is an answer all the same") {
  for (const auto& end : std::vector<scripted_http::answer>{
         {}, {{1s, http_end{}}}, {{1s, http_failed{{errc::unavailable, "", {}, "cut"}}}}}) {
    scripted_http::answer answer{{0ms, stream_head()},
                                 {0ms, http_bytes{chunk_of_text("a") + chunk_of_stop}}};
    answer.insert(answer.end(), end.begin(), end.end());
    http.answers = {answer};
    const auto got = run();
    REQUIRE(std::holds_alternative<llm_done>(got->events.back()));
    CHECK(std::get<llm_done>(got->events.back()).input_tokens > 0);
    CHECK(std::get<llm_done>(got->events.back()).output_tokens == 1);
  }
}

TEST_CASE_FIXTURE(fixture, "after the end mark the connection ends by itself, within bounds") {
  http.answers = {
    {{0ms, stream_head()}, {0ms, http_bytes{chunk_of_text("a") + chunk_of_stop + chunk_of_end}}}};
  const auto got = std::make_shared<llm_conformance::record>();
  const auto provider = make(context());
  const auto stream = llm_conformance::open(*provider, request(), got);
  turned.advance(49ms);
  CHECK(got->terminals() == 0);
  turned.advance(1ms);
  CHECK(got->terminals() == 1);
  CHECK(http.cancelled == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "a context that is too long is asked again once, without its oldest half") {
  auto what = request();
  for (int i = 3; i < 9; ++i)
    what.history.push_back({i % 2 == 0 ? llm_role::user : llm_role::assistant,
                            "item_" + std::to_string(i), "text " + std::to_string(i), "", ""});
  http.answers = {refusal(400, error_body("context_length_exceeded")), good_answer()};
  CHECK(run(what)->text() == "Hello there");
  REQUIRE(http.calls.size() == 2);
  CHECK(http.calls[0].body.find("From Leeds") != std::string::npos);
  CHECK(http.calls[1].body.find("From Leeds") == std::string::npos);
  CHECK(http.calls[1].body.find("text 8") != std::string::npos);
  http.calls.clear();
  http.answers = {refusal(400, error_body("context_length_exceeded"))};
  CHECK(failure(what) == "context_length_exceeded");
  CHECK(http.calls.size() == 2);
}

} // namespace sidevoice
