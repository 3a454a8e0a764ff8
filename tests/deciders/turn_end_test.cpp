#include "tests/deciders/turn_talk.hpp"

/// When a turn is over, and when its words are.

using namespace sidevoice;
using namespace sidevoice::turn_talk;

TEST_CASE("a turn that ended at its greatest length says so") {
  talk t;
  t.begin("u1");
  CHECK(only<take_turn>(t.end("u1", 60'000, 0)).why.why == "limit");
}

TEST_CASE("in each pause the end-of-turn model is asked, where there is one") {
  talk t;
  t.with([](auto& s) { s.turns.mode = turn_mode::semantic; });
  t.begin("u1");
  CHECK(count<ask_model>(t.pause("u1", 900)) == 0);
  t.with([](auto& s) { s.has_model = true; });
  CHECK(only<ask_model>(t.pause("u1", 900)).utterance == "u1");
  CHECK(only<ask_model>(t.pause("u1", 900)).tail);
  CHECK(count<ask_model>(t.pause("u1", 900)) == 1);
  talk noise;
  noise.with([](auto& s) {
    s.turns.mode = turn_mode::semantic;
    s.has_model = true;
  });
  noise.begin("u1");
  CHECK(count<ask_model>(noise.pause("u1", 100)) == 0);
  talk silence;
  silence.with([](auto& s) { s.has_model = true; });
  silence.begin("u1");
  CHECK(count<ask_model>(silence.pause("u1", 900)) == 0);
}

TEST_CASE("the model's yes closes the turn, its no waits for the silence") {
  talk t;
  t.with([](auto& s) {
    s.turns.mode = turn_mode::semantic;
    s.has_model = true;
  });
  t.begin("u1");
  t.pause("u1", 900);
  CHECK(t.turns.on_model("u1", 0.5F, t.now).empty());
  const auto yes = t.turns.on_model("u1", 0.9F, t.now);
  CHECK(only<close_turn>(yes).why.utterance == "u1");
  CHECK(only<close_turn>(yes).why.probability == 0.9F);
  const auto over = t.end("u1", 900, 280);
  CHECK(only<take_turn>(over).why.why == "semantic");
  CHECK(only<take_turn>(over).why.probability == 0.9F);
  t.begin("u2");
  t.pause("u2", 900);
  t.turns.on_model("u2", 0.2F, t.now);
  CHECK(only<take_turn>(t.end("u2", 900, 1500)).why.why == "silence");
}

TEST_CASE("the model's word is too late once the visitor speaks on or the turn is over") {
  talk t;
  t.with([](auto& s) {
    s.turns.mode = turn_mode::semantic;
    s.has_model = true;
  });
  t.begin("u1");
  t.pause("u1", 900);
  t.edge(edge_kind::resumed, "u1", 900);
  CHECK(t.turns.on_model("u1", 0.99F, t.now).empty());
  t.pause("u1", 1800);
  CHECK(count<close_turn>(t.turns.on_model("u1", 0.99F, t.now)) == 1);
  // It spoke on before the connection could close the turn: that opinion is of yesterday.
  t.edge(edge_kind::resumed, "u1", 1800);
  CHECK(only<take_turn>(t.end("u1", 2500, 1500)).why.why == "silence");
  CHECK(t.turns.on_model("u1", 0.99F, t.now).empty());
  CHECK(t.turns.on_model("u9", 0.99F, t.now).empty());
}

TEST_CASE("overdue words are asked of another engine, and then given up as failed") {
  talk t;
  t.begin("u1");
  t.end("u1", 900);
  t.commit("u1");
  REQUIRE(t.turns.next());
  CHECK(*t.turns.next() == t.now + t.how.transcript);
  CHECK(t.after(t.how.transcript - 1ms).empty());
  CHECK(only<ask_other_engine>(t.after(1ms)).utterance == "u1");
  CHECK(*t.turns.next() == t.now + t.how.transcript);
  const auto over = t.after(t.how.transcript);
  CHECK(only<take_words>(over).reason == "failed");
  CHECK(only<take_words>(over).text.empty());
  CHECK(only<take_words>(over).answer);
  CHECK_FALSE(t.turns.next());
}

TEST_CASE("words that come from the other engine in time are words") {
  talk t;
  t.begin("u1");
  t.end("u1", 900);
  t.commit("u1");
  t.after(t.how.transcript);
  CHECK(only<take_words>(t.words("u1", "In March")).reason.empty());
  CHECK_FALSE(t.turns.next());
}

TEST_CASE("words that no engine could make out are asked for again, but not over an answer") {
  const auto fail = [](talk& t) { return t.turns.on_text({"u1", "", true, true}, t.now); };
  talk quiet;
  quiet.begin("u1");
  quiet.end("u1", 900);
  quiet.commit("u1");
  CHECK(only<take_words>(fail(quiet)).answer);
  talk under;
  under.begin("u1", heard());
  under.end("u1", 300);
  under.commit("u1");
  const auto unclear = fail(under);
  CHECK_FALSE(only<take_words>(unclear).answer);
  CHECK(count<let_go_on>(unclear) == 1);
  talk cut;
  cut.begin("u1", heard());
  cut.after(500ms);
  cut.end("u1", 900);
  cut.commit("u1");
  CHECK(only<take_words>(fail(cut)).answer);
  talk manual;
  manual.edge(edge_kind::ended, "u1", 900, {}, 0, true);
  manual.commit("u1");
  CHECK_FALSE(only<take_words>(fail(manual)).answer);
}
