#define CAF_SUITE supervision

#include "actors/pulse.hpp"
#include "actors/supervisor.hpp"
#include "tests/actors/voice_fixture.hpp"

#include <deque>
#include <map>

/// Who is alive, who is not, and what becomes of those who come back late.

using namespace voice_fixture;

namespace {

/// A message that no actor of the tree knows.
using odd_atom = caf::atom_constant<caf::atom("odd")>;

/// A session with its supervisor; its children are scripted, and any of them can hang.
struct tree_fixture : fixture {
  static listener_actor::behavior_type client(listener_actor::pointer,
                                              std::vector<notice>* notices) {
    return {[](const published&) {},
            [](const answer_delta&) {},
            [=](const notice& what) { notices->push_back(what); },
            [](const move_away&) {},
            [](const tool_call&) {},
            [](const tool_cancelled&) {}};
  }

  /// An actor of the tree that does nothing but live.
  static caf::behavior idler(caf::event_based_actor* self, const node_parts& with,
                             const std::string& name) {
    take_pulse(self, with, name, "sess_1");
    return {[](int) {}};
  }

  tree_fixture() {
    parts.figures = &figures;
    session_tree tree;
    tree.session = [this](caf::actor_system& system, const node_parts& p, const find_session& who) {
      session = keep(spawn_session(system, p, who));
      sessions.push_back(session);
      return session;
    };
    tree.children = {{"conversation",
                      [this](caf::actor_system& system, const node_parts&, const find_session&,
                             const session_actor& to) {
                        auto fresh = keep(system.spawn(runner, &ran));
                        caf::anon_send(to, join_runner{fresh});
                        runners.push_back(fresh);
                        return caf::actor_cast<caf::actor>(fresh);
                      }},
                     {"analyzer", [this](caf::actor_system& system, const node_parts& p,
                                         const find_session&, const session_actor&) {
                        auto fresh = keep(system.spawn(idler, p, std::string{"analyzer"}));
                        analyzers.push_back(fresh);
                        return fresh;
                      }}};
    parent = keep(sys.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
    supervisor = keep(spawn_session_supervisor(
      sys, parts, tree, {.app = app, .id = "sess_1", .create = true}, parent));
    settle();
    listener = keep(sys.spawn(client, &notices));
    const auto joined = ask<attached>(attach{listener, 0, true, true});
    CAF_REQUIRE(joined->value);
  }

  ~tree_fixture() {
    hung.clear();
    for (const auto& one : mine)
      caf::anon_send_exit(one, caf::exit_reason::kill);
    sched.run();
  }

  /// The scheduler runs one job at a time, so a handler that blocks would block the test: what a
  /// hung actor has in its mailbox is taken away instead, as if it were never looked at.
  void hang(const caf::actor& who) {
    hung.push_back(who);
  }
  void run_others() {
    auto& jobs = sched.jobs;
    std::deque<caf::resumable*> kept;
    while (!jobs.empty()) {
      auto* job = jobs.front();
      const auto is_hung = [&](const caf::actor& who) {
        return dynamic_cast<caf::scheduled_actor*>(job)
               == caf::actor_cast<caf::abstract_actor*>(who);
      };
      if (std::any_of(hung.begin(), hung.end(), is_hung)) {
        jobs.pop_front();
        kept.push_back(job);
      } else {
        sched.run_once();
      }
    }
    jobs.insert(jobs.end(), kept.begin(), kept.end());
  }
  void wake() {
    hung.clear();
    sched.run();
  }
  /// As `settle`, without those who hang.
  void settle_others() {
    run_others();
    while (!journal.waiting.empty()) {
      journal.turn();
      run_others();
    }
  }
  void pass_others(std::chrono::milliseconds time) {
    sched.advance_time(time);
    settle_others();
  }
  void look_after() {
    caf::anon_send(caf::actor_cast<caf::actor>(supervisor), pulse_atom::value);
    run_others();
  }
  /// Two questions, 5 s each, and the first restart's pause of none.
  void until_ended() {
    look_after();
    pass_others(5s);
    pass_others(5s);
    pass_others(1ms);
  }

  tree_report tree() {
    tree_report seen;
    sys.spawn([&seen, to = supervisor](caf::event_based_actor* asker) {
      asker->request(to, 3600s, tree_atom::value)
        .then([&seen](const tree_report& report) { seen = report; }, [](const caf::error&) {});
    });
    run_others();
    pass_others(600ms);
    return seen;
  }
  tree_entry entry(const std::string& name) {
    for (const auto& one : tree().entries)
      if (one.name == name)
        return one;
    CAF_FAIL("no " << name << " in the tree");
    return {};
  }
  void order(const std::string& actor, fault_kind kind, std::chrono::milliseconds length = 0ms) {
    caf::anon_send(supervisor, fault_order{"", actor, kind, length});
    settle_others();
    pass_others(1ms);
  }
  std::uint64_t restarts(const std::string& actor, const std::string& reason) {
    for (const auto& one : figures.read(where.now()).restarts)
      if (one.actor == actor && one.reason == reason)
        return one.count;
    return 0;
  }

  std::vector<std::pair<caf::actor_id, std::chrono::milliseconds>> hangs;
  supervision_figures figures{{"session", "conversation", "analyzer"},
                              {.hang = [this](caf::scheduled_actor& who,
                                              std::chrono::milliseconds length) {
                                hangs.emplace_back(who.id(), length);
                              }}};
  std::vector<session_actor> sessions;
  std::vector<runner_actor> runners;
  std::vector<caf::actor> analyzers;
  std::vector<caf::actor> hung;
  std::vector<notice> notices;
  caf::actor parent;
  listener_actor listener;
  session_supervisor_actor supervisor;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervision_tests, tree_fixture)

CAF_TEST(an actor says how many messages wait behind the question) {
  std::optional<pulse_report> seen;
  auto& session_of = sessions.back();
  const auto asker = keep(sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->request(caf::actor_cast<caf::actor>(session_of), 1s, pulse_atom::value)
      .then([&](const pulse_report& pulse) { seen = pulse; }, [](const caf::error&) {});
    return {[](int) {}};
  }));
  // The asker's question first, then three that wait behind it.
  sched.run_once();
  for (int i = 0; i < 3; ++i)
    caf::anon_send(session_of, offer_tools{listener, {}});
  sched.run();
  CAF_REQUIRE(seen);
  CAF_CHECK_EQUAL(seen->waiting, 3u);
}

