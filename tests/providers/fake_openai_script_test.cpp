#include "providers/fake/reply.hpp"
#include "tests/providers/fake_support.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace sidevoice;
using namespace sidevoice::test;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

/// The answer that a rule with this answer gives.
fake_answer answered(const std::string& answer, const std::string& more = R"("stream":true)") {
  return fake_with(R"([{"answer":)" + answer + "}]").answer(ask("hi", more));
}

milliseconds time_of(const fake_answer& answer) {
  std::chrono::microseconds sum{0};
  for (const auto& chunk : answer.chunks)
    sum += chunk.after;
  return std::chrono::duration_cast<milliseconds>(sum);
}

json chunk_at(const fake_answer& answer, std::size_t index) {
  return json::parse(events_of(answer).at(index));
}

json delta_at(const fake_answer& answer, std::size_t index) {
  return chunk_at(answer, index)["choices"][0]["delta"];
}

} // namespace

TEST_CASE("all faults of a script are named at once, with line and remedy") {
  const auto read = read_fake_script(R"({
    "rulez": [],
    "rules": [
      { "match": { "call": 0 }, "answer": { "txt": "x", "split": "halves" } },
      { "answer": { "tool_calls": [{ "arguments": [] }], "headers": { "a": "b\nc", "Content-Length": "1" } } },
      {},
    ], // and a comment
  })");
  const std::vector<std::string> wanted = {
    R"(line 2, rulez: unknown key: did you mean "rules"?)",
    "line 4, rules[0].match.call: write a whole number from 1 to 1000000000",
    R"(line 4, rules[0].answer.txt: unknown key: did you mean "text"?)",
    "line 4, rules[0].answer.split: write one of: bytes, events",
    "line 5, rules[1].answer.tool_calls[0].arguments: write an object, or a text in quotes",
    R"(line 5, rules[1].answer.tool_calls[0]: a call needs a "name")",
    "line 5, rules[1].answer.headers.a: write a header name and a text without line ends",
    "line 5, rules[1].answer.headers.Content-Length: the server sets this one itself: remove it",
    R"(line 6, rules[2]: a rule needs an "answer")",
  };
  CHECK(read.faults == wanted);
  CHECK(read_fake_script("{").faults.size() == 1);
  CHECK(read_fake_script("7").faults.size() == 1);
}

TEST_CASE("a script that is replaced begins with fresh counts; a wrong one changes nothing") {
  auto fake = fake_with(R"([{"answer":{"text":"old"}}])");
  CHECK(error_of(fake.answer(post("/fake/script", "[{}]"))) == "400 invalid_script -");
  CHECK(text_of(fake.answer(ask("hi", R"("stream":true)"))) == "old");
  CHECK(
    fake.answer(post("/fake/script", R"([{"match":{"call":1},"answer":{"text":"new"}}])")).status
    == 200);
  CHECK(text_of(fake.answer(ask("hi", R"("stream":true)"))) == "new");
  CHECK(text_of(fake.answer(ask("hi", R"("stream":true)"))) == "You said: hi");
}

TEST_CASE("pieces come at their pace, the first after the latency") {
  const auto stream = answered(R"({"text":"a b c","latency_ms":300,"words_per_second":50})");
  CHECK(stream.chunks.front().after == milliseconds{300});
  CHECK(time_of(stream) == milliseconds{340});
  CHECK(time_of(answered(R"({"text":"a b c","latency_ms":300,"words_per_second":50})", R"("n":1)"))
        == milliseconds{340});
  const auto sized = answered(R"({"text":"äöüß!","delta_chars":2})");
  CHECK(delta_at(sized, 1)["content"] == "äö");
  CHECK(delta_at(sized, 3)["content"] == "!");
}

TEST_CASE("jitter follows from the seed") {
  const std::string script = R"([{"answer":{"text":"a b c d e","jitter_ms":100}}])";
  const auto with = [&](std::uint64_t seed) {
    return fake_with(script, {.seed = seed}).answer(ask("hi", R"("stream":true)")).chunks;
  };
  CHECK(with(1) == with(1));
  CHECK(with(1) != with(2));
  for (const auto& chunk : with(3))
    CHECK(chunk.after <= milliseconds{100});
}

TEST_CASE("a stream stalls or breaks after as many pieces as the script says") {
  const auto stalled = answered(R"({"text":"a b c d","stall_after":2})");
  CHECK(stalled.ending == fake_ending::stall);
  CHECK(text_of(stalled) == "a b");
  const auto broken = answered(R"({"text":"a b c d","drop_after":2})");
  CHECK(broken.ending == fake_ending::cut);
  CHECK(text_of(broken) == "a b");
  CHECK(events_of(broken).size() == 4);
  CHECK(json::parse(events_of(broken).back(), nullptr, false).is_discarded());
  // With fewer pieces than that, all of them, but no end.
  const auto late = answered(R"({"text":"a b","stall_after":9})");
  CHECK(text_of(late) == "a b");
  CHECK(events_of(late).size() == 3);
  CHECK(events_of(answered(R"({"text":"a b","stall_after":0})")).size() == 1);
  const auto whole = answered(R"({"text":"a b c d","drop_after":2})", R"("n":1)");
  CHECK(whole.ending == fake_ending::cut);
  CHECK(*whole.content_length > whole.bytes().size());
}

