#define CAF_SUITE connection_seat

#include "tests/connection/voice_fixture.hpp"

using namespace connection_fakes;

CAF_TEST_FIXTURE_SCOPE(connection_seat_tests, voice_fixture)

CAF_TEST(a client that asks for the seat gets it with its terms and hears from where to send) {
  s.streams.push_back({"s", 700});
  open();
  frame("mic s 0");
  CAF_REQUIRE_EQUAL(s.terms.size(), 1u);
  CAF_CHECK_EQUAL(s.terms[0].voice, "cedar");
  CAF_CHECK(at("seat yours") < at("acknowledged s 700"));
  CAF_CHECK(got("acknowledged s 700"));
  frame("mic s 0");
  CAF_CHECK_EQUAL(s.seats, 1u);
  frame("give");
  CAF_CHECK_EQUAL(s.asked.back(), "leave 1");
  CAF_CHECK(got("seat free"));
}

CAF_TEST(without engines or without a place the client is told and talks in vain) {
  vad = nullptr;
  open();
  frame("mic s 0");
  CAF_CHECK(got("seat unavailable voice_unavailable"));
  CAF_CHECK(s.terms.empty());
  vad = &ears;
  s.refuse_seat = true;
  open();
  frame("mic s 0");
  CAF_CHECK(got("seat unavailable voice_sessions"));
  frame("loud 300");
  CAF_CHECK_EQUAL(counted(counter::sound_in_dropped_ms), 300u);
  CAF_CHECK_EQUAL(counted(counter::voice_seats_refused), 2u);
  frame("commit c1");
  CAF_CHECK(got("not committed c1"));
}

CAF_TEST(a node without room refuses the first seat of a session and no later one) {
  room = false;
  open();
  frame("mic s 0");
  CAF_CHECK(got("seat unavailable server_overloaded"));
  CAF_CHECK(s.terms.empty());
  CAF_CHECK_EQUAL(counted(counter::voice_seats_refused), 1u);
  // There is room again.
  room = true;
  frame("mic s 0");
  CAF_CHECK(got("seat yours"));
}

CAF_TEST(who has talked in this session gets the seat back though there is no room) {
  room = false;
  s.streams.push_back({"s", 700});
  open();
  frame("mic s 700");
  CAF_CHECK(got("seat yours"));
}

CAF_TEST(a seat that does not come in time is refused and its commits with it) {
  s.silent_seat = true;
  open();
  frame("mic s 0");
  frame("loud 500");
  frame("commit c1");
  advance(5100ms);
  CAF_CHECK(got("seat unavailable deadline"));
  CAF_CHECK(got("not committed c1"));
  CAF_CHECK_EQUAL(counted(counter::deadlines_passed), 1u);
  // The session comes to it in the end: nobody is there to speak to.
  join(1);
  CAF_CHECK_EQUAL(s.asked.back(), "leave 1");
}

CAF_TEST(sound that comes before the seat is kept in its order and the oldest goes first) {
  s.silent_seat = true;
  open();
  frame("mic s 1000");
  frame("quiet 2000");
  frame("loud 400");
  frame("quiet 59000");
  CAF_CHECK(!got("seat yours"));
  caf::anon_send(s.seat_debtor, std::uint64_t{1});
  sched.run();
  CAF_CHECK(at("seat yours") < at("acknowledged s 3000"));
  CAF_CHECK(got("acknowledged s 3000"));
  CAF_CHECK_EQUAL(counted(counter::sound_in_dropped_ms), 2000u);
  join(1);
  CAF_REQUIRE(!log.edges.empty());
  // Where it stood in the stream, with its padding.
  CAF_CHECK_EQUAL(log.edges[0].at_ms, 3000u);
  CAF_CHECK_EQUAL(log.edges.back().kind == edge_kind::ended, true);
}

