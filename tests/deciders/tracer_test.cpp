#include "actors/tracer.hpp"

#include "actors/model_span.hpp"
#include "actors/turn_spans.hpp"
#include "tests/support/hand_loop.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

struct kept_spans final : span_sink {
  std::vector<span_record> spans;

  void take(span_record span) override {
    spans.push_back(std::move(span));
  }

  [[nodiscard]] const span_record& named(const std::string& name, std::size_t number = 0) const {
    for (const auto& span : spans)
      if (span.name == name && number-- == 0)
        return span;
    FAIL("there is no span " << name);
    return spans.front();
  }
};

template <class T>
T value_of(const span_record& span, const std::string& key) {
  for (const auto& one : span.attributes)
    if (one.key == key)
      return std::get<T>(one.value);
  FAIL("the span has no " << key);
  return {};
}

struct traced {
  hand_loop where;
  counted_ids ids{7};
  kept_spans out;
  tracer traces;
  turn_spans spans;
  session_view view;

  explicit traced(double ratio = 1.0)
      : traces{where, ids, out, trace_sampler{ratio}},
        spans{traces, "moving", "sess_1"} {
    add(session_started{.app = "moving", .release = "sha256:1"});
  }

  void add(event_body body) {
    const event e{view.head + 1, wall_ms(where), std::move(body)};
    REQUIRE(sidevoice::apply(view, e).has_value());
    spans.on(e, view);
  }

  void say(const std::string& id) {
    add(item_put{"1" + id, {.id = id, .text = "canary words"}});
  }

  void turn(const std::string& id, const std::string& cause) {
    add(response_requested{id, {cause}});
    where.advance(10ms);
    add(response_started{id, 1, "item_" + id});
    where.advance(30ms);
    add(response_spoken{id, 1, 1, "canary words"});
    where.advance(60ms);
    add(response_done{id, response_status::completed, {}, {.input = 20, .output = 3, .cost = 5}});
  }
};

} // namespace

TEST_CASE("a turn is a span from its request to its end, without a word of it") {
  traced t;
  t.say("item_a");
  t.turn("resp_1", "item_a");
  REQUIRE(t.out.spans.size() == 1);
  const auto& span = t.out.spans[0];
  CHECK(span.name == "turn");
  CHECK(span.parent.empty());
  CHECK(span.end_ns - span.start_ns == 100'000'000);
  CHECK(value_of<std::string>(span, "session.id") == "sess_1");
  CHECK(value_of<std::string>(span, "sidevoice.response.id") == "resp_1");
  CHECK(value_of<std::string>(span, "sidevoice.turn.cause") == "message");
  CHECK(value_of<std::int64_t>(span, "gen_ai.usage.input_tokens") == 20);
  REQUIRE(span.events.size() == 2);
  CHECK(span.events[1].name == "first_clause");
  for (const auto& one : span.attributes)
    if (const auto* text = std::get_if<std::string>(&one.value))
      CHECK(text->find("canary") == std::string::npos);
}

TEST_CASE("a turn begins when it was decided, not when that had become durable") {
  traced t;
  t.say("item_a");
  const event e{t.view.head + 1, wall_ms(t.where), response_requested{"resp_1", {"item_a"}}};
  t.where.advance(40ms);
  REQUIRE(sidevoice::apply(t.view, e).has_value());
  t.spans.on(e, t.view);
  t.add(response_done{"resp_1", response_status::completed, {}, {}});
  CHECK(t.out.spans[0].end_ns - t.out.spans[0].start_ns == 40'000'000);
}

TEST_CASE("a call is a span below its turn, and the answer to its output is below the turn too") {
  traced t;
  t.say("item_a");
  t.add(response_requested{"resp_1", {"item_a"}});
  t.add(response_started{"resp_1", 1, "item_1"});
  const call_opened call{
    .call = "call_1", .name = "book", .arguments = R"({"x":"canary"})", .response = "resp_1"};
  t.add(call);
  t.add(response_done{"resp_1", response_status::completed, {}, {}});
  t.add(call_started{"call_1", 1});
  const auto parent = t.spans.of_call(t.view, *t.view.find_call("call_1"));
  t.where.advance(70ms);
  t.add(item_put{"2",
                 {.id = "item_out",
                  .kind = item_kind::function_call_output,
                  .call_id = "call_1",
                  .output = "canary",
                  .response = "resp_1"}});
  t.add(call_ended{"call_1", "failed", {}});
  t.turn("resp_2", "item_out");

  const auto& first = t.out.named("turn");
  const auto& tool = t.out.named("tool book");
  const auto& second = t.out.named("turn", 1);
  CHECK(tool.self.trace == first.self.trace);
  CHECK(tool.parent == first.self.span);
  // What the webhook was given is this very span.
  CHECK(parent == to_traceparent(tool.self));
  CHECK(tool.failure == "failed");
  CHECK(tool.end_ns - tool.start_ns == 70'000'000);
  CHECK(value_of<std::int64_t>(tool, "sidevoice.tool.attempt") == 1);
  CHECK(second.self.trace == first.self.trace);
  CHECK(second.parent == first.self.span);
  CHECK(value_of<std::string>(second, "sidevoice.turn.cause") == "tool");
}

