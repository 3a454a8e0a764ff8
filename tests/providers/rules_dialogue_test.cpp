#include "providers/rules/speak.hpp"
#include "tests/providers/talk.hpp"

#include <cstdlib>
#include <iostream>

namespace sidevoice {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A visitor who answers what was asked, in the words given for the topic.
using answers = std::map<std::string, std::string>;

/// Plays until nothing is asked. Returns the topics in the order of asking.
std::vector<std::string> play(talk& t, const app_ptr& app, const answers& visitor) {
  std::vector<std::string> asked;
  auto said = t.answer();
  for (int turn = 0; turn < 40; ++turn) {
    const auto r = t.request(llm_purpose::converse);
    const auto now = rules::question_book{rules::board{r}}.find(said);
    if (std::getenv("SHOW_TALK") != nullptr)
      std::cout << "A: " << said << '\n';
    if (now.empty())
      break;
    const auto& topic = now.front();
    asked.push_back(topic.topic->id + (topic.kind == rules::step::read_back ? "?" : ""));
    const auto text = topic.kind == rules::step::read_back ? "yes" : visitor.at(topic.topic->id);
    if (std::getenv("SHOW_TALK") != nullptr)
      std::cout << "U: " << text << '\n';
    const auto before = said;
    said = t.say(text);
    CHECK(said != before);
  }
  CHECK(app != nullptr);
  return asked;
}

const answers plain = {{"name", "Anna Schmidt"},
                       {"from", "12 Elm Street, Leeds"},
                       {"to", "Berlin"},
                       {"date", "12 March"},
                       {"home", "a flat"},
                       {"floor", "the third"},
                       {"lift", "yes, there is one"},
                       {"fragile", "a piano and two mirrors"},
                       {"budget", "about 1,200 euros"},
                       {"email", "anna@example.com"},
                       {"inventory", "3 boxes in the kitchen, 2 in the bedroom"}};

void check_all(const talk& t) {
  CHECK(t.shown("name") == "Anna Schmidt");
  CHECK(t.shown("from") == "12 Elm Street, Leeds");
  CHECK(t.shown("to") == "Berlin");
  CHECK(t.shown("date") == "12 March 2027");
  CHECK(t.shown("home") == "flat");
  CHECK(t.shown("floor") == "3");
  CHECK(t.shown("lift") == "yes");
  CHECK(t.shown("fragile") == "piano, two mirrors");
  CHECK(t.shown("budget") == "EUR 1,200");
  CHECK(t.shown("email") == "anna@example.com");
  CHECK(t.status("email") == "confirmed");
  CHECK(t.shown("inventory") == "bedroom: 2, kitchen: 3");
  CHECK(t.open().empty());
}

std::shared_ptr<app_definition> without_greeting() {
  auto a = moving::app();
  a->greeting = "Hello and welcome.";
  return a;
}

} // namespace

TEST_CASE("a whole conversation fills every topic and asks for each once, in order") {
  const auto app = without_greeting();
  talk t{app};
  const auto asked = play(t, app, plain);
  CHECK(asked
        == std::vector<std::string>{"name", "from", "to", "date", "home", "floor", "lift",
                                    "fragile", "budget", "email", "email?", "inventory"});
  check_all(t);
  CHECK(has(t.history.back().text, "That is all I need, thank you!"));
  CHECK(has(t.history.back().text, "Home: flat"));
}

TEST_CASE("an analyzer that is behind never leads to a repeated question") {
  for (std::size_t lag = 1; lag <= 3; ++lag) {
    INFO("lag: ", lag);
    const auto app = without_greeting();
    talk t{app};
    t.lag = lag;
    const auto asked = play(t, app, plain);
    CHECK(std::set<std::string>(asked.begin(), asked.end()).size() == asked.size());
    CHECK(asked.size() == 12);
    for (std::size_t i = 0; i < lag; ++i)
      t.analyze();
    check_all(t);
  }
}