CAF_TEST(a message of no interface is dropped and its sender told) {
  std::optional<caf::error> seen;
  const auto asker = keep(sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->request(caf::actor_cast<caf::actor>(session), 1s, odd_atom::value)
      .then([](int) {}, [&](const caf::error& why) { seen = why; });
    return {[](int) {}};
  }));
  sched.run();
  CAF_REQUIRE(seen);
  CAF_CHECK(*seen == caf::sec::unexpected_message);
  type("in_1");
  CAF_CHECK_EQUAL(sessions.size(), 1u);
}

CAF_TEST(the tree shows what each actor says of itself) {
  const auto report = tree();
  CAF_REQUIRE_EQUAL(report.entries.size(), 3u);
  for (const auto& one : report.entries) {
    CAF_CHECK_EQUAL(one.crashes_max, 3u);
    CAF_CHECK_EQUAL(one.crashes, 0u);
  }
  CAF_CHECK(report.entries[0].queue_age.has_value());
  CAF_CHECK(report.entries[2].queue_age.has_value());
}

CAF_TEST(an actor that hangs is shown without a figure and counted once) {
  hang(analyzers.back());
  CAF_CHECK(!entry("analyzer").queue_age.has_value());
  CAF_CHECK(!entry("analyzer").queue_age.has_value());
  CAF_CHECK_EQUAL(count.value(counter::actors_hung), 1u);
  wake();
  CAF_CHECK(entry("analyzer").queue_age.has_value());
}

CAF_TEST(faults ordered by name end the actor and its restart says why) {
  order("analyzer", fault_kind::crash);
  CAF_CHECK_EQUAL(analyzers.size(), 2u);
  CAF_CHECK_EQUAL(restarts("analyzer", "threw"), 1u);
  const auto crashed = entry("analyzer");
  CAF_CHECK_EQUAL(crashed.last_reason, "fault made on purpose: analyzer crashes");
  CAF_CHECK_EQUAL(crashed.crashes, 1u);
  pass_others(1s);
  order("analyzer", fault_kind::quit);
  pass_others(1s);
  CAF_CHECK_EQUAL(restarts("analyzer", "quit"), 1u);
  CAF_CHECK_EQUAL(analyzers.size(), 3u);
  order("analyzer", fault_kind::hang, 700ms);
  CAF_REQUIRE_EQUAL(hangs.size(), 1u);
  CAF_CHECK_EQUAL(hangs.front().first, analyzers.back().id());
  CAF_CHECK(hangs.front().second == 700ms);
  CAF_CHECK_EQUAL(count.value(counter::faults_made), 3u);
}

