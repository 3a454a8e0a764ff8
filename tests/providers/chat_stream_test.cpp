#include "providers/chat_stream.hpp"

#include "providers/sse.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <utf8.h>

#include <algorithm>

namespace sidevoice {

namespace {

/// An answer in short: "text|name(arguments)#id|...|reason".
std::string told(const std::vector<llm_event>& events) {
  std::string out;
  bool was_text = false;
  for (const auto& event : events) {
    const auto* text = std::get_if<llm_text>(&event);
    if (!out.empty() && !(was_text && text != nullptr))
      out += '|';
    was_text = text != nullptr;
    if (text != nullptr)
      out += text->delta;
    if (const auto* call = std::get_if<llm_call>(&event))
      out += call->name + "(" + call->arguments + ")#" + call->call_id;
    if (const auto* done = std::get_if<llm_done>(&event))
      out += done->reason;
    if (const auto* failed = std::get_if<llm_failed>(&event))
      out += "failed:" + failed->why.reason;
  }
  return out;
}

std::string stream_of(const std::vector<std::string>& chunks) {
  std::string out;
  for (const auto& chunk : chunks)
    out += "data: " + chunk + "\n\n";
  return out;
}

std::vector<llm_event> read_pieces(const std::vector<std::string>& pieces,
                                   chat_stream::options options = {}) {
  counted_ids ids{7};
  options.input_tokens_estimate = 100;
  chat_stream answer{ids, std::move(options)};
  sse_parser parser;
  std::vector<llm_event> out;
  const auto add = [&out](std::vector<llm_event> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  for (const auto& piece : pieces) {
    const auto events = parser.take(piece);
    REQUIRE(events.has_value());
    for (const auto& event : *events)
      add(answer.take(event.data));
  }
  if (const auto last = parser.end())
    add(answer.take_last(last->data));
  add(answer.end());
  CHECK(answer.is_over());
  return out;
}

std::vector<llm_event> read(const std::string& bytes, std::size_t cut = 0,
                            chat_stream::options options = {}) {
  return read_pieces({bytes.substr(0, cut), bytes.substr(cut)}, std::move(options));
}

std::vector<llm_event> read_bytewise(const std::string& bytes) {
  std::vector<std::string> pieces;
  for (const char byte : bytes)
    pieces.emplace_back(1, byte);
  return read_pieces(pieces);
}

std::string text_chunk(const std::string& text, const std::string& finish = "null") {
  return R"({"choices":[{"index":0,"delta":{"content":)" + nlohmann::json(text).dump()
         + R"(},"finish_reason":)" + finish + "}]}";
}

std::string call_chunk(const std::string& pieces) {
  return R"({"choices":[{"index":0,"delta":{"tool_calls":[)" + pieces
         + R"(]},"finish_reason":null}]})";
}

std::string finish_chunk(const std::string& reason) {
  return R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + reason + "\"}]}";
}

const std::string done = "[DONE]";

struct row {
  const char* what;
  std::vector<std::string> chunks;
  std::string told;
};

const std::vector<row>& rows() {
  static const std::vector<row> all{
    {"role first, then text, in the service's own form",
     {R"({"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null})",
      text_chunk("Hel"), text_chunk("lo \xF0\x9F\x98\x80"), finish_chunk("stop"), done},
     "Hello \xF0\x9F\x98\x80|stop"},
    {"a call in pieces, by index",
     {call_chunk(
        R"({"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""}})"),
      call_chunk(R"({"index":0,"function":{"arguments":"{\"ci"}})"),
      call_chunk(R"({"index":0,"function":{"arguments":"ty\":1}"}})"), finish_chunk("tool_calls"),
      done},
     R"(f({"city":1})#call_a|tool_calls)"},
    {"two calls, their pieces mixed",
     {call_chunk(
        R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"["}})"),
      call_chunk(
        R"({"index":1,"function":{"arguments":"]"}},{"index":0,"function":{"arguments":"}"}})"),
      finish_chunk("tool_calls"), done},
     "f({})#a|g([])#b|tool_calls"},
    {"text and a call in one answer, finish says stop",
     {text_chunk("Let me see. "),
      call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
      finish_chunk("stop"), done},
     "Let me see. |f({})#a|stop"},
    {"whole calls without index, told apart by their ids",
     {call_chunk(R"({"id":"a","function":{"name":"f","arguments":"{}"}})"),
      call_chunk(R"({"id":"b","function":{"name":"f","arguments":"{}"}})"), finish_chunk("stop"),
      done},
     "f({})#a|f({})#b|stop"},
    {"pieces without index, the id in each",
     {call_chunk(R"({"id":"a","function":{"name":"f","arguments":"{"}})"),
      call_chunk(R"({"id":"a","function":{"name":"f","arguments":"}"}})"), finish_chunk("stop"),
      done},
     "f({})#a|stop"},
    {"neither index nor id: a name begins a call",
     {call_chunk(R"({"function":{"name":"f","arguments":"{"}})"),
      call_chunk(R"({"function":{"arguments":"}"}})"),
      call_chunk(R"({"function":{"name":"f","arguments":"{}"}})"), finish_chunk("stop"), done},
     "f({})#call_s7_0001|f({})#call_s7_0002|stop"},
    {"every call counted as 0, with an id of its own",
     {call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
      call_chunk(R"({"index":0,"id":"b","function":{"name":"g","arguments":"{}"}})"),
      finish_chunk("stop"), done},
     "f({})#a|g({})#b|stop"},
    {"empty ids get one",
     {call_chunk(R"({"index":0,"id":"","function":{"name":"f","arguments":"{}"}})"),
      call_chunk(R"({"index":1,"id":null,"function":{"name":"g","arguments":"{}"}})"),
      finish_chunk("stop"), done},
     "f({})#call_s7_0001|g({})#call_s7_0002|stop"},
    {"the same id twice gets another one",
     {call_chunk(
        R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"a","function":{"name":"f","arguments":"{}"}})"),
      finish_chunk("stop"), done},
     "f({})#a|f({})#call_s7_0001|stop"},
    {"arguments as an object",
     {call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":{"n":1}}})"),
      finish_chunk("stop"), done},
     R"(f({"n":1})#a|stop)"},
    {"no arguments",
     {call_chunk(R"({"index":0,"id":"a","function":{"name":"f"}})"), finish_chunk("stop"), done},
     "f({})#a|stop"},
    {"arguments that are no JSON come as they are",
     {call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{oops"}})"),
      finish_chunk("tool_calls"), done},
     "f({oops)#a|tool_calls"},
    {"the form of before there were tools",
     {R"({"choices":[{"delta":{"function_call":{"name":"f","arguments":"{"}}}]})",
      R"({"choices":[{"delta":{"function_call":{"arguments":"}"}}}]})",
      finish_chunk("function_call"), done},
     "f({})#call_s7_0001|stop"},
    {"empty choices first, as Azure's filter sends them, and usage last",
     {R"({"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]})",
      text_chunk("Hi"),
      R"({"choices":[{"index":0,"delta":{},"content_filter_offsets":{"check_offset":1},"finish_reason":null}]})",
      finish_chunk("stop"), R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}})",
      done},
     "Hi|stop"},
    {"a filter that stops in mid-answer, and what it stopped",
     {text_chunk("Hi"),
      call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
      finish_chunk("content_filter"), done},
     "Hi|content_filter"},
    {"out of tokens: a half call is none",
     {text_chunk("Hi"),
      call_chunk(
        R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{\"x"}})"),
      finish_chunk("length"), done},
     "Hi|f({})#a|length"},
    {"reasoning is never said",
     {R"({"choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm"}}]})", text_chunk("Hi"),
      finish_chunk("stop"), done},
     "Hi|stop"},
    {"a refusal is said",
     {R"({"choices":[{"delta":{"refusal":"I cannot."}}]})", finish_chunk("stop"), done},
     "I cannot.|stop"},
    {"text as a list of parts",
     {R"({"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]}}]})",
      finish_chunk("stop"), done},
     "ab|stop"},
    {"other choices are not ours",
     {R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]})",
      finish_chunk("stop"), done},
     "yes|stop"},
    {"what follows the finish or the mark is not read",
     {text_chunk("a"), finish_chunk("stop"), text_chunk("b"), done, text_chunk("c"), "{"},
     "a|stop"},
    {"finish reasons of other houses", {text_chunk("a", "\"eos\""), done}, "a|stop"},
    {"an empty finish reason is none",
     {text_chunk("a", "\"\""), text_chunk("b", "\"stop\""), done},
     "ab|stop"},
    {"no mark at the end, but a finish", {text_chunk("a"), finish_chunk("stop")}, "a|stop"},
    {"a mark without a finish", {text_chunk("a"), done}, "a|stop"},
    {"neither mark nor finish", {text_chunk("a")}, "a|failed:cut"},
    {"only the mark", {done}, "failed:cut"},
    {"nothing at all", {}, "failed:cut"},
    {"an error in mid-stream",
     {text_chunk("a"), R"({"error":{"message":"x","type":"server_error","code":null}})",
      text_chunk("b")},
     "a|failed:server_error"},
    {"an error as a plain text", {R"({"error":"boom"})"}, "failed:server_error"},
    {"an error as vLLM writes it",
     {R"({"object":"error","message":"x","type":"invalid_request_error","code":429})"},
     "failed:rate_limit"},
    {"a null error is none",
     {R"({"error":null,"choices":[]})", text_chunk("a", "\"stop\""), done},
     "a|stop"},
    {"a blocked prompt in mid-stream",
     {R"({"error":{"code":"content_filter","message":"x"}})"},
     "content_filter"},
    {"no JSON", {"{\"choices\":"}, "failed:bad_answer"},
    {"JSON that is no object", {"[1,2]"}, "failed:bad_answer"},
    {"a call without a name",
     {call_chunk(R"({"index":0,"id":"a","function":{"arguments":"{}"}})"),
      finish_chunk("tool_calls"), done},
     "failed:bad_answer"},
    {"wrong types everywhere",
     {R"({"choices":{"0":1}})",
      R"({"choices":[1,null,"x",[],{"delta":7},{"delta":[]},{"index":"0","delta":{"content":5,"tool_calls":{"a":1},"refusal":[],"function_call":"x"}}]})",
      R"({"choices":[{"delta":{"tool_calls":[1,null,"x",[]]},"finish_reason":{"a":1}}],"usage":"many"})",
      R"({"usage":{"prompt_tokens":"x","completion_tokens":-5,"prompt_tokens_details":3}})",
      text_chunk("a", "\"stop\""), done},
     "a|stop"},
    {"NUL becomes a replacement character",
     {R"({"choices":[{"delta":{"content":"a\u0000b"}}]})", finish_chunk("stop"), done},
     "a\xEF\xBF\xBD"
     "b|stop"},
    {"half of a surrogate pair becomes one, a whole one stays",
     {R"({"choices":[{"delta":{"content":"\ud83d\ude00 \ud83d. \ude00"}}]})", finish_chunk("stop"),
      done},
     "\xF0\x9F\x98\x80 \xEF\xBF\xBD. \xEF\xBF\xBD|stop"},
    {"bytes that are no UTF-8 become one",
     {"{\"choices\":[{\"delta\":{\"content\":\"a\xC3(\xFF\"}}]}", finish_chunk("stop"), done},
     "a\xEF\xBF\xBD(\xEF\xBF\xBD|stop"},
    {"JSON that nests without end",
     {"{\"choices\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"},
     "failed:bad_answer"},
  };
  return all;
}

