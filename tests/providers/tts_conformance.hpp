#pragma once

#include "providers/tts.hpp"
#include "tests/providers/turning.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The comments of providers/tts.hpp, executable: every clause of the interface is one function.
namespace sidevoice::tts_conformance {

/// What the suite needs of a provider under test.
struct subject {
  turning& turned;
  /// Several providers of one engine may be made. An engine ends requests in their order.
  std::function<std::unique_ptr<tts_provider>()> make;
};

inline constexpr const char* sentence = "I would like to move to Berlin, please.";

/// What arrived at a sink.
struct record {
  std::vector<tts_event> events;
  int calls_inside = 0;
  bool is_inside = false;

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> out;
    for (const auto& e : events)
      if (const auto* one = std::get_if<Event>(&e))
        out.push_back(*one);
    return out;
  }

  [[nodiscard]] std::size_t ends() const {
    return all<tts_done>().size() + all<tts_failed>().size();
  }

  [[nodiscard]] std::uint64_t ms() const {
    std::size_t count = 0;
    std::uint32_t rate = speech_rate;
    for (const auto& one : all<tts_sound>()) {
      count += one.piece.data->size();
      rate = one.piece.rate;
    }
    return sound_ms(count, rate);
  }
};
using record_ptr = std::shared_ptr<record>;

inline std::unique_ptr<tts_stream> open(tts_provider& provider, tts_request request,
                                        const record_ptr& into) {
  into->is_inside = true;
  auto stream = provider.open(std::move(request), [into](tts_event e) {
    into->calls_inside += into->is_inside ? 1 : 0;
    into->events.push_back(std::move(e));
  });
  into->is_inside = false;
  REQUIRE_MESSAGE(stream.has_value(), stream.error().detail);
  return std::move(*stream);
}

inline tts_request saying(std::string text) {
  tts_request request;
  request.text = std::move(text);
  return request;
}

/// Speaks one request to its end.
inline record speak(const subject& s, tts_request request) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, std::move(request), got);
  REQUIRE(s.turned.until([&] { return got->ends() > 0; }));
  return *got;
}

/// Somebody else asks and is answered: all that was before is over.
inline void settle(const subject& s) {
  CHECK(speak(s, saying("That is all.")).ends() == 1);
}

inline void sounds_come_first_and_exactly_one_end_last(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, saying(sentence), got);
  REQUIRE(s.turned.until([&] { return got->ends() > 0; }));
  settle(s);
  CHECK(got->calls_inside == 0);
  CHECK(got->ends() == 1);
  CHECK(std::holds_alternative<tts_done>(got->events.back()));
  CHECK(got->ms() > 500);
  CHECK(got->ms() < 20'000);
}

inline void sound_is_in_pieces_of_one_rate(const subject& s) {
  const auto sounds = speak(s, saying(sentence)).all<tts_sound>();
  REQUIRE(sounds.size() > 1);
  for (const auto& one : sounds) {
    REQUIRE(one.piece.data != nullptr);
    CHECK_FALSE(one.piece.data->empty());
    CHECK(one.piece.rate == sounds.front().piece.rate);
    CHECK(one.piece.rate >= 8000);
  }
}

inline void marks_go_forward_within_text_and_sound(const subject& s) {
  const std::string text = "Caf\xc3\xa9s in Z\xc3\xbcrich, say: \xe2\x80\x9cHello!\xe2\x80\x9d";
  const auto got = speak(s, saying(text));
  tts_mark last;
  for (const auto& mark : got.all<tts_mark>()) {
    CHECK(mark.text_end >= last.text_end);
    CHECK(mark.at_ms >= last.at_ms);
    CHECK(mark.text_end <= text.size());
    CHECK(mark.at_ms <= got.ms() + 1);
    // Never within a character.
    CHECK((mark.text_end == text.size()
           || (static_cast<unsigned char>(text[mark.text_end]) & 0xc0U) != 0x80U));
    last = mark;
  }
}

