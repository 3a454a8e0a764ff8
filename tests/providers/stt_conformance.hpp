#pragma once

#include "providers/stt.hpp"
#include "tests/providers/turning.hpp"

#include <doctest/doctest.h>
#include <utf8.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The comments of providers/stt.hpp, executable: every clause of the interface is one function.
namespace sidevoice::stt_conformance {

/// What the suite needs of a provider under test.
struct subject {
  turning& turned;
  /// Several providers of one engine may be made. An engine finishes utterances in their order.
  std::function<std::unique_ptr<stt_provider>()> make;
  /// A few seconds of sound, and a word that its transcript holds (lower case).
  samples speech;
  std::string word;
  /// Whether it says partials of a few seconds of sound.
  bool has_partials = true;
};

/// What arrived at a sink.
struct record {
  std::vector<stt_event> events;
  int calls_inside = 0;
  bool is_inside = false;

  template <class Event>
  [[nodiscard]] std::vector<Event> all(const std::string& utterance) const {
    std::vector<Event> out;
    for (const auto& e : events)
      if (const auto* one = std::get_if<Event>(&e); one != nullptr && one->utterance == utterance)
        out.push_back(*one);
    return out;
  }

  [[nodiscard]] std::size_t ends(const std::string& utterance) const {
    return all<stt_final>(utterance).size() + all<stt_failed>(utterance).size();
  }