/// What our own reasons are called: finish "tool_calls" is a stop with calls.
std::string expected(std::string told) {
  if (told.ends_with("|tool_calls"))
    told.replace(told.size() - 10, 10, "stop");
  return told;
}

} // namespace

TEST_CASE("answers of many servers are understood") {
  for (const auto& row : rows()) {
    INFO(row.what);
    CHECK(told(read(stream_of(row.chunks))) == expected(row.told));
  }
}

TEST_CASE("an answer is the same wherever its bytes are cut") {
  std::size_t number = 0;
  for (const auto& row : rows()) {
    INFO(row.what);
    const auto bytes = stream_of(row.chunks);
    const auto whole = told(read(bytes));
    REQUIRE(told(read_bytewise(bytes)) == whole);
    // Two pieces at every place, for the answers that have the most in them.
    if (++number <= 4)
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        REQUIRE(told(read(bytes, cut)) == whole);
  }
}

TEST_CASE("a stream that breaks off at any byte ends with exactly one outcome") {
  const auto bytes =
    stream_of({text_chunk("\xC3\xBC"),
               call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
               finish_chunk("stop"),
               R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}})", done});
  const auto finish_at = bytes.find("\"finish_reason\":\"stop\"}]}") + 25;
  for (std::size_t end = 0; end <= bytes.size(); ++end) {
    const auto events = read(bytes.substr(0, end));
    REQUIRE_FALSE(events.empty());
    const bool is_done = std::holds_alternative<llm_done>(events.back());
    REQUIRE(is_done == (end >= finish_at));
    REQUIRE(std::count_if(events.begin(), events.end(),
                          [](const llm_event& e) {
                            return std::holds_alternative<llm_done>(e)
                                   || std::holds_alternative<llm_failed>(e);
                          })
            == 1);
    for (const auto& event : events)
      if (const auto* text = std::get_if<llm_text>(&event))
        REQUIRE(utf8::is_valid(text->delta.begin(), text->delta.end()));
  }
}

