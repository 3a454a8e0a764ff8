#include "providers/span_exporter.hpp"

#include "providers/otlp_json.hpp"
#include "providers/span_batches.hpp"
#include "tests/providers/scripted_http.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace sidevoice;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

span_record span_of(const std::string& name) {
  return {.self = {named_trace_id(name, 16), named_trace_id(name + "/", 8)},
          .parent = named_trace_id("parent", 8),
          .name = name,
          .kind = span_kind::client,
          .start_ns = 1'800'000'000'000'000'001,
          .end_ns = 1'800'000'000'500'000'000,
          .attributes = {{"session.id", std::string{"sess_1"}},
                         {"gen_ai.usage.input_tokens", std::int64_t{20}},
                         {"gen_ai.response.finish_reasons", std::vector<std::string>{"stop"}}},
          .events = {{"first_token", 1'800'000'000'100'000'000}},
          .failure = {}};
}

struct line {
  hand_loop where;
  counters count;
  counted_ids ids;
  scripted_http http{where};
  std::unique_ptr<span_exporter> out;

  explicit line(trace_settings how = {}) {
    how.url = "http://collector:4318/v1/traces";
    how.fields = {{"x-key", "word"}};
    how.resource = {{"service.name", "shop"}};
    out = make_span_exporter(where, http, count, ids, how);
  }

  void take(std::size_t spans) {
    for (std::size_t i = 0; i < spans; ++i)
      out->take(span_of("span " + std::to_string(i)));
    where.run_ready();
  }

  [[nodiscard]] std::size_t spans_of(std::size_t call) const {
    return json::parse(http.calls.at(call).body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
      .size();
  }
  [[nodiscard]] std::uint64_t sent() const {
    return count.value(counter::spans_sent);
  }
  [[nodiscard]] std::uint64_t dropped() const {
    return count.value(counter::spans_dropped);
  }
};

} // namespace

TEST_CASE("a span is OTLP's JSON: hexadecimal ids, times and large numbers as texts") {
  const auto body = json::parse(make_otlp_request({span_of("llm")}, {{"service.name", "shop"}}));
  const auto& resource = body["resourceSpans"][0];
  CHECK(resource["resource"]["attributes"][0]
        == json{{"key", "service.name"}, {"value", {{"stringValue", "shop"}}}});
  const auto& span = resource["scopeSpans"][0]["spans"][0];
  CHECK(span["traceId"] == named_trace_id("llm", 16));
  CHECK(span["parentSpanId"] == named_trace_id("parent", 8));
  CHECK(span["kind"] == 3);
  CHECK(span["startTimeUnixNano"] == "1800000000000000001");
  CHECK(span["attributes"][1]["value"] == json{{"intValue", "20"}});
  CHECK(span["attributes"][2]["value"]["arrayValue"]["values"][0]["stringValue"] == "stop");
  CHECK(span["events"][0]["name"] == "first_token");
  CHECK_FALSE(span.contains("status"));
  auto failed = span_of("llm");
  failed.failure = "stall";
  const auto other = json::parse(make_otlp_request({failed}, {}));
  CHECK(other["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"]
        == json{{"code", 2}, {"message", "stall"}});
}

TEST_CASE("spans wait for others, then go together with the collector's headers") {
  line l{{.delay = 200ms}};
  l.http.answers = {refusal(200, "{}")};
  l.take(3);
  l.where.advance(199ms);
  CHECK(l.http.calls.empty());
  l.where.advance(100ms);
  REQUIRE(l.http.calls.size() == 1);
  CHECK(l.http.calls[0].url == "http://collector:4318/v1/traces");
  CHECK(l.http.calls[0].fields[1].name == "x-key");
  CHECK(l.http.calls[0].deadline == 10s);
  CHECK(l.spans_of(0) == 3);
  CHECK(l.sent() == 3);
  CHECK(l.where.pending() == 0);
}

TEST_CASE("a full batch goes at once, and what came meanwhile behind it") {
  line l{{.batch_max = 4, .delay = 1h}};
  l.http.answers = {refusal(200, "{}")};
  l.take(9);
  CHECK(l.http.calls.size() == 1);
  l.where.advance(1s);
  CHECK(l.http.calls.size() == 2);
  CHECK(l.sent() == 8);
  l.where.advance(1h);
  CHECK(l.sent() == 9);
}

TEST_CASE("a collector that hangs costs the oldest spans, and they are counted") {
  line l{{.queue_max = 10, .batch_max = 5, .delay = 0ms}};
  l.http.answers = {scripted_http::answer{{1h, http_head{200, {}}}}};
  l.take(5);
  REQUIRE(l.http.calls.size() == 1);
  l.take(25);
  CHECK(l.http.calls.size() == 1);
  CHECK(l.dropped() == 15);
  CHECK(l.sent() == 0);
}

TEST_CASE("a busy collector is asked again, after the time it asked for") {
  line l{{.delay = 0ms}};
  l.http.answers = {refusal(429, "", {{"retry-after", "7"}}), refusal(503, ""), refusal(200, "{}")};
  l.take(2);
  l.where.advance(6s);
  CHECK(l.http.calls.size() == 1);
  l.where.advance(20s);
  CHECK(l.http.calls.size() == 3);
  CHECK(l.sent() == 2);
  CHECK(l.dropped() == 0);
}

TEST_CASE("a collector that is gone is asked five times, then the batch is dropped and counted") {
  line l{{.delay = 0ms}};
  l.http.answers = {failure_of("connect")};
  l.take(2);
  l.where.advance(2min);
  CHECK(l.http.calls.size() == 5);
  CHECK(l.dropped() == 2);
  CHECK(l.where.pending() == 0);
  // It comes back.
  l.http.answers = {refusal(200, "{}")};
  l.take(1);
  l.where.advance(1s);
  CHECK(l.sent() == 1);
}

TEST_CASE("what a collector refuses for good is not sent again") {
  line l{{.delay = 0ms}};
  l.http.answers = {refusal(400, "no")};
  l.take(2);
  l.where.advance(2min);
  CHECK(l.http.calls.size() == 1);
  CHECK(l.dropped() == 2);
}

TEST_CASE("spans that a collector has refused of a batch count as dropped") {
  line l{{.delay = 0ms}};
  l.http.answers = {refusal(200, R"({"partialSuccess":{"rejectedSpans":"2"}})")};
  l.take(3);
  l.where.advance(1s);
  CHECK(l.sent() == 1);
  CHECK(l.dropped() == 2);
}

TEST_CASE("the end of the process sends what waits, and does not wait for one that is gone") {
  line l{{.delay = 1h}};
  l.http.answers = {refusal(200, "{}")};
  l.take(3);
  bool is_done = false;
  l.out->flush([&is_done] { is_done = true; });
  l.where.advance(1s);
  CHECK(is_done);
  CHECK(l.sent() == 3);
  l.http.answers = {failure_of("connect")};
  l.take(1);
  is_done = false;
  l.out->flush([&is_done] { is_done = true; });
  l.where.advance(100ms);
  CHECK(is_done);
  CHECK(l.dropped() == 1);
}

TEST_CASE("an exporter that goes takes its timers and its request along") {
  line l{{.delay = 0ms}};
  l.http.answers = {scripted_http::answer{{1h, http_head{200, {}}}}};
  l.take(1);
  l.out.reset();
  CHECK(l.http.cancelled == 1);
  l.where.advance(2h);
  CHECK(l.where.pending() == 0);
}