inline void nothing_to_say_is_done_without_sound(const subject& s) {
  for (const auto* text :
       {"", "   ", "...", "?!", "\xf0\x9f\x98\x80\xf0\x9f\x91\x8d", "\x01\x02"}) {
    const auto got = speak(s, saying(text));
    CHECK(got.ms() == 0);
    CHECK(got.all<tts_done>().size() == 1);
    CHECK(got.all<tts_failed>().empty());
  }
}

inline void any_text_has_an_end(const subject& s) {
  const std::string broken = "half \xc3";
  const std::string nul{"a\0b", 3};
  for (const auto& text : {broken, nul, std::string(500, 'a'), std::string(150, '9'),
                           std::string{"<speak>&amp;</speak> %s %n {} \\ \" '"},
                           std::string{"http://example.com/a?b=c&d=%20#e"}})
    CHECK(speak(s, saying(text)).ends() == 1);
}

inline void a_text_of_500_bytes_is_spoken_whole(const subject& s) {
  std::string text;
  while (text.size() < 460)
    text += "We move the piano on Monday. ";
  CHECK(speak(s, saying(text)).ms() > 5 * speak(s, saying("We move the piano.")).ms());
}

inline void slower_is_longer(const subject& s) {
  auto slow = saying(sentence);
  slow.speed = 0.5;
  auto fast = saying(sentence);
  fast.speed = 1.5;
  const auto usual = speak(s, saying(sentence)).ms();
  CHECK(speak(s, std::move(slow)).ms() > usual * 3 / 2);
  CHECK(speak(s, std::move(fast)).ms() < usual * 9 / 10);
}

inline void an_unknown_voice_is_said_so(const subject& s) {
  auto request = saying(sentence);
  request.voice = "nobody";
  const auto got = speak(s, std::move(request));
  REQUIRE(got.all<tts_failed>().size() == 1);
  CHECK(got.all<tts_failed>().front().why.reason == "no_voice");
  CHECK(got.ms() == 0);
}

inline void destroying_the_stream_leaves_silence(const subject& s) {
  const auto provider = s.make();
  const auto got = std::make_shared<record>();
  auto stream = open(*provider, saying(sentence), got);
  stream.reset();
  settle(s);
  CHECK(got->events.empty());
}

inline void the_sink_may_cancel(const subject& s) {
  const auto provider = s.make();
  const auto stream = std::make_shared<std::unique_ptr<tts_stream>>();
  std::size_t events = 0;
  auto opened = provider->open(saying(sentence), [stream, &events](const tts_event&) {
    ++events;
    stream->reset();
  });
  REQUIRE(opened.has_value());
  *stream = std::move(*opened);
  REQUIRE(s.turned.until([&] { return events > 0; }));
  settle(s);
  CHECK(events == 1);
}

inline void requests_do_not_disturb_each_other(const subject& s) {
  const auto provider = s.make();
  const auto first = std::make_shared<record>();
  const auto second = std::make_shared<record>();
  const auto third = std::make_shared<record>();
  const auto a = open(*provider, saying(sentence), first);
  auto b = open(*provider, saying(sentence), second);
  const auto c = open(*provider, saying(sentence), third);
  b.reset();
  REQUIRE(s.turned.until([&] { return first->ends() + third->ends() == 2; }));
  CHECK(second->events.empty());
  CHECK(first->ms() == third->ms());
  CHECK(first->ms() > 500);
}

/// It works on without the provider it came from, or is silent.
inline void a_request_survives_its_provider(const subject& s) {
  auto provider = s.make();
  const auto got = std::make_shared<record>();
  const auto stream = open(*provider, saying(sentence), got);
  provider.reset();
  settle(s);
  CHECK(got->ends() <= 1);
}

inline void run(const subject& s) {
  sounds_come_first_and_exactly_one_end_last(s);
  sound_is_in_pieces_of_one_rate(s);
  marks_go_forward_within_text_and_sound(s);
  nothing_to_say_is_done_without_sound(s);
  any_text_has_an_end(s);
  a_text_of_500_bytes_is_spoken_whole(s);
  slower_is_longer(s);
  an_unknown_voice_is_said_so(s);
  destroying_the_stream_leaves_silence(s);
  the_sink_may_cancel(s);
  requests_do_not_disturb_each_other(s);
  a_request_survives_its_provider(s);
}

} // namespace sidevoice::tts_conformance
