#define CAF_SUITE session_seat

#include "tests/actors/voice_fixture.hpp"

#include <algorithm>

/// The voice seat of a session: who has it. What is said there: session_voice_test.cpp.

using namespace voice_fixture;

using names = std::vector<std::string>;

CAF_TEST_FIXTURE_SCOPE(session_seat_tests, voice_session)

CAF_TEST(the newest who asks has the seat and the one before hears that it is lost) {
  holder_notes first;
  holder_notes second;
  const auto one = new_holder(first);
  const auto two = new_holder(second);
  CAF_CHECK_EQUAL(seat_of(one), 1u);
  CAF_CHECK_EQUAL(seat_of(two), 2u);
  CAF_CHECK(first.lost == names{"taken"});
  CAF_CHECK(second.lost.empty());
  auto orders = kept.orders;
  std::sort(orders.begin(), orders.end());
  CAF_CHECK(orders == (names{"start 1", "start 2", "stop 1"}));
  CAF_CHECK_EQUAL(kept.orders.back(), "start 2");
  // The one before has nothing to give back any more.
  tell(session, leave_seat{1});
  CAF_CHECK_EQUAL(kept.orders.size(), 3u);
}

CAF_TEST(who asks again for the own seat loses nothing) {
  holder_notes first;
  const auto one = new_holder(first);
  take(one);
  CAF_CHECK_EQUAL(seat_of(one), 2u);
  CAF_CHECK(first.lost.empty());
  tell(session, leave_seat{2});
  CAF_CHECK_EQUAL(kept.orders.back(), "stop 2");
}

CAF_TEST(a holder that is gone leaves the seat) {
  sit();
  caf::anon_send_exit(me, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(kept.orders.back(), "stop 1");
  CAF_CHECK_EQUAL(count.value(counter::voice_seats_lost), 1u);
  speak();
  CAF_CHECK(said.opened.empty());
}

CAF_TEST(an app has no more voice seats than its limit and a seat that changes hands is one) {
  auto live = std::make_shared<live_settings>();
  live->limits.voice_sessions = 1;
  app_registry apps{{{"app", app_entry{.stable = app, .preview = {}, .live = live}}}};
  parts.apps = &apps;
  session = keep(spawn_session(sys, parts, {.app = app, .id = "sess_2", .create = true}));
  settle();
  auto elsewhere = seats.take("app", 1);
  holder_notes first;
  holder_notes second;
  const auto refused = take(new_holder(first));
  CAF_REQUIRE(refused->why);
  CAF_CHECK(refused->why->code == errc::overloaded);
  CAF_CHECK_EQUAL(refused->reason(), "voice_sessions");
  elsewhere.reset();
  CAF_CHECK(take(new_holder(first))->value);
  CAF_CHECK(take(new_holder(second))->value);
  CAF_CHECK(!seats.take("app", 1));
  tell(session, leave_seat{2});
  CAF_CHECK(seats.take("app", 1));
  // Whoever ends with the seat gives its place back.
  CAF_CHECK(take(new_holder(first))->value);
  caf::anon_send_exit(session, caf::exit_reason::kill);
  sched.run();
  CAF_CHECK(seats.take("app", 1));
}

CAF_TEST(without an engine that hears there is no seat and without one that speaks a silent one) {
  auto other = std::make_shared<app_definition>(*app);
  other->id = "deaf";
  other->stt_models = {{"deepgram", "", "{}"}};
  session = keep(spawn_session(sys, parts, {.app = other, .id = "sess_2", .create = true}));
  settle();
  holder_notes first;
  const auto refused = take(new_holder(first));
  CAF_REQUIRE(refused->why);
  CAF_CHECK_EQUAL(refused->reason(), "voice_unavailable");
  CAF_CHECK(refused->why->detail.find("models.stt") != std::string::npos);
  auto mute = std::make_shared<app_definition>(*app);
  mute->id = "mute";
  mute->tts_models = {};
  session = keep(spawn_session(sys, parts, {.app = mute, .id = "sess_3", .create = true}));
  tell(session, keep(sys.spawn(voice_fixture::keeper, &kept)));
  settle();
  CAF_CHECK(take(new_holder(first))->value);
  CAF_REQUIRE(!kept.started.empty());
  CAF_CHECK(!kept.started.back().terms.speaks);
}

CAF_TEST(an ended session has no seat) {
  command(end_session{});
  holder_notes first;
  CAF_CHECK_EQUAL(take(new_holder(first))->reason(), "session_ended");
}

CAF_TEST_FIXTURE_SCOPE_END()