TEST_CASE("what is volunteered is not asked") {
  talk t{moving::app()};
  CHECK(has(t.answer(), "Where are you moving from, and when?"));
  const auto said = t.say(
    "Hi, I'm Anna Schmidt. From 12 Elm Street, Leeds to Berlin on 12 March. It's a flat on the "
    "third floor with a lift, and the budget is 1,200 euros.");
  CHECK(t.open() == std::vector<std::string>{"fragile", "email", "inventory"});
  CHECK(has(said, "fragile things"));
  CHECK_FALSE(has(said, "Which day"));
  for (const auto* topic : {"name", "from", "to", "date", "home", "floor", "lift", "budget"}) {
    INFO("topic: ", topic);
    CHECK(t.status(topic) == "answered");
  }
}

TEST_CASE("a greeting's question takes bare answers to both of its parts") {
  talk t{moving::app()};
  t.answer();
  t.say("Leeds, next Friday");
  CHECK(t.shown("from") == "Leeds");
  CHECK(t.shown("date") == "5 March 2027");
}

TEST_CASE("what was said before its question mattered is remembered") {
  talk t{moving::app()};
  t.answer();
  t.say("From Leeds, and we are on the third floor, no lift.");
  CHECK(t.status("floor") == "skipped");
  t.say("It's a flat");
  CHECK(t.shown("floor") == "3");
  CHECK(t.shown("lift") == "no");
}

TEST_CASE("what is declined before it is asked is not asked") {
  talk t{without_greeting()};
  t.answer();
  t.say("I'm Anna Schmidt, from Leeds to York, 12 March, a house, nothing fragile, and I have no "
        "budget");
  CHECK(t.status("fragile") == "skipped");
  CHECK(t.status("budget") == "skipped");
  CHECK(t.open() == std::vector<std::string>{"email", "inventory"});
}

TEST_CASE("a read-back is confirmed, replaced or emptied") {
  talk t{moving::app()};
  t.put("name", "answered", R"("Anna")");
  t.put("from", "answered", R"("Leeds")");
  t.put("to", "answered", R"("York")");
  t.put("date", "answered", R"("2027-03-12")");
  t.put("home", "answered", R"("house")");
  t.put("fragile", "skipped", "");
  t.put("budget", "skipped", "");
  t.add(llm_role::assistant, "What is your e-mail address?");
  CHECK(has(t.say("anna at example dot com"), "anna@example.com"));
  CHECK(t.status("email") == "answered");
  CHECK(has(t.say("no"), "e-mail"));
  CHECK(t.status("email") == "open");
  CHECK(has(t.say("anna.s@example.com"), "I have anna.s@example.com for E-mail. Is that right?"));
  const auto again = t.say("no, it's anna@example.org");
  CHECK(t.shown("email") == "anna@example.org");
  CHECK(t.status("email") == "answered");
  CHECK(has(again, "anna@example.org"));
  t.say("yes, that's right");
  CHECK(t.status("email") == "confirmed");
}

TEST_CASE("corrections reach the topic they mean") {
  struct correction {
    std::string text;
    std::string topic;
    std::string shown;
  };
  for (const auto& c :
       std::vector<correction>{{"Actually, make it 14 March", "date", "14 March 2027"},
                               {"No, I meant Tuesday", "date", "2 March 2027"},
                               {"change the date to 20 March please", "date", "20 March 2027"},
                               {"not Leeds but York", "from", "York"},
                               {"York, not Leeds", "from", "York"},
                               {"Sorry, from Bradford", "from", "Bradford"},
                               {"the moving day is 15 March", "date", "15 March 2027"},
                               {"Change my name to Bob Miller", "name", "Bob Miller"},
                               {"set the budget to 900", "budget", "EUR 900"},
                               {"20 March", "date", "20 March 2027"},
                               {"Can you change my name to Bob?", "name", "Bob"},
                               {"12 March is wrong, rather 16 March", "date", "16 March 2027"}}) {
    INFO("text: ", c.text);
    talk t{moving::app()};
    t.put("name", "answered", R"("Anna")");
    t.put("from", "answered", R"("Leeds")");
    t.put("to", "answered", R"("Berlin")");
    t.put("date", "answered", R"("2027-03-12")");
    t.put("budget", "answered", R"({"amount":1200,"currency":"EUR"})");
    t.add(llm_role::assistant, rules::questions(*moving::app()->find_topic("home")).front());
    const auto said = t.say(c.text);
    CHECK(t.shown(c.topic) == c.shown);
    CHECK(has(said, c.shown));
    CHECK(t.status("home") == "open");
    for (const auto* other : {"name", "from", "to", "date", "budget"})
      if (other != c.topic)
        CHECK(t.status(other) == "answered");
    CHECK(t.shown("to") == "Berlin");
  }
}

