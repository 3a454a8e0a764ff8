#include "tests/deciders/turn_talk.hpp"

using namespace sidevoice;
using namespace sidevoice::turn_talk;

TEST_CASE("half a second of voice interrupts, and not before") {
  talk t;
  CHECK(t.begin("u1", heard()).empty());
  CHECK(t.turns.is_open());
  REQUIRE(t.turns.next());
  CHECK(*t.turns.next() == t.now + 500ms);
  CHECK(t.after(499ms).empty());
  const auto done = t.after(1ms);
  CHECK(only<break_off>(done).playing.item == "item_a");
  CHECK(only<break_off>(done).playing.heard_text == 18);
  CHECK_FALSE(t.turns.next());
  CHECK(t.after(10s).empty());
}

TEST_CASE("voice before a pause counts towards the half second") {
  talk t;
  t.begin("u1", heard());
  t.pause("u1", 300);
  CHECK_FALSE(t.turns.next());
  t.edge(edge_kind::resumed, "u1", 300, heard());
  REQUIRE(t.turns.next());
  CHECK(*t.turns.next() == t.now + 200ms);
  CHECK(count<break_off>(t.after(200ms)) == 1);
}

TEST_CASE("words interrupt earlier, those that mean go on do not") {
  talk t;
  t.begin("u1", heard());
  CHECK(t.partial("u1", "Mhm").empty());
  CHECK(t.partial("u1", " ...").empty());
  CHECK(only<break_off>(t.partial("u1", "Mhm, wait")).playing.item == "item_a");
  CHECK(t.partial("u1", "Mhm, wait a moment").empty());
}

TEST_CASE("words while nothing is audible interrupt nothing before the turn is over") {
  talk t;
  t.begin("u1");
  CHECK(t.partial("u1", "We move on").empty());
  CHECK(t.after(10s).empty());
}

TEST_CASE("a cough is dropped, and what was held goes on") {
  talk t;
  t.begin("u1", heard());
  CHECK(only<let_go_on>(t.pause("u1", 90)).item == "item_a");
  const auto over = t.end("u1", 90);
  CHECK(only<drop_noise>(over).utterance == "u1");
  CHECK(count<let_go_on>(over) == 0);
  CHECK(count<take_turn>(over) == 0);
  actions rest;
  CHECK(t.turns.on_settled("u1", rest) == std::vector<std::string>{"u1"});
  CHECK(rest.empty());
  CHECK_FALSE(t.turns.is_open());
}

TEST_CASE("a cough that ends without a pause releases with its end") {
  talk t;
  t.begin("u1", heard());
  const auto over = t.end("u1", 199);
  CHECK(count<let_go_on>(over) == 1);
  CHECK(count<drop_noise>(over) == 1);
}

TEST_CASE("an mhm under an answer is stored, releases it and asks for nothing") {
  talk t;
  const auto done = t.say("u1", 300, " Mhm. ", heard());
  CHECK(only<let_go_on>(done).item == "item_a");
  CHECK(count<break_off>(done) == 0);
  const auto& words = only<take_words>(done);
  CHECK(words.text == " Mhm. ");
  CHECK(words.reason.empty());
  CHECK_FALSE(words.answer);
}

TEST_CASE("an mhm that nobody speaks over is an answer") {
  talk t;
  const auto done = t.say("u1", 300, "Mhm.");
  CHECK(only<take_words>(done).answer);
  CHECK(count<let_go_on>(done) == 0);
}

TEST_CASE("an mhm of more than half a second has interrupted, and is answered") {
  talk t;
  t.begin("u1", heard());
  t.after(500ms);
  t.end("u1", 700);
  t.commit("u1");
  CHECK(only<take_words>(t.words("u1", "Mhm")).answer);
}

TEST_CASE("words after a short voice interrupt where it was audible") {
  talk t;
  const auto done = t.say("u1", 300, "No, stop", heard());
  CHECK(only<break_off>(done).playing.played_ms == 1200);
  CHECK(only<take_words>(done).answer);
  CHECK(only<take_words>(done).playing.item == "item_a");
}