TEST_CASE("errors bring the status, the fields of the service and when to come back") {
  const auto limited = answered(R"({"status":429,"retry_after_ms":1500})");
  CHECK(error_of(limited) == "429 rate_limit_exceeded -");
  CHECK(limited.field("retry-after-ms") == "1500");
  CHECK(limited.field("Retry-After") == "2");
  const auto quota = json_of(answered(R"({"status":429,"error":{"code":"insufficient_quota"}})"));
  CHECK(quota["error"]["type"] == "insufficient_quota");
  const auto own =
    answered(R"({"status":418,"error":{"message":"tea"},"headers":{"x-should-retry":"false"}})");
  CHECK(own.status == 418);
  CHECK(own.field("x-should-retry") == "false");
  CHECK(json_of(own)["error"]["message"] == "tea");
  const auto page =
    answered(R"({"status":502,"body":"<html>","headers":{"Content-Type":"text/html"}})");
  CHECK(page.bytes() == "<html>");
  CHECK(page.field("content-type") == "text/html");
  CHECK(std::count_if(page.fields.begin(), page.fields.end(),
                      [](const fake_field& f) { return is_same_field(f.name, "content-type"); })
        == 1);
}

TEST_CASE("an error in mid-stream ends it, with status 200 and without [DONE]") {
  const auto answer = answered(R"({"text":"a b c","error_mid_stream":{"after":2,"code":"broke"}})");
  CHECK(answer.status == 200);
  CHECK(text_of(answer) == "a b");
  CHECK(json::parse(events_of(answer).back())["error"]["code"] == "broke");
  CHECK(answer.ending == fake_ending::end);
}

TEST_CASE("bytes are cut inside characters and line ends, and still say the same") {
  const auto answer = answered(R"({"text":"Grüße, 世界","split":"bytes"})");
  CHECK(text_of(answer) == "Grüße, 世界");
  for (const auto& chunk : answer.chunks) {
    const auto& bytes = chunk.bytes;
    CHECK_FALSE(bytes.empty());
    CHECK(bytes.size() <= 11);
    CHECK((bytes.find('\r') == std::string::npos || bytes.back() == '\r'));
    CHECK_MESSAGE(bytes.find("ü") == std::string::npos, bytes);
  }
  CHECK(split_oddly("世\r\n") == std::vector<std::string>{"\xE4", "\xB8", "\x96\r", "\n"});
}

TEST_CASE("the wire's oddities are there when asked for") {
  CHECK(answered(R"({"text":"a","comments":true})").bytes().find(": keep-alive\n\n") == 0);
  CHECK(answered(R"({"text":"a","line_end":"cr"})").bytes().find('\n') == std::string::npos);
  CHECK(chunk_at(answered(R"({"text":"a","empty_choices_first":true})"), 0)["choices"].empty());
  CHECK(events_of(answered(R"({"text":"a","no_done":true})")).back() != "[DONE]");
  const auto json_answer = answered(R"({"text":"a","json_instead_of_sse":true})");
  CHECK(json_answer.field("content-type") == "application/json");
  CHECK(json_of(json_answer)["object"] == "chat.completion");
  const auto open_end = events_of(answered(R"({"text":"a","finish_null":true})"));
  CHECK(json::parse(open_end[open_end.size() - 2])["choices"][0]["finish_reason"].is_null());
  CHECK(
    chunk_at(answered(R"({"text":"a","finish_reason":"length"})"), 2)["choices"][0]["finish_reason"]
    == "length");
  CHECK(
    chunk_at(answered(R"({"text":"a","azure_filter":true})"), 0).contains("prompt_filter_results"));
  const auto usage = json_of(answered(R"({"text":"a","usage":{"prompt_tokens":5}})", R"("n":1)"));
  CHECK(usage["usage"]["prompt_tokens"] == 5);
  CHECK(usage["usage"]["completion_tokens"] == 1);
  CHECK_FALSE(json_of(answered(R"({"text":"a","usage":false})", R"("n":1)")).contains("usage"));
  CHECK(delta_at(answered(R"({"reasoning":"hm","text":"a"})"), 1)["reasoning_content"] == "hm");
  CHECK(delta_at(answered(R"({"refusal":"no"})"), 1)["refusal"] == "no");
}

TEST_CASE("tool calls come in the styles of other servers") {
  const auto call_at = [](const std::string& style, std::size_t index) {
    return delta_at(answered(R"({"tool_calls":[{"name":"f","arguments":{"city":"Oslo"},"id":"c"}],)"
                             + style + "}"),
                    index)["tool_calls"][0];
  };
  const json arguments{{"city", "Oslo"}};
  CHECK_FALSE(call_at(R"("no_index":true)", 1).contains("index"));
  CHECK(call_at(R"("whole_call":true)", 1)["function"]["arguments"] == arguments.dump());
  CHECK(call_at(R"("repeat_ids":true)", 2)["id"] == "c");
  CHECK_FALSE(call_at(R"("comments":true)", 2).contains("id"));
  CHECK(call_at(R"("empty_ids":true)", 1)["id"] == "");
  CHECK(call_at(R"("object_arguments":true)", 1)["function"]["arguments"] == arguments);
}

TEST_CASE("a rule begins with the defaults") {
  auto fake = fake_with(R"({"rules":[{"match":{"last_user":"hi"},"answer":{"latency_ms":5}}],
    "defaults":{"latency_ms":50,"words_per_second":10,"text":"usual {{model}} {{call}}"}})");
  const auto answer = fake.answer(ask("hi", R"("stream":true)"));
  CHECK(time_of(answer) == milliseconds{205});
  CHECK(text_of(answer) == "usual m 1");
  CHECK(time_of(fake.answer(ask("x", R"("stream":true)"))) == milliseconds{250});
}
