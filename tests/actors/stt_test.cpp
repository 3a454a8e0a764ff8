#define CAF_SUITE stt

#include "actors/stt.hpp"

#include "tests/actors/voice_fixture.hpp"
#include "tests/support/hand_loop.hpp"
#include "tests/support/scripted_stt.hpp"

/// Between an engine that hears, the connection that feeds it and the audio actor that wants words.

using namespace voice_fixture;

namespace {

/// Whoever wants the words.
audio_actor::behavior_type listener(audio_actor::pointer, std::vector<utterance_text>* heard) {
  return {[](const speech_edge&) {},
          [](const playout_report&) {},
          [=](const utterance_text& text) {
            if (text.is_final)
              heard->push_back(text);
          },
          [](const published&) {},
          [](const answer_delta&) {},
          [](const notice&) {},
          [](const move_away&) {},
          [](const tool_call&) {},
          [](const tool_cancelled&) {},
          [](const change_seat&) {}};
}

struct hearing : voice_session {
  hearing() {
    script.sentences = {"in March", "to Berlin"};
    script.partial_every = 0ms;
    providers.add_stt("local", [this](const provider_context&, const json_text&) {
      return result<std::unique_ptr<stt_provider>>{std::make_unique<scripted_stt>(engine, script)};
    });
    holder_ = new_holder(notes);
    find_session who;
    who.app = app;
    who.id = "sess_1";
    start_voice seat;
    seat.seat = 1;
    seat.holder = holder_;
    stt = spawn_stt(sys, parts, who, session, seat);
    mine.push_back(caf::actor_cast<caf::actor>(stt));
    sched.run();
  }
  ~hearing() {
    notes.feeds.clear();
  }

  audio_actor audio(std::vector<utterance_text>& heard) {
    auto one = keep(sys.spawn(listener, &heard));
    caf::anon_send(stt, one);
    sched.run();
    return one;
  }
  void feed(const std::string& utterance, std::size_t sentence) {
    auto& stream = *notes.feeds.back();
    stream.begin(utterance);
    stream.push(scripted_speech(sentence, 800));
    stream.end();
  }
  void later() {
    engine.advance(1s);
    sched.run();
  }

  hand_loop engine;
  stt_script script;
  stt_actor stt;

private:
  seat_actor holder_;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stt_tests, hearing)

CAF_TEST(words go to the audio actor) {
  std::vector<utterance_text> heard;
  audio(heard);
  CAF_REQUIRE(notes.feeds.size() == 1);
  feed("in_1", 1);
  later();
  CAF_REQUIRE(heard.size() == 1);
  CAF_CHECK_EQUAL(heard[0].utterance, "in_1");
  CAF_CHECK_EQUAL(heard[0].text, "to Berlin");
}

CAF_TEST(words that are faster than the news of who wants them wait for it) {
  std::vector<utterance_text> heard;
  feed("utt_1", 0);
  later();
  audio(heard);
  CAF_REQUIRE_EQUAL(heard.size(), 1u);
  CAF_CHECK_EQUAL(heard[0].text, "in March");
}

CAF_TEST(who hears twice of the same audio actor opens no second stream) {
  std::vector<utterance_text> heard;
  const auto who = audio(heard);
  caf::anon_send(stt, who);
  sched.run();
  CAF_CHECK_EQUAL(notes.feeds.size(), 1u);
}

CAF_TEST(an audio actor that was started again hears again what the one before was told) {
  std::vector<utterance_text> before;
  audio(before);
  feed("in_1", 0);
  later();
  CAF_REQUIRE(before.size() == 1);
  std::vector<utterance_text> heard;
  audio(heard);
  // A fresh feed: the connection gives it whatever is not settled.
  CAF_REQUIRE(notes.feeds.size() == 2);
  feed("in_1", 0);
  later();
  CAF_REQUIRE(heard.size() == 1);
  CAF_CHECK_EQUAL(heard[0].text, "in March");
  CAF_CHECK_EQUAL(before.size(), 1u);
}

CAF_TEST(words that do not come in time are a failure with its name) {
  std::vector<utterance_text> heard;
  audio(heard);
  caf::anon_send(stt, transcript_overdue{"in_1"});
  sched.run();
  CAF_REQUIRE(heard.size() == 1);
  CAF_CHECK(heard[0].failed);
  CAF_CHECK_EQUAL(count.value(counter::hearing_failed), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
