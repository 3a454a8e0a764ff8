#define CAF_SUITE session_playout

#include "tests/actors/voice_fixture.hpp"

/// How far answers were heard, what breaks a silence, and what becomes of figures.

using namespace voice_fixture;

CAF_TEST_FIXTURE_SCOPE(session_playout_tests, voice_session)

CAF_TEST(a spoken answer ends when its sound has been sent) {
  sit();
  type("in_0");
  CAF_REQUIRE(said.opened.size() == 1);
  CAF_CHECK_EQUAL(said.opened[0].item, run().item);
  CAF_CHECK(!said.opened[0].again);
  answer({"Good morning. ", "We come at eight."});
  const auto item = run().item;
  done();
  CAF_REQUIRE(said.complete.size() == 1);
  CAF_CHECK_EQUAL(said.complete[0].text, "Good morning. We come at eight.");
  CAF_CHECK(view()->running() != nullptr);
  playout_report midway;
  midway.point = heard(14, 900);
  tell(session, midway);
  settle();
  CAF_CHECK(view()->running() != nullptr);
  sent_all(2100);
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. We come at eight.");
  CAF_CHECK(item_of(item).spoken);
  CAF_CHECK_EQUAL(item_of(item).audio_ms, 2100u);
}

CAF_TEST(the text is told whole though its last clause waits for the journal) {
  sit();
  type("in_0");
  std::uint32_t n = 0;
  for (const auto* text : {"One. ", "Two. ", "Three."}) {
    ++n;
    tell(session, answer_delta{run().response, run().attempt, run().item, n, n, text});
  }
  answer_done end;
  end.response = run().response;
  end.run = run().item;
  tell(session, std::move(end));
  CAF_CHECK(said.complete.empty());
  settle();
  CAF_REQUIRE(said.complete.size() == 1);
  CAF_CHECK_EQUAL(said.complete[0].text, "One. Two. Three.");
}

CAF_TEST(a seat that is lost while the answer is spoken ends it as text) {
  sit();
  speak();
  const auto item = run().item;
  done();
  CAF_CHECK(view()->running() != nullptr);
  tell(session, leave_seat{1});
  settle();
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. We come at eight.");
  CAF_CHECK(!item_of(item).spoken);
}

CAF_TEST(what begins as a seat is lost begins as text and is heard as text) {
  sit();
  speak();
  done();
  tell(session, leave_seat{1});
  type("in_1");
  CAF_REQUIRE(run().response == "resp_in_1");
  answer({"Later then."});
  const auto item = run().item;
  cancel_response stop;
  stop.response = "resp_in_1";
  command(stop);
  CAF_CHECK_EQUAL(item_of(item).text, "Later then.");
  CAF_CHECK(!item_of(item).spoken);
}

CAF_TEST(a seat that changes hands ends the answer as text and speaks the next one) {
  sit();
  speak();
  done();
  holder_notes second;
  const auto other = new_holder(second);
  CAF_CHECK(take(other)->value);
  settle();
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
  type("in_1");
  const auto item = run().item;
  // Its voice comes a little later.
  tts_notes later;
  tell(session, join_voice{2, keep(sys.spawn(voice, &later))});
  CAF_REQUIRE(later.opened.size() == 1);
  CAF_CHECK(later.opened[0].again);
  answer({"Yes."});
  done();
  CAF_CHECK_EQUAL(later.complete.size(), 1u);
  sent_all(300);
  CAF_CHECK(item_of(item).spoken);
}

CAF_TEST(a voice that was started again is told the text again) {
  sit();
  speak();
  done();
  tts_notes fresh;
  tell(session, join_voice{1, keep(sys.spawn(voice, &fresh))});
  CAF_REQUIRE(fresh.opened.size() == 1);
  CAF_CHECK(fresh.opened[0].again);
  CAF_REQUIRE(fresh.complete.size() == 1);
  // One of a seat that is gone is told nothing.
  tts_notes stale;
  tell(session, join_voice{7, keep(sys.spawn(voice, &stale))});
  CAF_CHECK(stale.opened.empty());
}

CAF_TEST(an answer whose sound never goes out ends by its deadline) {
  sit();
  speak();
  const auto item = run().item;
  done();
  pass(parts.timing.playout_slack);
  CAF_CHECK(view()->running() != nullptr);
  pass(31 * 100ms);
  settle();
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. We come at eight.");
}

CAF_TEST(a client that only reads is not spoken to) {
  seat_terms terms;
  terms.speaks = false;
  sit(terms);
  speak();
  done();
  CAF_CHECK(said.opened.empty());
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
}

