#pragma once

#include "providers/llm.hpp"
#include "tests/support/hand_loop.hpp"

#include <doctest/doctest.h>
#include <utf8.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// The comments of providers/llm.hpp, executable. A vendor's test runs it against its fake; every
/// clause of the interface is one function here.
namespace sidevoice::llm_conformance {

/// What the suite needs of a provider under test.
struct subject {
  /// Makes a provider on this loop.
  std::function<std::unique_ptr<llm_provider>(hand_loop&)> make;
  /// A request that the provider answers with some text.
  llm_request converse;
  /// Lets what is outstanding happen: turns the loop, and the vendor's fake where there is one.
  std::function<void(hand_loop&)> settle = [](hand_loop& l) { l.advance(std::chrono::minutes{5}); };
};

/// What arrived at a sink, and when.
struct record {
  std::vector<llm_event> events;
  bool is_opening = false;
  bool called_inside_open = false;

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& e : events)
      if (const auto* t = std::get_if<llm_text>(&e))
        out += t->delta;
    return out;
  }

  [[nodiscard]] std::vector<llm_call> calls() const {
    std::vector<llm_call> out;
    for (const auto& e : events)
      if (const auto* c = std::get_if<llm_call>(&e))
        out.push_back(*c);
    return out;
  }

  [[nodiscard]] std::size_t terminals() const {
    std::size_t n = 0;
    for (const auto& e : events)
      n += std::holds_alternative<llm_done>(e) || std::holds_alternative<llm_failed>(e) ? 1 : 0;
    return n;
  }
};

inline result<std::unique_ptr<llm_stream>> open(llm_provider& provider, const llm_request& request,
                                                const std::shared_ptr<record>& into) {
  into->is_opening = true;
  auto stream = provider.open(request, [into](llm_event e) {
    into->called_inside_open = into->called_inside_open || into->is_opening;
    into->events.push_back(std::move(e));
  });
  into->is_opening = false;
  return stream;
}

inline void says_exactly_one_terminal_event_and_it_is_the_last(const subject& s) {
  for (const auto purpose : {llm_purpose::converse, llm_purpose::analyze}) {
    hand_loop turned;
    const auto provider = s.make(turned);
    auto request = s.converse;
    request.purpose = purpose;
    const auto got = std::make_shared<record>();
    const auto stream = open(*provider, request, got);
    REQUIRE(stream.has_value());
    CHECK_FALSE(got->called_inside_open);
    CHECK(got->events.empty());
    s.settle(turned);
    REQUIRE_FALSE(got->events.empty());
    CHECK(got->terminals() == 1);
    CHECK((std::holds_alternative<llm_done>(got->events.back())
           || std::holds_alternative<llm_failed>(got->events.back())));
    const auto before = got->events.size();
    s.settle(turned);
    CHECK(got->events.size() == before);
  }
}

inline void answers_a_conversation_with_text(const subject& s) {
  hand_loop turned;
  const auto provider = s.make(turned);
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, s.converse, got);
  s.settle(turned);
  CHECK_FALSE(got->text().empty());
  REQUIRE(std::holds_alternative<llm_done>(got->events.back()));
  const auto& done = std::get<llm_done>(got->events.back());
  CHECK(done.reason == "stop");
  CHECK(done.input_tokens > 0);
  CHECK(done.output_tokens > 0);
}

inline void destroying_the_stream_leaves_silence(const subject& s) {
  hand_loop turned;
  const auto provider = s.make(turned);
  const auto got = std::make_shared<record>();
  auto stream = open(*provider, s.converse, got);
  REQUIRE(stream.has_value());
  stream->reset();
  s.settle(turned);
  CHECK(got->events.empty());
}

/// The sink itself drops the stream at the first event: nothing follows it.
inline void the_sink_may_cancel(const subject& s) {
  hand_loop turned;
  const auto provider = s.make(turned);
  const auto stream = std::make_shared<std::unique_ptr<llm_stream>>();
  std::size_t events = 0;
  auto opened = provider->open(s.converse, [stream, &events](llm_event) {
    ++events;
    stream->reset();
  });
  REQUIRE(opened.has_value());
  *stream = std::move(*opened);
  s.settle(turned);
  CHECK(events == 1);
}

inline void streams_do_not_disturb_each_other(const subject& s) {
  hand_loop turned;
  const auto provider = s.make(turned);
  const auto first = std::make_shared<record>();
  const auto second = std::make_shared<record>();
  const auto third = std::make_shared<record>();
  const auto a = open(*provider, s.converse, first);
  auto b = open(*provider, s.converse, second);
  const auto c = open(*provider, s.converse, third);
  b->reset();
  s.settle(turned);
  CHECK(second->events.empty());
  CHECK(first->terminals() == 1);
  CHECK(third->terminals() == 1);
}

/// The journal takes no NUL, and a client no half characters: each delta stands by itself. Calls
/// have a name, an id that no other has, and arguments.
inline void what_it_says_can_be_stored(const subject& s) {
  for (const auto purpose : {llm_purpose::converse, llm_purpose::analyze}) {
    hand_loop turned;
    const auto provider = s.make(turned);
    auto request = s.converse;
    request.purpose = purpose;
    const auto got = std::make_shared<record>();
    const auto stream = open(*provider, request, got);
    s.settle(turned);
    for (const auto& e : got->events)
      if (const auto* t = std::get_if<llm_text>(&e)) {
        CHECK_FALSE(t->delta.empty());
        CHECK(utf8::is_valid(t->delta.begin(), t->delta.end()));
        CHECK(t->delta.find('\0') == std::string::npos);
      }
    std::set<std::string> ids;
    for (const auto& call : got->calls()) {
      CHECK_FALSE(call.name.empty());
      CHECK_FALSE(call.arguments.empty());
      CHECK_FALSE(call.call_id.empty());
      CHECK(ids.insert(call.call_id).second);
    }
    if (const auto* done = std::get_if<llm_done>(&got->events.back()))
      CHECK(done->cached_tokens <= done->input_tokens);
  }
}

/// A stream may outlive nothing it needs: it works on after its provider has gone, or is silent.
inline void a_stream_survives_its_provider(const subject& s) {
  hand_loop turned;
  auto provider = s.make(turned);
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, s.converse, got);
  provider.reset();
  s.settle(turned);
  CHECK(got->terminals() <= 1);
}

inline void run(const subject& s) {
  says_exactly_one_terminal_event_and_it_is_the_last(s);
  answers_a_conversation_with_text(s);
  destroying_the_stream_leaves_silence(s);
  the_sink_may_cancel(s);
  streams_do_not_disturb_each_other(s);
  what_it_says_can_be_stored(s);
  a_stream_survives_its_provider(s);
}

} // namespace sidevoice::llm_conformance