TEST_CASE("an optional topic is skipped, a required one is asked for with help") {
  talk t{without_greeting()};
  t.put("home", "answered", R"("house")");
  t.add(llm_role::assistant, rules::questions(*moving::app()->find_topic("budget")).front());
  t.say("I don't know");
  CHECK(t.status("budget") == "skipped");
  t.add(llm_role::assistant, rules::questions(*moving::app()->find_topic("name")).front());
  const auto said = t.say("I'd rather not say");
  CHECK(t.status("name") == "open");
  CHECK(has(said, "required") + has(said, "need") > 0);
}

TEST_CASE("an answer that is not understood gets help, each time in other words") {
  talk t{moving::app()};
  t.put("name", "answered", R"("Anna")");
  t.put("from", "answered", R"("Leeds")");
  t.put("to", "answered", R"("York")");
  t.add(llm_role::assistant, moving::app()->find_topic("date")->ask);
  std::vector<std::string> said;
  for (const auto* text : {"whenever it suits", "some time soon", "you tell me", "hm hm hm"})
    said.push_back(t.say(text));
  CHECK(has(said[0], "12 March"));
  CHECK(has(said[1], "12 March"));
  for (std::size_t i = 1; i < said.size(); ++i)
    CHECK(said[i] != said[i - 1]);
  CHECK(has(said[1] + said[2], "checklist"));
  // It goes on with something else before it asks for ever.
  CHECK(has(said[2] + said[3], "come back"));
}

TEST_CASE("a refused value is answered with the reason") {
  talk t{moving::app()};
  t.add(llm_role::assistant, moving::app()->find_topic("date")->ask);
  CHECK(has(t.say("12 March 2020"), "from today on"));
  CHECK(t.status("date") == "open");
}

TEST_CASE("questions about the conversation are answered and change nothing") {
  talk t{without_greeting()};
  t.answer();
  t.say("Anna Schmidt");
  const auto left = t.say("What do you still need?");
  CHECK(has(left, "moving to"));
  CHECK(has(left, "budget (optional)"));
  CHECK_FALSE(has(left, "your name"));
  CHECK(has(t.say("what do you have so far?"), "Your name: Anna Schmidt"));
  CHECK(has(t.say("who are you?"), "checklist") + has(t.history.back().text, "no language model")
        > 0);
  const auto repeated = t.say("pardon?");
  CHECK(has(repeated, "?"));
  CHECK(has(t.say("is it going to rain?"), "your question"));
  CHECK(t.shown("name") == "Anna Schmidt");
  CHECK(t.status("from") == "open");
}

TEST_CASE("a contradiction is asked about and settled") {
  talk t{without_greeting()};
  t.put("date", "contradicted", R"("2027-03-12")");
  CHECK(has(t.answer(), "12 March 2027"));
  t.say("14 March");
  CHECK(t.shown("date") == "14 March 2027");
  CHECK(t.status("date") == "answered");
}

TEST_CASE("after the end a correction is acknowledged and nothing is repeated") {
  const auto app = without_greeting();
  talk t{app};
  play(t, app, plain);
  const auto changed = t.say("Actually, make it 14 March");
  CHECK(has(changed, "14 March 2027"));
  CHECK_FALSE(has(changed, app->complete_say));
  auto last = changed;
  for (const auto* text : {"thanks", "ok", "great", "bye"}) {
    const auto said = t.say(text);
    CHECK(said != last);
    last = said;
  }
  CHECK(t.open().empty());
}

TEST_CASE("if the home changes, topics that no longer matter are left alone") {
  talk t{without_greeting()};
  t.answer();
  t.say("I'm Anna Schmidt, from Leeds to York, 12 March, a flat");
  CHECK(t.status("floor") == "open");
  const auto said = t.say("Actually it's a house");
  CHECK(t.shown("home") == "house");
  CHECK(t.status("floor") == "skipped");
  CHECK_FALSE(has(said, "floor"));
}

} // namespace sidevoice
