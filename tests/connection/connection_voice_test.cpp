#define CAF_SUITE connection_voice

#include "tests/connection/voice_fixture.hpp"

using namespace connection_fakes;

CAF_TEST_FIXTURE_SCOPE(connection_voice_tests, voice_fixture)

// -- in

CAF_TEST(speech goes to stt and its edges to audio and client) {
  talk();
  frame("quiet 500");
  frame("loud 600");
  frame("quiet 900");
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK(first[0].ended);
  const auto id = first[0].utterance;
  CAF_CHECK(at("begun " + id) < at("ended " + id));
  CAF_CHECK(got("ended " + id));
  CAF_CHECK(log.edges.front().kind == edge_kind::begun);
  CAF_CHECK(log.edges.back().kind == edge_kind::ended);
  CAF_CHECK_EQUAL(log.edges.back().stream, "s");
}

CAF_TEST(a new feed gets what is not settled and one after its transcript nothing) {
  talk();
  frame("loud 600");
  frame("quiet 900");
  heard_list second;
  feed(1, second);
  CAF_REQUIRE_EQUAL(second.size(), 1u);
  CAF_CHECK_EQUAL(second[0].utterance, first[0].utterance);
  CAF_CHECK_EQUAL(second[0].samples, first[0].samples);
  CAF_CHECK(second[0].ended);
  publish({input_speech{"a", first[0].utterance, "s", 0, 1500},
           input_transcribed{first[0].utterance, "Hi.", ""}});
  heard_list third;
  feed(1, third);
  CAF_CHECK(third.empty());
  // What has been dealt with need not be kept by the client.
  const auto& last = link->frames.back();
  CAF_CHECK_EQUAL(last.rfind("acknowledged s 1", 0), 0u);
}

CAF_TEST(an engine hears nothing before somebody takes its words) {
  open();
  frame("mic s 0");
  feed(1, first);
  frame("loud 600");
  frame("quiet 900");
  CAF_CHECK(first.empty());
  join(1);
  CAF_REQUIRE(!log.edges.empty());
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK_EQUAL(first[0].utterance, log.edges[0].utterance);
  CAF_CHECK(first[0].ended);
  // Only once: a later speaker changes nothing for the ears.
  frame("loud 600");
  CAF_CHECK_EQUAL(first.size(), 2u);
}

CAF_TEST(a noise that audio drops is over for the client as well) {
  talk();
  frame("loud 100");
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  const auto id = first[0].utterance;
  tell(utterance_settled{id, true});
  CAF_CHECK(got("ended " + id));
  CAF_CHECK(first.empty());
}

CAF_TEST(a models word ends the open utterance and the end comes back as the turns) {
  turns.mode = turn_mode::semantic;
  talk();
  frame("loud 600");
  frame("quiet 300");
  const auto id = first[0].utterance;
  tell(turn_over{id, "semantic", 300, 0.9F});
  CAF_CHECK(got("ended " + id));
  CAF_CHECK(!got("turn over semantic"));
  CAF_CHECK(log.edges.back().kind == edge_kind::ended);
  tell(turn_over{id, "semantic", 300, 0.9F});
  CAF_CHECK(got("turn over semantic"));
}

CAF_TEST(a manual turn ends by its commit and an empty one is refused) {
  turns.mode = turn_mode::manual;
  talk();
  frame("loud 50");
  frame("commit c1");
  CAF_CHECK(got("not committed c1"));
  frame("loud 400");
  frame("commit c2");
  CAF_CHECK(!got("not committed c2"));
  CAF_REQUIRE_EQUAL(log.edges.size(), 1u);
  CAF_CHECK(log.edges[0].manual);
  frame("loud 400");
  frame("clear");
  CAF_CHECK(got("cleared"));
  frame("commit c3");
  CAF_CHECK(got("not committed c3"));
}

// -- out

CAF_TEST(sound goes out at the pace of its client and is reported) {
  talk();
  answer("i1", 1000, false);
  CAF_CHECK_EQUAL(sounds("i1"), 3);
  CAF_CHECK(got("sound i1 0"));
  CAF_CHECK(got("sound i1 120"));
  advance(300ms);
  CAF_CHECK(sounds("i1") >= 7);
  CAF_CHECK(sounds("i1") <= 8);
  CAF_REQUIRE(!log.reports.empty());
  CAF_CHECK(log.reports.front().first_sent);
  CAF_CHECK_EQUAL(s.reports.size(), log.reports.size());
  // Less than two seconds wait.
  CAF_CHECK(log.wants > 0);
  CAF_CHECK(counted(counter::sound_frames_out) >= 7);
  piece("i1", 0, true);
  advance(1s);
  CAF_CHECK_EQUAL(sounds("i1"), 17);
  CAF_CHECK(s.reports.back().sent_all);
}

CAF_TEST(a voice holds the answer in the same handler and a release lets it go on) {
  talk();
  answer("i1", 3000);
  advance(200ms);
  const auto before = sounds("i1");
  frame("loud 200");
  CAF_REQUIRE(!log.edges.empty());
  CAF_CHECK_EQUAL(log.edges[0].playing.item, "i1");
  CAF_CHECK(log.edges[0].playing.audible);
  const auto id = first[0].utterance;
  CAF_CHECK(got("held i1"));
  CAF_CHECK(at("held i1") < at("begun " + id));
  advance(600ms);
  CAF_CHECK_EQUAL(sounds("i1"), before);
  // A second voice while it is held: on its way still.
  tell(playout_order{playout_command::release, "i1"});
  CAF_CHECK(got("released i1"));
  advance(300ms);
  CAF_CHECK(sounds("i1") > before);
}

