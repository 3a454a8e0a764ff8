#define CAF_SUITE session_drain

#include "tests/actors/voice_fixture.hpp"

/// A session leaves its node at the end of a turn, or when the patience is over.

using namespace voice_fixture;

namespace {

/// What a client of the session was told, in its order.
struct client_notes {
  std::vector<std::string> said;
  std::vector<std::chrono::milliseconds> moves;
};

listener_actor::behavior_type client(listener_actor::pointer, client_notes* n) {
  return {[=](const published& batch) {
            for (const auto& e : batch.events)
              if (std::holds_alternative<response_done>(e->body))
                n->said.emplace_back("done");
          },
          [=](const answer_delta& piece) { n->said.push_back(piece.text); },
          [](const notice&) {},
          [=](const move_away& where) {
            n->said.emplace_back("move");
            n->moves.push_back(where.reconnect_in);
          },
          [](const tool_call&) {},
          [](const tool_cancelled&) {}};
}

struct drain_fixture : voice_session {
  drain_fixture() {
    app->tools = {{.name = "look_up", .kind = tool_kind::webhook}};
    app->conversation_tools = {"look_up"};
    app->conversation_tools = {"look_up"};
    page = join(told);
  }

  listener_actor join(client_notes& into) {
    const auto who = keep(sys.spawn(client, &into));
    CAF_REQUIRE(ask<attached>(attach{who, 0, true, true})->value);
    return who;
  }

  void drain(std::chrono::milliseconds patience = 10s) {
    tell(session, drain_session{patience});
    settle();
  }

  [[nodiscard]] std::uint64_t counted(counter which) const {
    return count.value(which);
  }

  client_notes told;
  listener_actor page;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(session_drain_tests, drain_fixture)

CAF_TEST(a session without work sends its clients away at once and counts itself once) {
  client_notes other;
  join(other);
  drain();
  drain();
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
  CAF_CHECK_EQUAL(other.moves.size(), 1u);
  CAF_CHECK(told.moves[0] < 1s);
  pass(11s);
  CAF_CHECK_EQUAL(counted(counter::sessions_drained), 1u);
  CAF_CHECK_EQUAL(counted(counter::drains_overdue), 0u);
}

CAF_TEST(a session without clients counts itself as well) {
  caf::anon_send_exit(page, caf::exit_reason::kill);
  sched.run();
  drain();
  CAF_CHECK_EQUAL(counted(counter::sessions_drained), 1u);
}

CAF_TEST(an answer under way ends whole before its clients are sent away) {
  type("in_1");
  answer({"Good morning. "});
  drain();
  CAF_CHECK(told.moves.empty());
  answer({"We come at eight."});
  CAF_CHECK(told.moves.empty());
  done();
  CAF_CHECK(closed("resp_in_1").status == response_status::completed);
  CAF_REQUIRE(told.said.size() >= 2);
  CAF_CHECK_EQUAL(told.said.back(), "move");
  CAF_CHECK_EQUAL(told.said[told.said.size() - 2], "done");
  CAF_CHECK_EQUAL(counted(counter::sessions_drained), 1u);
}

CAF_TEST(nobody is sent away before the end of the answer is durable) {
  type("in_1");
  answer({"Good morning."});
  drain();
  answer_done end;
  end.response = run().response;
  end.run = run().item;
  tell(session, std::move(end));
  CAF_CHECK(told.moves.empty());
  settle();
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
}

CAF_TEST(
  an input that comes while the turn ends is journaled and its answer is left to the next owner) {
  type("in_1");
  answer({"Good morning. "});
  drain();
  const auto runs = ran.runs.size();
  // It interrupts, as it does on any other day.
  type("in_2");
  CAF_CHECK_EQUAL(ran.runs.size(), runs);
  CAF_CHECK(closed("resp_in_1").status == response_status::cancelled);
  const auto now = view();
  const auto* waits = now->find_response("resp_in_2");
  CAF_REQUIRE(waits != nullptr);
  CAF_CHECK(waits->phase == response_phase::requested);
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
  // The runner's return changes nothing of that.
  tell(session, join_runner{keep(sys.spawn(voice_fixture::runner, &ran))});
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), runs);
}

CAF_TEST(an answer whose runner dies meanwhile is run again and not left half way) {
  type("in_1");
  drain();
  const auto runs = ran.runs.size();
  tell(session, join_runner{keep(sys.spawn(voice_fixture::runner, &ran))});
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), runs + 1);
  CAF_CHECK(told.moves.empty());
  answer({"Good morning."});
  done();
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
}

CAF_TEST(the calls of an answer end first and what follows from them is left to the next owner) {
  type("in_1");
  drain();
  answer_done end;
  end.response = run().response;
  end.run = run().item;
  end.calls = {{.id = "item_call",
                .kind = item_kind::function_call,
                .call_id = "call_1",
                .name = "look_up",
                .arguments = "{}",
                .response = run().response}};
  tell(session, std::move(end));
  settle();
  CAF_REQUIRE(view()->find_call("call_1") != nullptr);
  CAF_CHECK(told.moves.empty());
  const auto runs = ran.runs.size();
  tell(session, call_done{"call_1", 1, "ok", "\"found\""});
  settle();
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
  CAF_CHECK_EQUAL(ran.runs.size(), runs);
  CAF_CHECK_EQUAL(view()->open_responses.size(), 1u);
}

CAF_TEST(after the patience clients are sent away in the middle of the answer) {
  type("in_1");
  answer({"Good morning. "});
  drain(3s);
  pass(2900ms);
  CAF_CHECK(told.moves.empty());
  pass(200ms);
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
  CAF_CHECK_EQUAL(counted(counter::drains_overdue), 1u);
  CAF_CHECK(view()->running() != nullptr);
  done();
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
  CAF_CHECK_EQUAL(counted(counter::sessions_drained), 0u);
}

CAF_TEST(a spoken answer is heard to its end) {
  sit();
  type("in_1");
  answer({"Good morning."});
  drain();
  done();
  CAF_CHECK(told.moves.empty());
  // All of it was sent, 700 ms ahead of the loudspeaker.
  playout_report report;
  report.point = {.item = run().item, .sent_ms = 1500, .played_ms = 800, .heard_text = 8};
  report.sent_all = true;
  tell(session, report);
  settle();
  CAF_CHECK(closed("resp_in_1").status == response_status::completed);
  CAF_CHECK(told.moves.empty());
  pass(650ms);
  CAF_CHECK(told.moves.empty());
  pass(100ms);
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
}

CAF_TEST(speech whose words are on their way is waited for) {
  sit();
  const auto spoken = commit("said_1");
  settle();
  CAF_REQUIRE(spoken->value);
  drain();
  CAF_CHECK(told.moves.empty());
  const auto runs = ran.runs.size();
  words("said_1", "We move on Monday.", true);
  CAF_CHECK_EQUAL(item_of("said_1").text, "We move on Monday.");
  CAF_CHECK_EQUAL(ran.runs.size(), runs);
  CAF_CHECK_EQUAL(told.moves.size(), 1u);
}

CAF_TEST(who comes after the session has left is sent on) {
  drain();
  client_notes late;
  join(late);
  CAF_CHECK_EQUAL(late.moves.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
