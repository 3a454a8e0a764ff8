#define CAF_SUITE session_voice

#include "tests/actors/voice_fixture.hpp"

/// What is said in the voice seat of a session. Who has it: session_seat_test.cpp.

using namespace voice_fixture;

using names = std::vector<std::string>;

CAF_TEST_FIXTURE_SCOPE(session_voice_tests, voice_session)

CAF_TEST(speech is answered when it is durable and not before) {
  sit();
  const auto seen = commit("in_1");
  CAF_CHECK(!seen->answered());
  CAF_CHECK(view()->open_speech.empty());
  turn();
  CAF_REQUIRE(seen->value);
  CAF_CHECK_EQUAL(seen->value->item, "in_1");
  CAF_CHECK(!seen->value->known);
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
}

CAF_TEST(speech that the store refuses is refused and may come again) {
  sit();
  const auto refused = commit("in_1");
  turn(errc::full);
  CAF_REQUIRE(refused->why);
  CAF_CHECK(refused->why->code == errc::full);
  pass(parts.timing.store_retry);
  const auto again = commit("in_1");
  settle();
  CAF_REQUIRE(again->value);
  CAF_CHECK(!again->value->known);
}

CAF_TEST(the same speech heard again is the same item) {
  sit();
  const auto first = commit("in_1", 0, 1000);
  const auto overlapping = commit("in_2", 200, 1600);
  const auto other_stream = ask<speech_committed>(commit_speech{"in_3", "mic_b", 0, 1000});
  const auto touching = commit("in_4", 950, 2000);
  CAF_CHECK(!overlapping->answered());
  settle();
  CAF_CHECK_EQUAL(overlapping->value->item, "in_1");
  CAF_CHECK(!overlapping->value->known);
  CAF_CHECK_EQUAL(other_stream->value->item, "in_3");
  // After a break the end of a sentence may be found a frame earlier: the next one is no part of
  // it.
  CAF_CHECK_EQUAL(touching->value->item, "in_4");
  CAF_CHECK_EQUAL(view()->items.size(), 3u);
}

CAF_TEST(speech that is heard again has all its time for words again) {
  sit();
  commit("in_1", 0, 1000);
  settle();
  pass(parts.timing.speech - 1s);
  commit("in_2", 0, 1000);
  settle();
  pass(2s);
  settle();
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  pass(parts.timing.speech);
  settle();
  CAF_CHECK(view()->find_speech("in_1") == nullptr);
  CAF_CHECK_EQUAL(count.value(counter::speech_lost), 1u);
}

CAF_TEST(speech whose words are lost while it is heard again is asked for once more) {
  sit();
  commit("in_1", 0, 1000);
  settle();
  // The store is busy; what comes meanwhile is written together, and told before it is answered.
  commit("in_2", 2000, 3000);
  const auto again = commit("in_3", 0, 1000);
  words("in_1", "", false, {}, "lost");
  CAF_CHECK_EQUAL(again->reason(), "speech_settled");
  const auto anew = commit("in_3", 0, 1000);
  settle();
  CAF_REQUIRE(anew->value);
  CAF_CHECK_EQUAL(anew->value->item, "in_3");
  CAF_CHECK(!anew->value->known);
}

CAF_TEST(speech whose words are known is known whatever its id) {
  sit();
  commit("in_1", 0, 1000);
  settle();
  words("in_1", "in March", false);
  const auto same = commit("in_1", 0, 1000);
  const auto again = commit("in_9", 200, 1000);
  const auto on = commit("in_2", 1500, 2000);
  settle();
  CAF_CHECK(same->value->known);
  CAF_CHECK(again->value->known);
  CAF_CHECK(!on->value->known);
}