  /// In lower case; empty where there is none.
  [[nodiscard]] std::string text(const std::string& utterance) const {
    const auto finals = all<stt_final>(utterance);
    auto out = finals.empty() ? std::string{} : finals.front().text;
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  }
};
using record_ptr = std::shared_ptr<record>;

inline std::unique_ptr<stt_stream> open(stt_provider& provider, const record_ptr& into,
                                        const std::string& app = {}) {
  into->is_inside = true;
  stt_request request;
  request.app = app;
  auto stream = provider.open(request, [into](stt_event e) {
    into->calls_inside += into->is_inside ? 1 : 0;
    into->events.push_back(std::move(e));
  });
  into->is_inside = false;
  REQUIRE_MESSAGE(stream.has_value(), stream.error().detail);
  return std::move(*stream);
}

/// In pieces as a microphone gives them.
inline void push(stt_stream& stream, samples_view sound, std::size_t piece = 320) {
  for (std::size_t at = 0; at < sound.size(); at += piece)
    stream.push(sound.subspan(at, std::min(piece, sound.size() - at)));
}

inline void say(stt_stream& stream, const std::string& id, samples_view sound) {
  stream.begin(id);
  push(stream, sound);
  stream.end();
}

/// Another visitor speaks and is understood: all that was before him is over.
inline void settle(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  say(*stream, "last", s.speech);
  REQUIRE(s.turned.until([&] { return got->ends("last") > 0; }));
}

inline void an_utterance_ends_exactly_once_and_never_inside_a_call(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  got->is_inside = true;
  say(*stream, "u1", s.speech);
  got->is_inside = false;
  REQUIRE(s.turned.until([&] { return got->ends("u1") > 0; }));
  settle(s);
  CHECK(got->calls_inside == 0);
  CHECK(got->ends("u1") == 1);
  REQUIRE(std::holds_alternative<stt_final>(got->events.back()));
  CHECK_MESSAGE(got->text("u1").find(s.word) != std::string::npos, got->text("u1"));
}

/// Live words of an open utterance, in their order, none behind its end.
inline void partials_come_before_the_end_only(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  stream->begin("u1");
  push(*stream, s.speech);
  if (s.has_partials)
    CHECK(s.turned.until([&] { return !got->events.empty(); }));
  CHECK(got->ends("u1") == 0);
  stream->end();
  REQUIRE(s.turned.until([&] { return got->ends("u1") > 0; }));
  settle(s);
  REQUIRE_FALSE(got->events.empty());
  CHECK(std::holds_alternative<stt_final>(got->events.back()));
  for (const auto& p : got->all<stt_partial>("u1"))
    CHECK_FALSE(p.text.empty());
}

inline void beginning_ends_the_open_one(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  stream->begin("u1");
  push(*stream, s.speech);
  say(*stream, "u2", s.speech);
  REQUIRE(s.turned.until([&] { return got->ends("u1") + got->ends("u2") == 2; }));
  CHECK(got->text("u1").find(s.word) != std::string::npos);
  CHECK(got->text("u2").find(s.word) != std::string::npos);
}

inline void what_has_no_utterance_is_nothing(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  push(*stream, s.speech);
  stream->end();
  stream->cancel("nobody");
  say(*stream, "u1", {});
  stream->end();
  REQUIRE(s.turned.until([&] { return got->ends("u1") > 0; }));
  settle(s);
  CHECK(got->events.size() == 1);
  CHECK(got->text("u1").empty());
}

inline void silence_has_no_words(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  say(*stream, "u1", samples(std::size_t{3} * speech_rate));
  REQUIRE(s.turned.until([&] { return got->ends("u1") > 0; }));
  CHECK(got->text("u1").empty());
}

inline void a_cancelled_utterance_is_silent_and_its_id_free(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  stream->begin("open");
  push(*stream, s.speech);
  stream->cancel("open");
  stream->end();
  say(*stream, "ended", s.speech);
  stream->cancel("ended");
  settle(s);
  CHECK(got->events.empty());
  say(*stream, "ended", s.speech);
  REQUIRE(s.turned.until([&] { return got->ends("ended") > 0; }));
  CHECK(got->text("ended").find(s.word) != std::string::npos);
  CHECK(got->ends("open") == 0);
}

inline void destroying_the_stream_leaves_silence(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  auto stream = open(*provider, got);
  say(*stream, "u1", s.speech);
  stream->begin("u2");
  push(*stream, s.speech);
  stream.reset();
  settle(s);
  CHECK(got->events.empty());
}

inline void the_sink_may_destroy_the_stream(const subject& s) {
  const auto provider = s.make();
  const auto stream = std::make_shared<std::unique_ptr<stt_stream>>();
  std::size_t events = 0;
  auto opened = provider->open({}, [stream, &events](const stt_event&) {
    ++events;
    stream->reset();
  });
  REQUIRE(opened.has_value());
  *stream = std::move(*opened);
  say(**stream, "u1", s.speech);
  say(**stream, "u2", s.speech);
  REQUIRE(s.turned.until([&] { return events > 0; }));
  settle(s);
  CHECK(events == 1);
}

inline void streams_do_not_disturb_each_other(const subject& s) {
  const auto provider = s.make();
  const auto first = std::make_shared<record>();
  const auto second = std::make_shared<record>();
  const auto third = std::make_shared<record>();
  const auto a = open(*provider, first);
  auto b = open(*provider, second);
  const auto c = open(*provider, third);
  a->begin("u1");
  b->begin("u1");
  c->begin("u1");
  const samples_view speech{s.speech};
  for (std::size_t at = 0; at < speech.size(); at += 320)
    for (auto* one : {a.get(), b.get(), c.get()})
      one->push(speech.subspan(at, std::min<std::size_t>(320, speech.size() - at)));
  a->end();
  b->end();
  c->end();
  b.reset();
  REQUIRE(s.turned.until([&] { return first->ends("u1") + third->ends("u1") == 2; }));
  CHECK(second->events.empty());
  CHECK(first->text("u1").find(s.word) != std::string::npos);
  CHECK(first->text("u1") == third->text("u1"));
}

inline void how_sound_is_cut_makes_no_difference(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  for (const std::size_t piece : {std::size_t{37}, std::size_t{4001}, s.speech.size()}) {
    stream->begin("u" + std::to_string(piece));
    push(*stream, s.speech, piece);
    stream->end();
  }
  REQUIRE(s.turned.until([&] { return got->ends("u" + std::to_string(s.speech.size())) > 0; }));
  CHECK(got->text("u37").find(s.word) != std::string::npos);
  CHECK(got->text("u37") == got->text("u4001"));
  CHECK(got->text("u37") == got->text("u" + std::to_string(s.speech.size())));
}

/// More than a minute of nothing in front of the words, all at once.
inline void a_long_utterance_keeps_its_newest_minute(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  samples late(std::size_t{70} * speech_rate);
  late.insert(late.end(), s.speech.begin(), s.speech.end());
  say(*stream, "late", late);
  REQUIRE(s.turned.until([&] { return got->ends("late") > 0; }));
  CHECK(got->text("late").find(s.word) != std::string::npos);
}

/// The journal takes no NUL, and a client no half characters.
inline void what_it_hears_can_be_stored(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  say(*stream, "u1", s.speech);
  REQUIRE(s.turned.until([&] { return got->ends("u1") > 0; }));
  for (const auto& e : got->all<stt_final>("u1")) {
    CHECK(utf8::is_valid(e.text.begin(), e.text.end()));
    CHECK(std::none_of(e.text.begin(), e.text.end(),
                       [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  }
}

/// It works on without the provider it came from, or is silent.
inline void a_stream_survives_its_provider(const subject& s) {
  auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, got);
  provider.reset();
  say(*stream, "u1", s.speech);
  settle(s);
  CHECK(got->ends("u1") <= 1);
}

inline void run(const subject& s) {
  an_utterance_ends_exactly_once_and_never_inside_a_call(s);
  partials_come_before_the_end_only(s);
  beginning_ends_the_open_one(s);
  what_has_no_utterance_is_nothing(s);
  silence_has_no_words(s);
  a_cancelled_utterance_is_silent_and_its_id_free(s);
  destroying_the_stream_leaves_silence(s);
  the_sink_may_destroy_the_stream(s);
  streams_do_not_disturb_each_other(s);
  how_sound_is_cut_makes_no_difference(s);
  a_long_utterance_keeps_its_newest_minute(s);
  what_it_hears_can_be_stored(s);
  a_stream_survives_its_provider(s);
}

} // namespace sidevoice::stt_conformance