TEST_CASE("words mean go on whatever their case, punctuation and number") {
  const barge_in_settings barge_in;
  for (const auto* text : {"mhm", "Mhm.", "MHM, mhm!", " okay ", "uh-huh, yeah", "Uh huh. Right.",
                           "mm-hmm mm", "Mhm…", "“Okay”"})
    CHECK_MESSAGE(turn_taking::is_backchannel(text, barge_in.ignore), text);
  for (const auto* text : {"", " ", "…", "okay but", "mhmm", "rightly so", "no", "uh"})
    CHECK_MESSAGE(!turn_taking::is_backchannel(text, barge_in.ignore), text);
  CHECK(turn_taking::is_backchannel("ÄHM, ja!", {"Ähm", "ja"}));
  CHECK(turn_taking::is_backchannel("Ага", {"ага"}));
  CHECK(turn_taking::is_backchannel("ΝΑΙ", {"ναι"}));
  CHECK_FALSE(turn_taking::is_backchannel("mhm", {}));
  CHECK_FALSE(turn_taking::is_backchannel("mhm \xFF\xC3", {"mhm", ""}));
}

TEST_CASE("speech without words is nothing, and what was held goes on") {
  talk t;
  for (const auto* text : {"", " \n", "...", "…"}) {
    CAPTURE(text);
    const auto done = t.say("u1", 300, text, heard());
    CHECK(only<take_words>(done).reason == "nothing");
    CHECK(only<take_words>(done).text.empty());
    CHECK_FALSE(only<take_words>(done).answer);
    CHECK(count<let_go_on>(done) == 1);
    actions rest;
    t.turns.on_settled("u1", rest);
  }
}

TEST_CASE("several utterances are open at once, and each keeps its place") {
  talk t;
  t.begin("u1");
  const auto first = t.end("u1", 900);
  CHECK(only<take_turn>(first).utterance == "u1");
  CHECK(only<take_turn>(first).from_ms == 1000);
  CHECK(only<take_turn>(first).to_ms == 2400);
  CHECK(only<take_turn>(first).stream == "mic");
  CHECK(only<take_turn>(first).why.why == "silence");
  CHECK(only<take_turn>(first).why.silence_ms == 500);
  t.begin("u2");
  CHECK(t.turns.is_open());
  // The words of the second come before the first is in the journal.
  t.end("u2", 800);
  t.commit("u2");
  CHECK(only<take_words>(t.words("u2", "and to Bonn")).utterance == "u2");
  CHECK(t.words("u1", "from Graz").empty());
  CHECK(only<take_words>(t.commit("u1")).utterance == "u1");
  actions rest;
  CHECK(t.turns.on_settled("u2", rest).size() == 1);
  CHECK(t.turns.on_settled("u1", rest).size() == 1);
  CHECK(t.turns.on_settled("u1", rest).empty());
}

TEST_CASE("an answer that two voices hold goes on when both are gone") {
  talk t;
  t.begin("u1", heard());
  t.end("u1", 250);
  t.commit("u1");
  t.begin("u2", heard());
  CHECK(count<let_go_on>(t.words("u1", "")) == 0);
  const auto last = t.end("u2", 100);
  CHECK(only<let_go_on>(last).item == "item_a");
}

TEST_CASE("an answer is broken off once, whoever does it") {
  talk t;
  t.begin("u1", heard());
  t.end("u1", 300);
  t.begin("u2", heard());
  CHECK(count<break_off>(t.after(500ms)) == 1);
  t.commit("u1");
  CHECK(count<break_off>(t.words("u1", "wait")) == 0);
}

TEST_CASE("without resume_after_false any voice interrupts") {
  talk t;
  t.with([](auto& s) { s.barge_in.resume_after_false = false; });
  CHECK(count<break_off>(t.begin("u1", heard())) == 1);
  const auto over = t.end("u1", 60);
  CHECK(count<drop_noise>(over) == 1);
  CHECK(count<let_go_on>(over) == 0);
}

TEST_CASE("a client that flushes by itself is interrupted at once, and no noise is dropped") {
  talk t;
  t.with([](auto& s) { s.interrupts_at_once = true; });
  CHECK(count<break_off>(t.begin("u1", heard())) == 1);
  const auto over = t.end("u1", 60);
  CHECK(count<take_turn>(over) == 1);
  CHECK(count<drop_noise>(over) == 0);
}

