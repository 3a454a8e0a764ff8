#include "providers/rules/speak.hpp"
#include "tests/providers/talk.hpp"

#include <chrono>
#include <random>

namespace sidevoice {

namespace {

/// One message to the offline pair; checks the time it takes and its JSON.
void feed(const std::string& text, const std::string& question) {
  talk t{moving::app()};
  t.put("home", "answered", R"("flat")");
  t.add(llm_role::assistant, question);
  t.add(llm_role::user, text);
  counted_ids ids;
  const auto begin = std::chrono::steady_clock::now();
  const auto led = rules::lead(t.request(llm_purpose::converse), ids);
  const auto heard = rules::listen(t.request(llm_purpose::analyze), ids);
  // Generous: sanitizers and a busy machine are slow, a quadratic reading would take minutes.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{20});
  CHECK(std::holds_alternative<llm_done>(led.back()));
  CHECK(std::holds_alternative<llm_done>(heard.back()));
  for (const auto& e : heard)
    if (const auto* c = std::get_if<llm_call>(&e))
      CHECK_FALSE(nlohmann::json::parse(c->arguments, nullptr, false).is_discarded());
}

} // namespace

TEST_CASE("random bytes are read without harm") {
  const auto app = moving::app();
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed: ", seed);
    std::mt19937 random{seed};
    std::string text(random() % 400, '\0');
    for (auto& c : text)
      c = static_cast<char>(random() % 256);
    const auto& topic = app->topics[random() % app->topics.size()];
    feed(text, rules::questions(topic).front());
  }
}

TEST_CASE("random words of the trade are read without harm") {
  static const std::vector<std::string> words = {"from",   "to",      "not",
                                                 "but",    "12",      "March",
                                                 "Leeds",  "third",   "floor",
                                                 "no",     "yes",     "lift",
                                                 "euro",   "€",       "@",
                                                 ".",      ",",       "?",
                                                 "!",      "change",  "actually",
                                                 "I'm",    "Anna",    "next",
                                                 "in",     "two",     "weeks",
                                                 "the",    "a",       "{",
                                                 "}",      "\n",      "-",
                                                 "3.4.",   "1,2",     "dot",
                                                 "at",     "com",     "is",
                                                 "my",     "name",    "and",
                                                 "boxes",  "kitchen", ":",
                                                 "skip",   "don't",   "know",
                                                 "’",      "ü",       "99999999999999999999",
                                                 "hundred"};
  const auto app = moving::app();
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    INFO("seed: ", seed);
    std::mt19937 random{seed};
    std::string text;
    for (auto n = random() % 25; n > 0; --n)
      text += words[random() % words.size()] + (random() % 4 != 0 ? " " : "");
    INFO("text: ", text);
    feed(text, rules::questions(app->topics[random() % app->topics.size()]).front());
  }
}

TEST_CASE("long texts are read quickly") {
  const auto app = moving::app();
  for (const std::string piece :
       {"a", "1", ",", "@", "-", ".", "from Leeds to ", "not ", "12 March ", "no lift ", "a.b@",
        "the ", "\xff", "ü", "twenty-", "in ", "(", "?"}) {
    INFO("piece: ", piece);
    std::string text;
    while (text.size() < 100'000)
      text += piece;
    for (const auto* topic : {"fragile", "from"})
      feed(text, rules::questions(*app->find_topic(topic)).front());
  }
}

TEST_CASE("a history of a thousand messages is read quickly") {
  talk t{moving::app()};
  for (int i = 0; i < 500; ++i) {
    t.add(llm_role::assistant, "What is your e-mail address?");
    t.add(llm_role::user, "actually no, I mean change it, sorry, wait");
  }
  counted_ids ids;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(
    std::holds_alternative<llm_done>(rules::lead(t.request(llm_purpose::converse), ids).back()));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{60});
}

TEST_CASE("an empty app and an empty request are answered") {
  auto app = std::make_shared<app_definition>();
  talk t{app};
  CHECK_FALSE(t.answer().empty());
  CHECK_FALSE(t.say("").empty());
  CHECK_FALSE(t.say("hello").empty());
  auto odd = moving::app();
  odd->topics[0].label = "?";
  odd->topics[1].label = "";
  odd->topics[1].id = "x";
  odd->topics[2].after = {"from", "to", "nowhere"};
  odd->topics[5].when = {{"floor", {}, 1.0, {}}};
  odd->topics.back().schema = "{";
  talk strange{odd};
  for (const auto* text : {"hello", "Anna", "Leeds", "to York", "12 March"})
    CHECK_FALSE(strange.say(text).empty());
}

} // namespace sidevoice