CAF_TEST(an actor without a pulse for ten seconds is replaced and one that is slow is not) {
  hang(analyzers.back());
  look_after();
  pass_others(6s);
  CAF_CHECK_EQUAL(analyzers.size(), 1u);
  wake();
  for (int i = 0; i < 5; ++i) {
    look_after();
    pass_others(3s);
  }
  CAF_CHECK_EQUAL(analyzers.size(), 1u);
  hang(analyzers.back());
  until_ended();
  CAF_CHECK_EQUAL(analyzers.size(), 2u);
  CAF_CHECK_EQUAL(restarts("analyzer", "deadline"), 1u);
  CAF_CHECK(figures.read(where.now()).age_max >= 10s);
  // The old one ends as soon as it can.
  wake();
  CAF_CHECK(entry("analyzer").queue_age.has_value());
  CAF_CHECK_EQUAL(analyzers.size(), 2u);
}

CAF_TEST(a session that waits for its store has a pulse) {
  put_item put;
  put.value.id = "in_1";
  put.value.text = "words";
  const auto stored = ask<accepted>(std::move(put));
  CAF_REQUIRE(!journal.waiting.empty());
  for (int i = 0; i < 4; ++i) {
    caf::anon_send(caf::actor_cast<caf::actor>(supervisor), pulse_atom::value);
    sched.run();
    sched.advance_time(3s);
    sched.run();
  }
  CAF_CHECK_EQUAL(sessions.size(), 1u);
  CAF_CHECK_EQUAL(count.value(counter::actors_hung), 0u);
  settle();
  CAF_CHECK(stored->value);
}

CAF_TEST(a session that hangs is replaced and who had asked for it is told at once) {
  bool told = false;
  const auto visitor = keep(sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->set_down_handler(
      [&](const caf::down_msg& down) { told = told || down.source == sessions.front().address(); });
    self->request(supervisor, 3600s, find_session{.app = app, .id = "sess_1"})
      .then([self](const session_actor& found) { self->monitor(found); }, [](const caf::error&) {});
    return {[](int) {}};
  }));
  sched.run();
  const auto old = sessions.front();
  hang(caf::actor_cast<caf::actor>(old));
  until_ended();
  CAF_CHECK(told);
  CAF_REQUIRE_EQUAL(sessions.size(), 2u);
  // The new one serves while the old one still hangs, and after it has come back.
  session = sessions.back();
  bool stored = false;
  const auto writer = keep(sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    put_item put;
    put.value.id = "in_1";
    put.value.text = "words";
    self->request(session, 3600s, put)
      .then([&](const accepted&) { stored = true; }, [](const caf::error&) {});
    return {[](int) {}};
  }));
  settle_others();
  CAF_CHECK(stored);
  wake();
  settle();
  CAF_CHECK(ask<accepted>(get_item{"in_1"})->value);
  CAF_CHECK_EQUAL(sessions.size(), 2u);
}

CAF_TEST(a runner that was given up and joins late does not displace its successor) {
  CAF_REQUIRE_EQUAL(runners.size(), 1u);
  hang(caf::actor_cast<caf::actor>(runners.front()));
  until_ended();
  CAF_REQUIRE_EQUAL(runners.size(), 2u);
  tell(session, join_runner{runners.front()});
  wake();
  // It has ended by now; had it been taken, the session would be without a runner.
  type("in_1");
  CAF_REQUIRE_EQUAL(ran.runs.size(), 1u);
  CAF_CHECK_EQUAL(run().response, "resp_in_1");
}

CAF_TEST(visitors are told of a restart at most once a minute) {
  order("analyzer", fault_kind::crash);
  CAF_REQUIRE_EQUAL(notices.size(), 1u);
  CAF_CHECK_EQUAL(notices.front().code, "agent_restarted");
  CAF_CHECK_EQUAL(notices.front().level, "info");
  CAF_CHECK(notices.front().text.starts_with("One moment:"));
  pass_others(20s);
  order("analyzer", fault_kind::crash);
  CAF_CHECK_EQUAL(analyzers.size(), 3u);
  CAF_CHECK_EQUAL(notices.size(), 1u);
  pass_others(60s);
  order("analyzer", fault_kind::crash);
  CAF_CHECK_EQUAL(notices.size(), 2u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(late_voice_tests, fixture)

CAF_TEST(a voice actor that was given up and joins late does not displace its successor) {
  begin();
  me = new_holder(notes);
  CAF_REQUIRE(take(me)->value);
  const auto seat = kept.started.back().seat;
  tts_notes old_said;
  const auto old = keep(sys.spawn(voice, &old_said));
  tts = keep(sys.spawn(voice, &said));
  tell(session, join_voice{seat, tts});
  tell(session, join_voice{seat, old});
  type("in_1");
  CAF_CHECK_EQUAL(said.opened.size(), 1u);
  CAF_CHECK(old_said.opened.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