TEST_CASE("where speech may not interrupt, the answer goes on and the words are answered") {
  talk t;
  t.with([](auto& s) { s.turns.interrupt_response = false; });
  CHECK(only<let_go_on>(t.begin("u1", heard())).item == "item_a");
  CHECK(t.after(2s).empty());
  CHECK(count<break_off>(t.partial("u1", "and the piano")) == 0);
  t.end("u1", 2000);
  t.commit("u1");
  const auto done = t.words("u1", "and the piano");
  CHECK(count<break_off>(done) == 0);
  CHECK(only<take_words>(done).answer);
}

TEST_CASE("without create_response words are stored and ask for nothing") {
  talk t;
  t.with([](auto& s) { s.turns.create_response = false; });
  const auto done = t.say("u1", 900, "We move on");
  CHECK_FALSE(only<take_words>(done).answer);
  CHECK(only<take_words>(done).reason.empty());
}

TEST_CASE("what a client commits is a turn, however short, and asks for no answer") {
  talk t;
  t.with([](auto& s) { s.turns.mode = turn_mode::manual; });
  const auto over = t.edge(edge_kind::ended, "u1", 0, {}, 0, true);
  CHECK(only<take_turn>(over).why.why == "manual");
  t.commit("u1");
  CHECK_FALSE(only<take_words>(t.words("u1", "Yes")).answer);
}

TEST_CASE("a committed mhm under an answer is what the client says it is") {
  talk t;
  t.with([](auto& s) { s.turns.mode = turn_mode::manual; });
  t.begin("u1", heard());
  t.edge(edge_kind::ended, "u1", 300, {}, 0, true);
  t.commit("u1");
  CHECK(count<break_off>(t.words("u1", "mhm")) == 1);
}

TEST_CASE("speech that the session knows already is dropped, and releases what it held") {
  talk t;
  t.begin("u1", heard());
  t.end("u1", 300);
  const auto known = t.turns.on_committed("u1", {"u1", true}, t.now);
  CHECK(only<drop_noise>(known).utterance == "u1");
  CHECK(count<let_go_on>(known) == 1);
}

TEST_CASE("speech heard again goes under the item it had, and settles with it") {
  talk t;
  t.begin("u2");
  t.end("u2", 900);
  CHECK(t.turns.on_committed("u2", {"u1", false}, t.now).empty());
  CHECK(only<take_words>(t.words("u2", "In March")).utterance == "u1");
  actions rest;
  CHECK(t.turns.on_settled("u1", rest) == std::vector<std::string>{"u2"});
}

TEST_CASE("deleting speech whose words are awaited releases what it held") {
  talk t;
  t.begin("u1", heard());
  t.end("u1", 300);
  t.commit("u1");
  actions rest;
  CHECK(t.turns.on_settled("u1", rest).size() == 1);
  CHECK(only<let_go_on>(rest).item == "item_a");
  CHECK(t.words("u1", "too late").empty());
}

TEST_CASE("what is not known is ignored") {
  talk t;
  CHECK(t.commit("u1").empty());
  CHECK(t.words("u1", "x").empty());
  CHECK(t.partial("u1", "x").empty());
  CHECK_FALSE(t.turns.next());
  CHECK_FALSE(t.turns.is_open());
}

TEST_CASE("an end that comes twice is one turn") {
  talk t;
  t.begin("u1");
  CHECK(count<take_turn>(t.end("u1", 900)) == 1);
  CHECK(t.end("u1", 900).empty());
  t.commit("u1");
  CHECK(t.end("u1", 900).empty());
}

TEST_CASE("utterances without words are bounded, and the oldest lets go of what it held") {
  talk t;
  t.begin("u0", heard());
  t.end("u0", 300);
  actions all;
  for (int i = 1; i <= 40; ++i) {
    const auto id = "u" + std::to_string(i);
    const auto begun = t.begin(id);
    all.insert(all.end(), begun.begin(), begun.end());
    t.end(id, 900);
    t.commit(id);
  }
  CHECK(only<let_go_on>(all).item == "item_a");
  CHECK(t.commit("u0").empty());
  CHECK(t.words("u8", "gone").empty());
  CHECK(count<take_words>(t.words("u9", "here")) == 1);
}