CAF_TEST(words of unknown speech are refused and repeated ones answered again) {
  sit();
  CAF_CHECK_EQUAL(words("in_1", "in March", true)->reason(), "speech_unknown");
  commit("in_1");
  settle();
  CAF_CHECK(!words("in_1", "in March", true)->value->repeated);
  CAF_CHECK(words("in_1", "in April", true)->value->repeated);
  CAF_CHECK_EQUAL(item_of("in_1").text, "in March");
  CAF_CHECK_EQUAL(ran.runs.size(), 1u);
}

CAF_TEST(words that ask for an answer are its cause) {
  sit();
  commit("in_1");
  settle();
  CAF_CHECK(ran.runs.empty());
  words("in_1", "in March", true);
  CAF_CHECK_EQUAL(run().response, "resp_in_1");
  CAF_CHECK(run().view->find_response("resp_in_1")->cause == names{"in_1"});
  CAF_CHECK(run().say.empty());
}

CAF_TEST(speech without words is no item in the end) {
  sit();
  commit("in_1");
  settle();
  words("in_1", "", false, {}, "nothing");
  CAF_CHECK(view()->find_item("in_1") == nullptr);
  CAF_CHECK(view()->open_speech.empty());
  CAF_CHECK(ran.runs.empty());
}

CAF_TEST(words interrupt the answer and it keeps what was heard and what was not ) {
  sit();
  speak();
  const auto item = run().item;
  commit("in_1");
  settle();
  words("in_1", "stop", true, heard(5, 400));
  const auto cut = item_of(item);
  CAF_CHECK_EQUAL(cut.text, "Good ");
  CAF_CHECK_EQUAL(cut.unheard, "morning. We come at eight.");
  CAF_CHECK(cut.spoken);
  CAF_CHECK_EQUAL(cut.audio_ms, 400u);
  CAF_CHECK(cut.status == item_status::incomplete);
  CAF_CHECK(closed("resp_in_0").status == response_status::cancelled);
  CAF_CHECK_EQUAL(closed("resp_in_0").reason, "turn_detected");
  CAF_CHECK(ran.cancelled == names{item});
  // What was said stands behind what it interrupted.
  const auto now = view();
  CAF_CHECK_EQUAL(now->items.back()->value.id, "in_1");
  CAF_CHECK_EQUAL(now->previous_of("in_1"), item);
}

CAF_TEST(an answer is cut between code points) {
  sit();
  type("in_0");
  answer({"für dich."});
  const auto item = run().item;
  // The second byte of ü.
  ask<accepted>(interrupt_speech{heard(2, 100), "turn_detected"});
  settle();
  CAF_CHECK_EQUAL(item_of(item).text, "f");
  CAF_CHECK_EQUAL(item_of(item).unheard, "ür dich.");
}

CAF_TEST(an answer that was interrupted before any of it was heard leaves no item) {
  sit();
  speak();
  const auto item = run().item;
  ask<accepted>(interrupt_speech{heard(0, 0), "turn_detected"});
  settle();
  CAF_CHECK(view()->find_item(item) == nullptr);
  CAF_CHECK_EQUAL(closed("resp_in_0").reason, "turn_detected");
}

CAF_TEST(where an answer was heard to is no news of another one) {
  sit();
  speak();
  tell(session, playout_report{.point = heard(14, 900)});
  const auto item = run().item;
  commit("in_1");
  settle();
  auto old = heard(3, 100);
  old.item = "item_before";
  words("in_1", "stop", true, old);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. ");
  CAF_CHECK_EQUAL(item_of(item).audio_ms, 900u);
}

CAF_TEST(where speech may not interrupt its answer comes behind the running one) {
  seat_terms terms;
  terms.turns.interrupt_response = false;
  sit(terms);
  speak();
  commit("in_1");
  settle();
  words("in_1", "and the piano", true, heard(5, 400));
  CAF_CHECK(ran.cancelled.empty());
  CAF_CHECK_EQUAL(ran.runs.size(), 1u);
  const auto item = run().item;
  done();
  sent_all(2000);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. We come at eight.");
  CAF_REQUIRE(ran.runs.size() == 2);
  CAF_CHECK_EQUAL(run().response, "resp_in_1");
}

