#define CAF_SUITE voice_actors

#include "actors/analyzer.hpp"
#include "actors/audio.hpp"
#include "tests/actors/voice_fixture.hpp"

/// Turn taking as an actor on a real session, and who hears of spoken words.

using namespace voice_fixture;

namespace {

/// A session whose seat has its turn taking.
struct turn_taker : fixture {
  turn_taker() {
    begin();
  }

  void start(seat_terms terms = {}) {
    sit(std::move(terms));
    audio =
      keep(spawn_audio(sys, parts, {.app = app, .id = "sess_1"}, session, kept.started.back()));
    settle();
  }

  void edge(edge_kind kind, const std::string& id, std::uint32_t voiced, playout_point at = {}) {
    speech_edge e;
    e.kind = kind;
    e.utterance = id;
    e.stream = "mic";
    e.from_ms = from;
    e.at_ms = from + voiced + 500;
    e.voiced_ms = voiced;
    e.silence_ms = kind == edge_kind::ended ? 500 : 0;
    e.playing = std::move(at);
    tell(audio, e);
    if (kind == edge_kind::ended)
      from += 10'000;
  }
  /// An utterance up to its words.
  void say(const std::string& id, const std::string& text, playout_point at = {},
           std::uint32_t voiced = 400) {
    edge(edge_kind::begun, id, 0, std::move(at));
    edge(edge_kind::ended, id, voiced);
    settle();
    tell(audio, utterance_text{id, text, true, false});
    settle();
  }
  void report(playout_point point, bool sent, bool played) {
    playout_report r;
    r.point = std::move(point);
    r.sent_all = r.played_all = false;
    r.first_sent = sent;
    r.first_played = played;
    tell(audio, r);
    tell(session, r);
    settle();
  }
  /// The newest answer is heard from its first sound to its last.
  void hear_answer(const std::string& text) {
    answer({text});
    report(heard(1, 10), true, true);
    done();
    playout_report end;
    end.point = heard(text.size(), 700);
    end.sent_all = end.played_all = true;
    tell(session, end);
    settle();
    tell(audio, end);
    settle();
  }