TEST_CASE("usage is what the server counted, else an estimate") {
  const auto usage_of = [](const std::vector<std::string>& chunks) {
    const auto events = read(stream_of(chunks));
    REQUIRE(std::holds_alternative<llm_done>(events.back()));
    return std::get<llm_done>(events.back());
  };
  const auto counted = usage_of(
    {text_chunk("a", "\"stop\""),
     R"({"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":9,"total_tokens":59,"prompt_tokens_details":{"cached_tokens":48}}})",
     done});
  CHECK(counted.input_tokens == 50);
  CHECK(counted.cached_tokens == 48);
  CHECK(counted.output_tokens == 9);
  const auto guessed =
    usage_of({text_chunk("a"), text_chunk("b"), text_chunk("c", "\"stop\""), done});
  CHECK(guessed.input_tokens == 100);
  CHECK(guessed.cached_tokens == 0);
  CHECK(guessed.output_tokens == 3);
  // No server has cached more than there was, or counts beyond all numbers.
  const auto odd = usage_of(
    {text_chunk("a", "\"stop\""),
     R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1e300,"prompt_tokens_details":{"cached_tokens":48}}})",
     done});
  CHECK(odd.cached_tokens == 5);
  CHECK(odd.output_tokens == 0);
}

TEST_CASE("what is too large has a name") {
  const auto big = std::string(40'000, 'x');
  std::vector<std::string> texts(10, text_chunk(big));
  CHECK(std::get<llm_failed>(read(stream_of(texts)).back()).why.reason == "too_large");
  std::vector<std::string> arguments(
    3, call_chunk(R"({"index":0,"id":"a","function":{"name":"f","arguments":")" + big + "\"}}"));
  CHECK(told(read(stream_of(arguments))) == "failed:too_large");
  std::vector<std::string> calls;
  for (int i = 0; i < 33; ++i)
    calls.push_back(call_chunk(R"({"index":)" + std::to_string(i) + R"(,"id":"c)"
                               + std::to_string(i)
                               + R"(","function":{"name":"f","arguments":"{}"}})"));
  CHECK(told(read(stream_of(calls))) == "failed:too_large");
  calls.pop_back();
  calls.push_back(finish_chunk("tool_calls"));
  CHECK(read(stream_of(calls)).size() == 33);
}

