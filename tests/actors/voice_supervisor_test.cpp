#define CAF_SUITE voice_supervisor

#include "actors/supervisor.hpp"
#include "tests/actors/voice_fixture.hpp"

/// What becomes of a seat whose actors crash.

using namespace voice_fixture;

namespace {

struct crashing_voice : fixture {
  /// A voice actor that ends with an error as soon as it has begun.
  static caf::behavior broken(caf::event_based_actor* self, int* starts) {
    ++*starts;
    self->quit(caf::exit_reason::unhandled_exception);
    return {[](int) {}};
  }

  crashing_voice() {
    session_tree tree;
    tree.session = [this](caf::actor_system& system, const node_parts& p, const find_session& who) {
      ++sessions;
      session = spawn_session(system, p, who);
      return session;
    };
    tree.voice = {{"audio", [this](caf::actor_system& system, const node_parts&,
                                   const find_session&, const session_actor&,
                                   const start_voice&) { return system.spawn(broken, &starts); }}};
    parent = keep(sys.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
    supervisor = keep(spawn_session_supervisor(
      sys, parts, tree, {.app = app, .id = "sess_1", .create = true}, parent));
    settle();
  }

  int starts = 0;
  int sessions = 0;
  caf::actor parent;
  session_supervisor_actor supervisor;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, crashing_voice)

CAF_TEST(a voice actor that crashes too often costs the seat and not the session) {
  me = new_holder(notes);
  CAF_REQUIRE(take(me)->value);
  for (int i = 0; i < 10; ++i)
    pass(1s);
  CAF_CHECK_EQUAL(starts, 4);
  CAF_CHECK(notes.lost == std::vector<std::string>{"failed"});
  CAF_CHECK_EQUAL(sessions, 1);
  // Its place is free, and whoever takes it gets actors of their own.
  CAF_CHECK_EQUAL(count.value(counter::voice_seats_lost), 1u);
  CAF_REQUIRE(take(me)->value);
  CAF_CHECK_EQUAL(starts, 5);
  type("in_1");
  CAF_CHECK_EQUAL(sessions, 1);
}

CAF_TEST(a seat that is given up while its actor is to be started again stays empty) {
  me = new_holder(notes);
  CAF_REQUIRE(take(me)->value);
  tell(session, leave_seat{1});
  const auto before = starts;
  for (int i = 0; i < 10; ++i)
    pass(1s);
  CAF_CHECK_EQUAL(starts, before);
  CAF_CHECK(notes.lost.empty());
}

CAF_TEST(a seat that a session gave as it died gets no actors) {
  me = new_holder(notes);
  const auto dead = session;
  const start_voice seat{1, me, {}};
  caf::anon_send_exit(dead, caf::exit_reason::unhandled_exception);
  sched.run();
  // Before the next one begins, and behind it.
  caf::send_as(dead, supervisor, seat);
  pass(1s);
  CAF_REQUIRE_EQUAL(sessions, 2);
  caf::send_as(dead, supervisor, seat);
  pass(1s);
  CAF_CHECK_EQUAL(starts, 0);
  caf::send_as(session, supervisor, seat);
  sched.run();
  CAF_CHECK_EQUAL(starts, 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