TEST_CASE("a call that is answered on the spot is a span as well") {
  traced t;
  t.add(call_opened{.call = "call_1", .name = "clock", .by = call_author::analyzer});
  t.add(call_ended{"call_1", "ok", "canary"});
  CHECK(t.out.named("tool clock").failure.empty());
}

TEST_CASE("turns of their own are traces of their own") {
  traced t;
  t.say("item_a");
  t.turn("resp_1", "item_a");
  t.say("item_b");
  t.turn("resp_2", "item_b");
  CHECK(t.out.named("turn").self.trace != t.out.named("turn", 1).self.trace);
}

TEST_CASE("who carries on after a crash carries on the same spans") {
  traced t;
  t.say("item_a");
  t.add(response_requested{"resp_1", {"item_a"}});
  t.add(response_started{"resp_1", 1, "item_1"});
  const auto before = t.spans.of_turn(t.view, *t.view.find_response("resp_1"));

  turn_spans later{t.traces, "moving", "sess_1"};
  later.take_over(t.view);
  CHECK(later.of_turn(t.view, *t.view.find_response("resp_1")) == before);
  const event e{t.view.head + 1, wall_ms(t.where),
                response_done{"resp_1", response_status::failed, "poison", {}}};
  REQUIRE(sidevoice::apply(t.view, e).has_value());
  later.on(e, t.view);
  const auto& span = t.out.named("turn");
  CHECK(to_traceparent(span.self) == before);
  CHECK(span.failure == "poison");
  CHECK(value_of<bool>(span, "sidevoice.restored"));
}

TEST_CASE("a trace that is not kept leaves nothing, and says so to those behind") {
  traced t{0.0};
  t.say("item_a");
  t.add(response_requested{"resp_1", {"item_a"}});
  const auto parent = t.spans.of_turn(t.view, *t.view.find_response("resp_1"));
  CHECK(parent.ends_with("-00"));
  auto llm = t.traces.begin(parent, "llm", span_kind::client);
  CHECK(llm.traceparent().ends_with("-00"));
  llm.set("gen_ai.request.model", std::string{"m"});
  llm.end();
  t.add(response_done{"resp_1", response_status::completed, {}, {}});
  CHECK(t.out.spans.empty());
}

TEST_CASE("the silence of a spoken turn is a span with its parts") {
  traced t;
  t.say("item_a");
  t.turn("resp_1", "item_a");
  t.add(turn_measured{"resp_1", "item_resp_1", 500, 300, 20, 5, 30, 80});
  const auto& span = t.out.named("silence");
  CHECK(span.parent == t.out.named("turn").self.span);
  CHECK(span.end_ns - span.start_ns == 935'000'000);
  CHECK(value_of<std::int64_t>(span, "sidevoice.silence.transcript_ms") == 300);
}

TEST_CASE("a model's span has its vendor, its tokens and its first token") {
  traced t;
  node_parts parts{.traces = &t.traces, .where = &t.where, .ids = &t.ids};
  model_span span;
  llm_request request;
  request.instructions = "canary";
  const auto above = t.traces.named("trace", "turn");
  const auto sent = span.begin(parts, to_traceparent(above), {"azure", "gpt", "{}"}, request,
                               "sess_1");
  t.where.advance(80ms);
  span.on_piece();
  t.where.advance(20ms);
  span.on_piece();
  span.finished({.input = 20, .output = 2}, "stop");
  const auto& llm = t.out.named("llm");
  CHECK(llm.parent == above.span);
  CHECK(sent == to_traceparent(llm.self));
  CHECK(value_of<std::string>(llm, "gen_ai.provider.name") == "azure.ai.openai");
  CHECK(value_of<std::int64_t>(llm, "sidevoice.first_token_ms") == 80);
  CHECK(llm.events.size() == 1);
  CHECK(llm.end_ns - llm.start_ns == 100'000'000);
  // It has ended: what comes later changes nothing.
  span.failed({errc::unavailable, "late", {}, "stall"});
  CHECK(t.out.spans.size() == 1);
}

TEST_CASE("without a tracer a model's request carries what it carried") {
  model_span span;
  CHECK(span.begin(node_parts{}, "as it was", {"rules", "", "{}"}, {}, "sess_1") == "as it was");
  span.on_piece();
  span.finished({}, "stop");
}

TEST_CASE("a span that is dropped, or moved away, is no span") {
  traced t;
  {
    auto gone = t.traces.begin({}, "gone", span_kind::internal);
    auto kept = t.traces.begin({}, "kept", span_kind::internal);
    const auto moved = std::move(kept);
    CHECK(moved);
  }
  CHECK(t.out.spans.empty());
}