CAF_TEST(actors that are there before the seat hear what came before it once) {
  s.silent_seat = true;
  open();
  frame("mic s 0");
  join(1);
  feed(1, first);
  frame("loud 600");
  frame("quiet 900");
  caf::anon_send(s.seat_debtor, std::uint64_t{1});
  sched.run();
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK(first[0].ended);
  CAF_CHECK_EQUAL(std::count_if(log.edges.begin(), log.edges.end(),
                                [](const speech_edge& edge) {
                                  return edge.kind == edge_kind::begun;
                                }),
                  1);
}

CAF_TEST(a seat that another client takes is lost and nothing more is said or heard) {
  talk();
  answer("i1", 3000);
  tell(seat_lost{s.seats, "taken"});
  CAF_CHECK(got("seat elsewhere taken"));
  const auto before = link->frames.size();
  frame("loud 300");
  advance(1s);
  piece("i1", 500, true);
  CAF_CHECK_EQUAL(link->frames.size(), before);
  CAF_CHECK(log.edges.empty());
  CAF_CHECK_EQUAL(counted(counter::sound_in_dropped_ms), 300u);
}

CAF_TEST(a client that goes gives its seat back with how far the answer was heard) {
  talk();
  answer("i1", 1000);
  advance(100ms);
  frame("played i1 80");
  const auto link_left = link;
  caf::anon_send(connection, client_gone{"reset"});
  sched.run();
  CAF_CHECK_EQUAL(s.asked.back(), "leave 1");
  CAF_CHECK_EQUAL(s.reports.back().point.item, "i1");
}

CAF_TEST(after a crash of the session the seat is taken again and what is open is heard again) {
  talk();
  frame("loud 500");
  frame("quiet 100");
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  caf::anon_send_exit(s.session, caf::exit_reason::unhandled_exception);
  sched.run();
  // The microphone does not wait.
  frame("loud 300");
  s.seats = 0;
  advance(100ms);
  CAF_CHECK_EQUAL(std::count(s.asked.begin(), s.asked.end(), "seat"), 2);
  CAF_CHECK_EQUAL(s.terms.back().voice, "cedar");
  voice_log again;
  heard_list second;
  join(1, &again);
  feed(1, second);
  CAF_REQUIRE_EQUAL(second.size(), 1u);
  CAF_CHECK_EQUAL(second[0].utterance, first[0].utterance);
  CAF_CHECK(second[0].samples > first[0].samples);
  CAF_REQUIRE(!again.edges.empty());
  CAF_CHECK(again.edges[0].kind == edge_kind::begun);
  frame("quiet 800");
  CAF_CHECK(second[0].ended);
  CAF_CHECK(again.edges.back().kind == edge_kind::ended);
}

CAF_TEST(an utterance whose words became durable while the session was away is not heard again) {
  talk();
  frame("loud 500");
  frame("quiet 800");
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  auto known = std::make_shared<stored_item>();
  known->value.id = first[0].utterance;
  s.items.push_back(known);
  caf::anon_send_exit(s.session, caf::exit_reason::unhandled_exception);
  sched.run();
  advance(100ms);
  heard_list second;
  join(s.seats);
  feed(s.seats, second);
  CAF_CHECK(second.empty());
}

CAF_TEST(speech whose words are awaited is the same speech when its sound comes again) {
  open();
  publish({input_speech{"10000000", "item_a", "s", 0, 3000},
           input_speech{"10000001", "item_b", "another", 0, 500}});
  frame("mic s 0");
  join(s.seats);
  feed(s.seats, first);
  frame("loud 1000");
  frame("quiet 900");
  frame("loud 1200");
  CAF_REQUIRE_EQUAL(first.size(), 2u);
  CAF_CHECK_EQUAL(first[0].utterance, "item_a");
  CAF_CHECK_EQUAL(first[0].samples, 48'000u);
  CAF_CHECK(first[0].ended);
  // Whatever goes on behind it is new.
  CAF_CHECK(!first[1].ended);
}

CAF_TEST_FIXTURE_SCOPE_END()