CAF_TEST(words that come while too many turns were asked for are kept and not answered) {
  auto live = std::make_shared<live_settings>();
  live->limits.turns_per_minute = 1;
  app_registry apps{{{"app", app_entry{.stable = app, .preview = {}, .live = live}}}};
  parts.apps = &apps;
  session = keep(spawn_session(sys, parts, {.app = app, .id = "sess_2", .create = true}));
  tell(session, join_runner{keep(sys.spawn(voice_fixture::runner, &ran))});
  settle();
  for (const auto* item : {"in_1", "in_2"}) {
    commit(item, item == std::string{"in_1"} ? 0 : 2000, item == std::string{"in_1"} ? 1000 : 3000);
    settle();
    CAF_CHECK(words(item, "words", true)->value);
  }
  CAF_CHECK_EQUAL(item_of("in_2").text, "words");
  CAF_CHECK(view()->unanswered() == names{"in_2"});
}

// -- words that never come

CAF_TEST(speech whose words never come is given up and the agent asks again) {
  sit();
  commit("in_1");
  settle();
  pass(parts.timing.speech - 1ms);
  settle();
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  pass(1ms);
  settle();
  CAF_CHECK(view()->open_speech.empty());
  CAF_CHECK(item_of("in_1").status == item_status::incomplete);
  CAF_CHECK_EQUAL(count.value(counter::speech_lost), 1u);
  CAF_REQUIRE(ran.runs.size() == 1);
  CAF_CHECK_EQUAL(run().say, "Sorry, I did not catch that. Could you say it again?");
}

CAF_TEST(speech that an engine failed at is asked for again) {
  sit();
  commit("in_1");
  settle();
  words("in_1", "", true, {}, "failed");
  CAF_CHECK_EQUAL(run().say, "Sorry, I did not catch that. Could you say it again?");
  done();
  commit("in_2", 2000, 3000);
  settle();
  words("in_2", "in March", true);
  CAF_CHECK(run().say.empty());
}

CAF_TEST(who asked for an answer to lost speech before gets that one and no other) {
  sit();
  commit("in_1");
  settle();
  request_response request;
  request.response = "resp_mine";
  command(request);
  CAF_CHECK(ran.runs.empty());
  pass(parts.timing.speech);
  settle();
  CAF_REQUIRE(ran.runs.size() == 1);
  CAF_CHECK_EQUAL(run().response, "resp_mine");
  CAF_CHECK(run().say.find("Sorry") == 0);
  done();
  CAF_CHECK_EQUAL(ran.runs.size(), 1u);
}

CAF_TEST(giving up is tried again where the store refused it) {
  sit();
  commit("in_1");
  settle();
  pass(parts.timing.speech);
  turn(errc::unavailable);
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  pass(parts.timing.speech);
  settle();
  CAF_CHECK(view()->open_speech.empty());
}

CAF_TEST(a session that was started again gives up speech that nobody brings) {
  sit();
  commit("in_1");
  settle();
  caf::anon_send_exit(session, caf::exit_reason::kill);
  sched.run();
  ran = {};
  session = keep(spawn_session(sys, parts, {.app = app, .id = "sess_1"}));
  tell(session, join_runner{keep(sys.spawn(voice_fixture::runner, &ran))});
  settle();
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  // Brought again in time it is the same.
  holder_notes other;
  CAF_CHECK(take(new_holder(other))->value);
  const auto again = commit("in_9", 100, 1000);
  settle();
  CAF_CHECK_EQUAL(again->value->item, "in_1");
  pass(parts.timing.speech);
  settle();
  CAF_CHECK(view()->open_speech.empty());
  CAF_REQUIRE(ran.runs.size() == 1);
  CAF_CHECK(run().say.find("Sorry") == 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
