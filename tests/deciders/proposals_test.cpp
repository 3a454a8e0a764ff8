#include "tests/deciders/checklist_support.hpp"

namespace sidevoice::deciders_test {

namespace {

using enum topic_status;

bool names(const std::vector<std::string>& refused, const std::string& topic) {
  return refused.size() == 1 && refused[0].starts_with(topic + ": ") && refused[0].size() > 30;
}

} // namespace

TEST_CASE("an analysis answers topics with canonical values and keeps the proof") {
  checklist_session s;
  const auto item = s.says("We leave our apartment on 12 March");
  const auto head = s.view.head;
  const auto changes =
    s.proposes({{"home", answered, R"("Apartment")", {item, "our apartment", 0.8}},
                {"date", answered, R"("2027-03-12")", {item, "12 March", 0.9}}});
  CHECK(words_of(changes)
        == words{R"(date="2027-03-12" answered by analyzer)", R"(home="flat" answered by analyzer)",
                 "floor open by rule"});
  CHECK(changes.refused.empty());
  const auto& first = std::get<topic_updated>(changes.events[0]);
  CHECK(first.evidence == topic_evidence{item, "12 March", 0.9});
  CHECK(first.head_read == head);
  CHECK(first.edit.empty());
}

TEST_CASE("a proposal without proof or with a wrong value is refused by name") {
  checklist_session s;
  const auto item = s.says("I am Ada and live on floor 70");
  const std::vector<proposed_topic> table{
    {"shoe_size", answered, "42", {item, "Ada", 1}},
    {"name", answered, R"("Ada")", {"item_unknown", "Ada", 1}},
    {"name", answered, R"("Ada")", {item, "ada", 1}},
    {"name", answered, R"("Ada")", {item, "I am Grace", 1}},
    {"name", answered, R"("Ada")", {item, "", 1}},
    {"name", answered, R"("Ada")", {"", "", 1}},
    {"name", answered, "", {item, "Ada", 1}},
    {"name", confirmed, "", {item, "Ada", 1}},
    {"name", contradicted, "", {item, "Ada", 1}},
    {"name", answered, "17", {item, "Ada", 1}},
    {"name", skipped, "", {item, "Ada", 1}},
    {"floor", answered, "70", {item, "floor 70", 1}},
    {"floor", answered, "not json", {item, "floor 70", 1}},
    {"note", open, "", {"item_unknown", "", 1}},
  };
  for (std::size_t index = 0; index < table.size(); ++index) {
    CAPTURE(index);
    const auto changes = s.proposes({table[index]});
    CHECK(changes.events.empty());
    CHECK(names(changes.refused, table[index].topic));
  }
}

TEST_CASE("a refused proposal does not hold up the others") {
  checklist_session s;
  const auto item = s.says("Ada, in a house");
  const auto changes = s.proposes({{"floor", answered, "70", {item, "house", 1}},
                                   {"name", answered, R"("Ada")", {item, "Ada", 1}}});
  CHECK(words_of(changes) == words{R"(name="Ada" answered by analyzer)"});
  CHECK(names(changes.refused, "floor"));
}

TEST_CASE("what changes nothing is dropped without a word") {
  checklist_session s;
  s.hears("name", R"("Ada")");
  s.hears("email", R"("ada@example.org")");
  s.hears("email", "", confirmed);
  const auto item = s.says("Ada, ada@example.org");
  const auto changes =
    s.proposes({{"name", answered, R"( "Ada" )", {item, "Ada", 1}},
                {"email", answered, R"("ada@example.org")", {item, "ada@example.org", 1}},
                {"note", open, "", {}},
                {"floor", skipped, "", {}}});
  CHECK(changes.events.empty());
  CHECK(changes.refused.empty());
}

TEST_CASE("several proposals for one topic are one change: the last valid one") {
  checklist_session s;
  const auto item = s.says("Ada. No, Grace. ada@example.org, yes");
  const auto changes = s.proposes({{"name", answered, R"("Ada")", {item, "Ada", 1}},
                                   {"name", answered, R"("Grace")", {item, "Grace", 1}},
                                   {"name", answered, "17", {item, "Grace", 1}},
                                   {"email", answered, R"("ada@example.org")", {item, "ada@", 1}},
                                   {"email", confirmed, "", {item, "yes", 1}}});
  CHECK(words_of(changes)
        == words{R"(name="Grace" answered by analyzer)",
                 R"(email="ada@example.org" confirmed by analyzer)"});
  CHECK(names(changes.refused, "name"));
  // There and back again is no change.
  CHECK(s.proposes({{"name", answered, R"("Ada")", {item, "Ada", 1}},
                    {"name", answered, R"("Grace")", {item, "Grace", 1}}})
          .events.empty());
}

TEST_CASE("an analysis that had not read a person's edit does not touch the topic") {
  checklist_session s;
  const auto item = s.says("I am Ada");
  const auto read = s.view.head;
  REQUIRE(s.edits("name", R"("Grace")"));
  auto changes = s.proposes({{"name", answered, R"("Ada")", {item, "Ada", 1}}}, read);
  CHECK(changes.events.empty());
  CHECK(names(changes.refused, "name"));
  CHECK_MESSAGE(
    s.proposes({{"note", answered, R"("Ada")", {item, "Ada", 1}}}, read).refused.empty(),
    "other topics are free");
}

TEST_CASE("only a newer message of the visitor changes what a person set") {
  checklist_session s;
  const auto old = s.says("I am Ada");
  REQUIRE(s.edits("name", R"("Grace")"));
  CHECK(names(s.proposes({{"name", answered, R"("Ada")", {old, "Ada", 1}}}).refused, "name"));
  CHECK(names(s.proposes({{"name", open, "", {}}}).refused, "name"));
  const auto agents = s.says("Are you Ada?", item_role::assistant);
  CHECK(names(s.proposes({{"name", answered, R"("Ada")", {agents, "Ada", 1}}}).refused, "name"));
  const auto fresh = s.says("No, I am Ada");
  CHECK(words_of(s.proposes({{"name", answered, R"("Ada")", {fresh, "I am Ada", 1}}}))
        == words{R"(name="Ada" answered by analyzer)"});
}

TEST_CASE("an undo by a person stands against the message that it undid") {
  checklist_session s;
  const auto item = s.says("I am Ada");
  s.proposes({{"name", answered, R"("Ada")", {item, "Ada", 1}}});
  REQUIRE(s.undoes());
  CHECK(names(s.proposes({{"name", answered, R"("Ada")", {item, "Ada", 1}}}).refused, "name"));
  CHECK(s.topic("name").status == open);
}

TEST_CASE("where a person confirms, an analysis only answers, and later only contradicts") {
  checklist_session s;
  CHECK(words_of(s.hears("date", R"("2027-03-12")", confirmed))
        == words{R"(date="2027-03-12" answered by analyzer)"});
  CHECK(words_of(s.hears("date", R"("2027-03-13")"))
        == words{R"(date="2027-03-13" answered by analyzer)"});
  REQUIRE(s.edits("date", R"("2027-04-01")"));
  CHECK(s.hears("date", R"("2027-04-01")").events.empty());
  for (const auto status : {answered, confirmed, contradicted}) {
    checklist_session copy = s;
    CHECK(words_of(copy.hears("date", R"("2027-04-02")", status))
          == words{R"(date="2027-04-01" contradicted by analyzer)"});
    // It stays with the person from here on.
    CHECK(copy.hears("date", R"("2027-04-03")").events.empty());
    CHECK(copy.topic("date").value == R"("2027-04-01")");
    CHECK(words_of(*copy.edits("date", R"("2027-04-03")"))
          == words{R"(date="2027-04-03" confirmed by person)"});
  }
  CHECK(words_of(s.hears("date", "", open))
        == words{R"(date="2027-04-01" contradicted by analyzer)"});
}

TEST_CASE("a person's value stays a person's when the person left it unconfirmed") {
  checklist_session s;
  REQUIRE(s.edits("date", R"("2027-04-01")", answered));
  CHECK(words_of(s.hears("date", R"("2027-04-02")"))
        == words{R"(date="2027-04-01" contradicted by analyzer)"});
}

TEST_CASE("a contradiction keeps the value until a new answer settles it") {
  checklist_session s;
  s.hears("home", R"("flat")");
  CHECK(words_of(s.hears("home", R"("house")", contradicted))
        == words{R"(home="flat" contradicted by analyzer)"});
  CHECK(words_of(s.hears("home", R"("flat")")) == words{R"(home="flat" answered by analyzer)"});
}

TEST_CASE("a new value of a confirmed topic wants confirming again") {
  checklist_session s;
  s.hears("email", R"("ada@example.org")");
  s.hears("email", "", confirmed);
  CHECK(words_of(s.hears("email", R"("ada@example.com")"))
        == words{R"(email="ada@example.com" answered by analyzer)"});
}

TEST_CASE("taking an answer back needs no quote") {
  checklist_session s;
  s.hears("note", R"("ring twice")");
  CHECK(words_of(s.proposes({{"note", open, "", {}}})) == words{"note open by analyzer"});
  CHECK(words_of(s.proposes({{"note", skipped, "", {}}})) == words{"note skipped by analyzer"});
}

} // namespace sidevoice::deciders_test