CAF_TEST(an answer that was complete is cut at what was heard of it) {
  sit();
  speak();
  const auto item = run().item;
  done();
  sent_all(2000);
  auto at = heard(13, 800);
  CAF_CHECK(ask<accepted>(interrupt_speech{at, "turn_detected"})->reason().empty());
  settle();
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning.");
  CAF_CHECK_EQUAL(item_of(item).unheard, " We come at eight.");
  CAF_CHECK_EQUAL(item_of(item).audio_ms, 800u);
  at.item = "item_none";
  CAF_CHECK_EQUAL(ask<accepted>(interrupt_speech{at, "turn_detected"})->reason(),
                  "response_not_active");
}

CAF_TEST(a client tells how far it heard a spoken item) {
  sit();
  speak();
  const auto item = run().item;
  done();
  sent_all(3100);
  CAF_CHECK_EQUAL(command(hear_item{"item_none", 100, {}})->reason(), "item_unknown");
  CAF_CHECK_EQUAL(command(hear_item{"in_0", 100, {}})->reason(), "not_spoken");
  // Beyond its end there is nothing to cut.
  const auto beyond = command(hear_item{item, 9000, {}});
  CAF_CHECK(beyond->value->repeated);
  CAF_CHECK(item_of(item).status == item_status::completed);
  // In proportion: 31 letters in 3100 ms.
  CAF_CHECK(command(hear_item{item, 1300, {}})->value);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning.");
  CAF_CHECK_EQUAL(item_of(item).audio_ms, 1300u);
  // A client that knows better says it in bytes.
  CAF_CHECK(command(hear_item{item, 500, std::size_t{4}})->value);
  CAF_CHECK_EQUAL(item_of(item).text, "Good");
  CAF_CHECK_EQUAL(item_of(item).unheard, " morning. We come at eight.");
  CAF_CHECK(command(hear_item{item, 1300, {}})->value->repeated);
  CAF_CHECK_EQUAL(item_of(item).text, "Good");
}

CAF_TEST(a running answer that a client has heard only so far ends there) {
  sit();
  speak();
  const auto item = run().item;
  CAF_CHECK(command(hear_item{item, 400, std::size_t{4}})->value);
  CAF_CHECK_EQUAL(item_of(item).text, "Good");
  CAF_CHECK_EQUAL(item_of(item).audio_ms, 400u);
  CAF_CHECK_EQUAL(closed("resp_in_0").reason, "client_cancelled");
}

CAF_TEST(a client that flushes when speech begins cuts a running answer for the visitor) {
  seat_terms terms;
  terms.interrupts_at_once = true;
  sit(terms);
  speak();
  const auto item = run().item;
  CAF_CHECK(command(hear_item{item, 400, std::size_t{4}})->value);
  CAF_CHECK_EQUAL(item_of(item).text, "Good");
  CAF_CHECK_EQUAL(closed("resp_in_0").reason, "turn_detected");
}

CAF_TEST(a runner that is lost while its whole text is spoken is not missed) {
  sit();
  speak();
  const auto item = run().item;
  done();
  caf::anon_send_exit(mine[2], caf::exit_reason::kill);
  sched.run();
  sent_all(2000);
  CAF_CHECK(closed("resp_in_0").status == response_status::completed);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. We come at eight.");
}

// -- silences and figures

CAF_TEST(a silent visitor is prompted with the words of the app or by the model) {
  sit();
  CAF_CHECK(command(request_prompt{"resp_a", "Are you there?"})->value);
  CAF_CHECK_EQUAL(run().say, "Are you there?");
  CAF_CHECK_EQUAL(command(request_prompt{"resp_b", ""})->reason(), "response_active");
  CAF_CHECK(command(request_prompt{"resp_a", "Are you there?"})->value->repeated);
  answer({"Are you there?"});
  done();
  sent_all(700);
  CAF_CHECK(command(request_prompt{"resp_b", ""})->value);
  CAF_CHECK(run().say.empty());
}

CAF_TEST(nobody is prompted who has just spoken) {
  sit();
  commit("in_1");
  settle();
  CAF_CHECK_EQUAL(command(request_prompt{"resp_a", "Are you there?"})->reason(), "response_active");
}

CAF_TEST(a filler goes to the voice and to the page and not into the history) {
  sit();
  const auto before = view()->head;
  tell(session, say_filler{"filler_1", "One moment."});
  settle();
  CAF_REQUIRE(said.fillers.size() == 1);
  CAF_CHECK_EQUAL(said.fillers[0].text, "One moment.");
  CAF_CHECK_EQUAL(view()->head, before);
}

CAF_TEST(a measured turn is journaled) {
  sit();
  const auto before = view()->head;
  tell(session, turn_measured{.response = "r", .item = "i", .end_of_speech = 500});
  settle();
  CAF_CHECK_EQUAL(view()->head, before + 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