  audio_actor audio;
  std::uint64_t from = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(audio_tests, turn_taker)

CAF_TEST(an utterance becomes an item and its words ask for an answer) {
  start();
  CAF_CHECK_EQUAL(notes.teams.size(), 1u);
  edge(edge_kind::begun, "in_1", 0);
  edge(edge_kind::ended, "in_1", 900);
  CAF_REQUIRE(notes.turns.size() == 1);
  CAF_CHECK_EQUAL(notes.turns[0].why, "silence");
  settle();
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  CAF_CHECK(notes.settled.empty());
  tell(audio, utterance_text{"in_1", "in March", true, false});
  CAF_CHECK(notes.settled.empty());
  settle();
  // Its sound need not be kept once the words are durable, and not before.
  CAF_REQUIRE(notes.settled.size() == 1);
  CAF_CHECK_EQUAL(notes.settled[0].utterance, "in_1");
  CAF_CHECK(!notes.settled[0].dropped);
  CAF_CHECK_EQUAL(item_of("in_1").text, "in March");
  CAF_CHECK(run().view->find_response(run().response)->cause == std::vector<std::string>{"in_1"});
}

CAF_TEST(a commit that the store refused is sent again) {
  start();
  edge(edge_kind::begun, "in_1", 0);
  edge(edge_kind::ended, "in_1", 900);
  turn(errc::unavailable);
  CAF_CHECK(view()->find_speech("in_1") == nullptr);
  for (int i = 0; i < 10 && view()->find_speech("in_1") == nullptr; ++i) {
    pass(400ms);
    settle();
  }
  CAF_CHECK(view()->find_speech("in_1") != nullptr);
  // And so are words.
  tell(audio, utterance_text{"in_1", "in March", true, false});
  turn(errc::unavailable);
  CAF_CHECK(notes.settled.empty());
  for (int i = 0; i < 10 && notes.settled.empty(); ++i) {
    pass(400ms);
    settle();
  }
  CAF_CHECK_EQUAL(item_of("in_1").text, "in March");
  // The answer that was begun ahead of the refused append has been called off.
  CAF_REQUIRE(ran.runs.size() == 2);
  CAF_CHECK(ran.cancelled == std::vector<std::string>{ran.runs[0].item});
  CAF_CHECK(view()->running()->item == ran.runs[1].item);
}

CAF_TEST(a turn waits for the one before that the store refused) {
  start();
  edge(edge_kind::begun, "in_1", 0);
  edge(edge_kind::ended, "in_1", 900);
  edge(edge_kind::begun, "in_2", 0);
  edge(edge_kind::ended, "in_2", 700);
  turn(errc::unavailable);
  settle();
  CAF_CHECK(view()->open_speech.empty());
  for (int i = 0; i < 10 && view()->find_speech("in_1") == nullptr; ++i) {
    pass(400ms);
    turn();
  }
  settle();
  const auto now = view();
  CAF_REQUIRE(now->open_speech.size() == 2);
  CAF_CHECK_EQUAL(now->open_speech[0].item, "in_1");
  CAF_CHECK_EQUAL(now->open_speech[1].item, "in_2");
}

CAF_TEST(a cough leaves nothing and lets the answer go on) {
  start();
  type("in_0");
  answer({"Good morning. "});
  edge(edge_kind::begun, "in_1", 0, heard(5, 300));
  edge(edge_kind::ended, "in_1", 80);
  settle();
  CAF_REQUIRE(notes.settled.size() == 1);
  CAF_CHECK(notes.settled[0].dropped);
  CAF_REQUIRE(notes.orders.size() == 1);
  CAF_CHECK(notes.orders[0].what == playout_command::release);
  CAF_CHECK(view()->find_item("in_1") == nullptr);
  CAF_CHECK_EQUAL(count.value(counter::utterances_dropped), 1u);
}

CAF_TEST(half a second of voice drops the answer where it was heard) {
  start();
  type("in_0");
  answer({"Good morning. ", "We come at eight."});
  const auto item = run().item;
  edge(edge_kind::begun, "in_1", 0, heard(14, 900));
  CAF_CHECK(notes.orders.empty());
  pass(500ms);
  settle();
  CAF_REQUIRE(notes.orders.size() == 1);
  CAF_CHECK(notes.orders[0].what == playout_command::drop);
  CAF_CHECK_EQUAL(notes.orders[0].item, item);
  CAF_CHECK_EQUAL(item_of(item).text, "Good morning. ");
  CAF_CHECK_EQUAL(closed("resp_in_0").reason, "turn_detected");
}

CAF_TEST(an mhm under an answer is kept and the answer goes on) {
  start();
  type("in_0");
  answer({"Good morning. "});
  say("in_1", "Mhm.", heard(5, 300), 300);
  CAF_REQUIRE(notes.orders.size() == 1);
  CAF_CHECK(notes.orders[0].what == playout_command::release);
  CAF_CHECK_EQUAL(item_of("in_1").text, "Mhm.");
  CAF_CHECK_EQUAL(ran.runs.size(), 1u);
  CAF_CHECK(ran.cancelled.empty());
}

CAF_TEST(speech that is deleted while its words are awaited lets the answer go on) {
  start();
  type("in_0");
  answer({"Good morning. "});
  edge(edge_kind::begun, "in_1", 0, heard(5, 300));
  edge(edge_kind::ended, "in_1", 300);
  settle();
  CAF_CHECK(notes.orders.empty());
  command(remove_item{"in_1"});
  CAF_REQUIRE(notes.orders.size() == 1);
  CAF_CHECK(notes.orders[0].what == playout_command::release);
  CAF_CHECK_EQUAL(notes.settled.size(), 1u);
}

CAF_TEST(an answer that is late is filled for once) {
  start();
  say("in_1", "in March");
  CAF_CHECK(said.fillers.empty());
  pass(2500ms);
  CAF_REQUIRE(said.fillers.size() == 1);
  CAF_CHECK_EQUAL(said.fillers[0].text, "One moment.");
  pass(10s);
  CAF_CHECK_EQUAL(said.fillers.size(), 1u);
  CAF_CHECK_EQUAL(count.value(counter::dead_air), 1u);
}

CAF_TEST(a silent visitor is prompted twice and then left alone) {
  start();
  say("in_1", "in March");
  hear_answer("Noted.");
  for (int i = 0; i < 2; ++i) {
    pass(20s);
    settle();
    CAF_CHECK_EQUAL(ran.runs.size(), 2u + static_cast<std::size_t>(i));
    CAF_CHECK_EQUAL(run().say, "Are you there?");
    hear_answer("Are you there?");
  }
  pass(200s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 3u);
  CAF_CHECK(said.fillers.empty());
}

CAF_TEST(a prompt without words of the app is no turn of the visitor) {
  app->voice.visitor_silent->say.clear();
  start();
  say("in_1", "in March");
  hear_answer("Noted.");
  for (int i = 0; i < 2; ++i) {
    pass(20s);
    settle();
    CAF_CHECK(run().say.empty());
    hear_answer("Anything else?");
  }
  pass(200s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 3u);
  CAF_CHECK(said.fillers.empty());
}

CAF_TEST(the model speaks up once in a silence) {
  app->voice.visitor_silent.reset();
  seat_terms terms;
  terms.turns.idle_timeout = 5000ms;
  start(terms);
  say("in_1", "in March");
  hear_answer("Noted.");
  pass(5s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 2u);
  hear_answer("Anything else?");
  pass(100s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 2u);
  say("in_2", "No");
  hear_answer("Fine.");
  pass(5s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 4u);
}

CAF_TEST(a cough does not end a silence) {
  start();
  say("in_1", "in March");
  hear_answer("Noted.");
  pass(10s);
  edge(edge_kind::begun, "in_2", 0);
  edge(edge_kind::ended, "in_2", 50);
  pass(10s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 2u);
}

CAF_TEST(an answer that is played before its end is durable is followed by silence all the same) {
  start();
  say("in_1", "in March");
  answer({"Noted."});
  report(heard(1, 10), true, true);
  done();
  playout_report end;
  end.point = heard(6, 700);
  end.sent_all = end.played_all = true;
  tell(session, end);
  tell(audio, end);
  settle();
  pass(20s);
  settle();
  CAF_CHECK_EQUAL(ran.runs.size(), 2u);
}

CAF_TEST(a spoken turn is measured when its first sound is played) {
  start();
  edge(edge_kind::begun, "in_1", 0);
  edge(edge_kind::ended, "in_1", 900);
  settle();
  pass(300ms);
  tell(audio, utterance_text{"in_1", "in March", true, false});
  settle();
  pass(200ms);
  answer({"Noted."});
  const auto before = view()->head;
  pass(100ms);
  report(heard(1, 10), true, false);
  CAF_CHECK_EQUAL(view()->head, before);
  pass(50ms);
  report(heard(1, 10), false, true);
  CAF_CHECK_EQUAL(view()->head, before + 1);
  CAF_CHECK_EQUAL(count.value(counter::turns_measured), 1u);
}

CAF_TEST(spoken words are analyzed once they are known) {
  app->topics = {{.id = "day", .label = "Day", .required = true}};
  app->analyzer_models = {{"counted", "", "{}"}};
  auto live = std::make_shared<live_settings>();
  live->vendors["counted"] = {};
  app_registry apps{{{"app", app_entry{.stable = app, .preview = {}, .live = live}}}};
  parts.apps = &apps;
  int asked = 0;
  providers.add_llm("counted", [&asked](const provider_context&, const json_text&) {
    ++asked;
    return result<std::unique_ptr<llm_provider>>{
      error{errc::unavailable, "counted, and nothing else", {}, "counted"}};
  });
  keep(spawn_analyzer(sys, parts, session, "sess_1"));
  settle();
  commit("in_1");
  settle();
  CAF_CHECK_EQUAL(asked, 0);
  words("in_1", "in March", false);
  CAF_CHECK_EQUAL(asked, 1);
  commit("in_2", 2000, 3000);
  settle();
  words("in_2", "", false, {}, "nothing");
  CAF_CHECK_EQUAL(asked, 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