CAF_TEST(a voice that may not interrupt holds nothing) {
  turns.interrupt_response = false;
  talk();
  answer("i1", 3000);
  frame("loud 300");
  CAF_CHECK(!got("held i1"));
  const auto before = sounds("i1");
  advance(300ms);
  CAF_CHECK(sounds("i1") > before);
}

CAF_TEST(a hold whose audio actor is gone and whose voice is over is let go by the next one) {
  talk();
  answer("i1", 3000);
  advance(100ms);
  frame("loud 300");
  frame("quiet 900");
  CAF_CHECK(got("held i1"));
  CAF_CHECK(!got("released i1"));
  voice_log again;
  join(1, &again);
  CAF_CHECK(got("released i1"));
  // What was said before holds nothing.
  CAF_REQUIRE(!again.edges.empty());
  CAF_CHECK(!again.edges.front().playing.audible);
  // The new tts learns where to go on.
  CAF_REQUIRE_EQUAL(again.places.size(), 1u);
  CAF_CHECK_EQUAL(again.places[0].item, "i1");
  CAF_CHECK_EQUAL(again.places[0].text_end, 300u);
}

CAF_TEST(nothing of a cancelled answer is sent behind its end) {
  talk();
  answer("i1", 3000);
  publish({response_done{"of_i1", response_status::cancelled, "turn_detected", {}}});
  const auto before = sounds("i1");
  advance(500ms);
  piece("i1", 500, true);
  advance(500ms);
  CAF_CHECK_EQUAL(sounds("i1"), before);
  // A drop by audio is as good, before the session knows of it.
  answer("i2", 3000);
  tell(playout_order{playout_command::drop, "i2"});
  const auto of_second = sounds("i2");
  advance(500ms);
  CAF_CHECK_EQUAL(sounds("i2"), of_second);
}

CAF_TEST(an answer that ends before its sound is whole lets the next one be heard) {
  talk();
  answer("i1", 300, false);
  publish({response_done{"of_i1", response_status::completed, {}, {}}});
  answer("i2", 300);
  advance(1s);
  CAF_CHECK_EQUAL(sounds("i1"), 5);
  CAF_CHECK_EQUAL(sounds("i2"), 5);
}

CAF_TEST(a greeting whose speaker dies within it does not keep the next answer back) {
  talk();
  tell(speech_sound{
    {}, 1, "hello", sound{std::make_shared<const samples>(300 * 16, 7), 16'000}, 0, 0, false});
  voice_log again;
  join(1, &again);
  answer("i1", 300);
  advance(1s);
  CAF_CHECK_EQUAL(sounds("i1"), 5);
}

CAF_TEST(a speaker that was given up and comes late says nothing) {
  talk();
  const auto old = spawned.back();
  voice_log again;
  join(1, &again);
  answer("i1", 300);
  caf::send_as(
    old, connection,
    speech_sound{
      {}, 1, "hello", sound{std::make_shared<const samples>(300 * 16, 7), 16'000}, 0, 0, false});
  caf::send_as(old, connection, playout_order{playout_command::drop, "i1"});
  sched.run();
  answer("i2", 300);
  advance(1s);
  CAF_CHECK_EQUAL(sounds("i1"), 5);
  CAF_CHECK_EQUAL(sounds("hello"), 0);
  CAF_CHECK_EQUAL(sounds("i2"), 5);
}

CAF_TEST(an answer whose speaker dies within it goes on with the next one) {
  talk();
  answer("i1", 300, false);
  voice_log again;
  join(1, &again);
  piece("i1", 300, true);
  advance(1s);
  CAF_CHECK_EQUAL(sounds("i1"), 10);
}

CAF_TEST(sound that is faster than the news of its response waits for it) {
  talk();
  piece("i1", 200, false);
  CAF_CHECK_EQUAL(sounds("i1"), 0);
  publish({response_started{"of_i1", 1, "i1"}});
  CAF_CHECK_EQUAL(sounds("i1"), 3);
}

CAF_TEST(a truncation knows the text at its position and refuses what was not sent) {
  talk();
  answer("i1", 1000);
  frame("truncate i1 5000");
  CAF_CHECK(link->frames.back().rfind("refused 1", 0) == 0);
  CAF_CHECK(s.heard.empty());
  frame("truncate i1 100");
  CAF_REQUIRE_EQUAL(s.heard.size(), 1u);
  CAF_CHECK_EQUAL(s.heard[0].ms, 100u);
  CAF_REQUIRE(s.heard[0].text_end.has_value());
  CAF_CHECK_EQUAL(*s.heard[0].text_end, 10u);
  CAF_CHECK(got("accepted 2"));
  frame("truncate long_ago 100");
  CAF_CHECK(!s.heard[1].text_end.has_value());
}

CAF_TEST_FIXTURE_SCOPE_END()