TEST_CASE("ids of the history are not given again") {
  chat_stream::options options;
  options.taken_ids = {"functions.f:0"};
  const auto bytes = stream_of(
    {call_chunk(R"({"index":0,"id":"functions.f:0","function":{"name":"f","arguments":"{}"}})"),
     finish_chunk("tool_calls"), done});
  CHECK(told(read(bytes, 0, options)) == "f({})#call_s7_0001|stop");
}

TEST_CASE("an answer that came whole is read as one") {
  const auto whole = [](const std::string& body) {
    counted_ids ids{7};
    chat_stream answer{ids, {}};
    const auto events = answer.take_whole(body);
    CHECK(answer.is_over());
    return told(events);
  };
  CHECK(
    whole(
      R"({"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}})")
    == "Hi|stop");
  CHECK(
    whole(
      R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})")
    == "f({})#a|g({})#b|stop");
  CHECK(whole(R"({"choices":[{"message":{"content":"Hi"}}]})") == "Hi|stop");
  CHECK(whole(R"({"choices":[]})") == "failed:bad_answer");
  CHECK(whole(R"({"error":{"code":"insufficient_quota"}})") == "failed:insufficient_quota");
  CHECK(whole("") == "failed:bad_answer");
  CHECK(whole("<html>") == "failed:bad_answer");
}

} // namespace sidevoice
