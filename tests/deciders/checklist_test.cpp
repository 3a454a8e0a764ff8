#include "tests/deciders/checklist_support.hpp"

namespace sidevoice::deciders_test {

// -- conditions -----------------------------------------------------------------------------------

TEST_CASE("a session begins with the conditional topics skipped, each by one event") {
  checklist_session s;
  CHECK(s.topic("floor").status == topic_status::skipped);
  CHECK(s.topic("lift").status == topic_status::skipped);
  CHECK(s.topic("home").status == topic_status::open);
  CHECK(s.view.revision == 2);
  CHECK(begin_checklist(s.app, s.view).events.empty());
}

TEST_CASE("a value switches the topics that depend on it, in the same change") {
  checklist_session s;
  CHECK(words_of(s.hears("home", R"("apartment")"))
        == words{R"(home="flat" answered by analyzer)", "floor open by rule"});
  CHECK(words_of(s.hears("floor", "2"))
        == words{"floor=2 answered by analyzer", "lift open by rule"});
  CHECK(words_of(s.hears("floor", "0"))
        == words{"floor=0 answered by analyzer", "lift skipped by rule"});
}

TEST_CASE("a chain of conditions falls together and comes back with what it had") {
  checklist_session s;
  s.hears("home", R"("flat")");
  s.hears("floor", "3");
  REQUIRE(s.edits("lift", "true"));
  const auto floor = s.topic("floor");
  CHECK(words_of(s.hears("home", R"("house")"))
        == words{R"(home="house" answered by analyzer)", "floor=3 skipped by rule",
                 "lift=true skipped by rule"});
  CHECK(s.view.result() == R"({"home":"house"})");
  CHECK(words_of(s.hears("home", R"("studio")"))
        == words{R"(home="studio" answered by analyzer)", "floor=3 answered by rule",
                 "lift=true confirmed by rule"});
  CHECK(s.topic("floor").evidence == floor.evidence);
  CHECK(s.view.result() == R"({"floor":3,"home":"studio","lift":true})");
}

TEST_CASE("a value for a topic that does not matter yet waits for its condition") {
  checklist_session s;
  CHECK(words_of(s.hears("floor", "4"))
        == words{"floor=4 answered by analyzer", "floor=4 skipped by rule"});
  CHECK(words_of(s.hears("floor", "4")).empty());
  CHECK(words_of(s.hears("home", R"("flat")"))
        == words{R"(home="flat" answered by analyzer)", "floor=4 answered by rule",
                 "lift open by rule"});
}

TEST_CASE("what an analysis or a person skipped does not come back by itself") {
  checklist_session s;
  s.hears("home", R"("flat")");
  const auto item = s.says("never mind the floor");
  CHECK(words_of(s.proposes({{"floor", topic_status::skipped, "", {item, "never mind", 1}}}))
        == words{"floor skipped by analyzer"});
  s.hears("home", R"("house")");
  s.hears("home", R"("flat")");
  CHECK(s.topic("floor").status == topic_status::skipped);
  CHECK(s.topic("floor").by == topic_author::analyzer);
}

TEST_CASE("conditions compare JSON values and bounds") {
  struct row {
    topic_condition condition;
    topic_type type;
    json_text value;
    bool holds;
  };
  const auto any = [](std::vector<json_text> values) {
    return topic_condition{.topic = "x", .any_of = std::move(values)};
  };
  const std::vector<row> table{
    {any({R"("a")"}), topic_type::text, R"("a")", true},
    {any({R"("a")"}), topic_type::text, R"("A")", false},
    {any({"1", "2"}), topic_type::integer, "2", true},
    {any({"2.0"}), topic_type::integer, "2", true},
    {any({R"("2")"}), topic_type::integer, "2", false},
    {any({"true"}), topic_type::yes_no, "true", true},
    {any({"true"}), topic_type::yes_no, "false", false},
    {{.topic = "x", .min = 1}, topic_type::integer, "1", true},
    {{.topic = "x", .min = 1}, topic_type::integer, "0", false},
    {{.topic = "x", .min = 1, .max = 3}, topic_type::integer, "3", true},
    {{.topic = "x", .min = 1, .max = 3}, topic_type::integer, "4", false},
    {{.topic = "x", .min = 1}, topic_type::text, R"("5")", false},
    {{.topic = "x", .min = 1000}, topic_type::money, R"({"amount":1200,"currency":"EUR"})", true},
    {{.topic = "x", .min = 1000}, topic_type::money, R"({"amount":900,"currency":"EUR"})", false},
    {{.topic = "x", .any_of = {"1", "5"}, .min = 2}, topic_type::integer, "1", false},
    {{.topic = "x", .any_of = {"1", "5"}, .min = 2}, topic_type::integer, "5", true},
  };
  for (std::size_t index = 0; index < table.size(); ++index) {
    CAPTURE(index);
    const auto& row = table[index];
    app_definition app;
    app.topics = {{.id = "x", .type = row.type, .currency = "EUR"},
                  {.id = "y", .when = {row.condition}}};
    checklist_session s(app);
    CHECK(s.topic("y").status == topic_status::skipped);
    REQUIRE(s.edits("x", row.value));
    CHECK((s.topic("y").status == topic_status::open) == row.holds);
  }
}

TEST_CASE("a list meets a condition by any of its entries") {
  app_definition app;
  app.topics = {{.id = "x", .list = true},
                {.id = "y", .when = {{.topic = "x", .any_of = {R"("b")"}}}}};
  checklist_session s(app);
  REQUIRE(s.edits("x", R"(["a"])"));
  CHECK(s.topic("y").status == topic_status::skipped);
  REQUIRE(s.edits("x", R"(["a","b"])"));
  CHECK(s.topic("y").status == topic_status::open);
}

TEST_CASE("conditions in a circle settle") {
  app_definition app;
  app.topics = {{.id = "x", .type = topic_type::integer, .when = {{.topic = "y", .min = 1}}},
                {.id = "y", .type = topic_type::integer, .when = {{.topic = "x", .min = 1}}}};
  checklist_session s(app);
  REQUIRE(s.edits("x", "1"));
  CHECK(s.topic("x").status == topic_status::skipped);
  REQUIRE(s.edits("y", "1"));
  CHECK(s.topic("x").status == topic_status::confirmed);
  CHECK(s.topic("y").status == topic_status::confirmed);
  REQUIRE(s.edits("y", "0"));
  CHECK(s.topic("x").status == topic_status::skipped);
  CHECK(s.topic("y").status == topic_status::skipped);
}

// -- a person's edits -----------------------------------------------------------------------------

TEST_CASE("a person's value is checked, put into canonical form and confirmed") {
  checklist_session s;
  REQUIRE(s.hears("name", R"("Ada Lovelace")").refused.empty());
  const auto done = s.edits("name", R"("  Grace Hopper ")");
  REQUIRE(done);
  CHECK(words_of(*done) == words{R"(name="Grace Hopper" confirmed by person)"});
  CHECK(s.topic("name").evidence == topic_evidence{});
  CHECK(s.topic("name").person_seq == s.view.head);
  CHECK(std::get<topic_updated>(done->events[0]).edit.starts_with("edit_"));
}

TEST_CASE("an edit of another revision than the person saw is a conflict") {
  checklist_session s;
  s.hears("name", R"("Ada")");
  const auto seen = s.topic("name").revision;
  s.hears("name", R"("Grace")");
  for (const auto base : {seen, std::uint64_t{0}, s.topic("name").revision + 1}) {
    const auto done = s.edits_at("name", R"("Mary")", {}, base);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == errc::conflict);
    CHECK(done.error().reason == "revision");
    CHECK(done.error().detail.find(std::to_string(s.topic("name").revision)) != std::string::npos);
  }
  // Changes of other topics do not matter.
  s.hears("home", R"("flat")");
  CHECK(s.edits("name", R"("Mary")"));
}

TEST_CASE("edits that make no sense are refused with the field at fault") {
  struct row {
    const char* topic;
    std::optional<json_text> value;
    std::optional<topic_status> status;
    errc code;
    const char* param;
  };
  const std::vector<row> table{
    {"nothing", R"("x")", {}, errc::not_found, "topic"},
    {"floor", R"("high")", {}, errc::invalid, "value"},
    {"floor", "61", {}, errc::invalid, "value"},
    {"date", R"("2027-02-28")", {}, errc::invalid, "value"},
    {"name", "not json", {}, errc::invalid, "value"},
    {"name", {}, topic_status::confirmed, errc::invalid, "value"},
    {"name", {}, {}, errc::invalid, "value"},
    {"name", R"("Ada")", topic_status::open, errc::invalid, "status"},
    {"name", R"("Ada")", topic_status::skipped, errc::invalid, "status"},
    {"name", "null", topic_status::confirmed, errc::invalid, "status"},
  };
  for (std::size_t index = 0; index < table.size(); ++index) {
    CAPTURE(index);
    checklist_session s;
    const auto head = s.view.head;
    const auto done = s.edits(table[index].topic, table[index].value, table[index].status);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == table[index].code);
    CHECK(done.error().param == table[index].param);
    CHECK_FALSE(done.error().detail.empty());
    CHECK(s.view.head == head);
  }
}

TEST_CASE("an edit can confirm, empty and skip without a value") {
  checklist_session s;
  s.hears("email", R"("ada@example.org")");
  CHECK(words_of(*s.edits("email", {}, topic_status::confirmed))
        == words{R"(email="ada@example.org" confirmed by person)"});
  CHECK(words_of(*s.edits("email", "null")) == words{"email open by person"});
  CHECK(words_of(*s.edits("note", {}, topic_status::skipped)) == words{"note skipped by person"});
  CHECK(words_of(*s.edits("note", {}, topic_status::open)) == words{"note open by person"});
}

// -- undo -----------------------------------------------------------------------------------------

TEST_CASE("undo puts back value, status and evidence, one change after the other") {
  checklist_session s;
  s.hears("name", R"("Ada")");
  const auto heard = s.topic("name");
  REQUIRE(s.edits("name", R"("Grace")"));
  REQUIRE(s.edits("home", R"("flat")"));
  CHECK(words_of(*s.undoes()) == words{"home open by person", "floor skipped by rule"});
  CHECK(words_of(*s.undoes()) == words{R"(name="Ada" answered by person)"});
  CHECK(s.topic("name").evidence == heard.evidence);
  CHECK(words_of(*s.undoes()) == words{"name open by person"});
  const auto done = s.undoes();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::not_found);
}

TEST_CASE("undo of a value that a condition hides puts the former one back behind the condition") {
  checklist_session s;
  REQUIRE(s.edits("floor", "1"));
  REQUIRE(s.edits("floor", "2"));
  CHECK(words_of(*s.undoes()) == words{"floor=1 confirmed by person", "floor=1 skipped by rule"});
  REQUIRE(s.edits("home", R"("flat")"));
  CHECK(s.topic("floor").value == "1");
  CHECK(s.topic("floor").status == topic_status::confirmed);
}

TEST_CASE("undo tells where it comes from") {
  checklist_session s;
  s.hears("name", R"("Ada")");
  const auto done = s.undoes();
  REQUIRE(done);
  const auto& change = std::get<topic_updated>(done->events[0]);
  CHECK(change.undo);
  CHECK(change.edit.starts_with("undo_"));
  CHECK(change.by == topic_author::person);
}

// -- completion -----------------------------------------------------------------------------------

TEST_CASE("the checklist is complete when all that is required has what it needs") {
  checklist_session s;
  s.hears("name", R"("Ada")");
  s.hears("home", R"("house")");
  s.hears("email", R"("ada@example.org")");
  s.hears("date", R"("2027-03-12")");
  CHECK_FALSE(s.view.completed);
  // email wants its read-back, date a person.
  CHECK(words_of(s.hears("email", "", topic_status::confirmed))
        == words{R"(email="ada@example.org" confirmed by analyzer)"});
  const auto done = s.edits("date", {}, topic_status::confirmed);
  REQUIRE(done);
  const auto revision = std::to_string(s.view.revision);
  CHECK(words_of(*done)
        == words{R"(date="2027-03-12" confirmed by person)", "completed " + revision});
  CHECK(std::get<session_completed>(done->events[1]).result
        == R"({"date":"2027-03-12","email":"ada@example.org","home":"house","name":"Ada"})");

  SUBCASE("a correction reopens it and completes it again with a higher revision") {
    const auto next = std::to_string(s.view.revision + 1);
    CHECK(
      words_of(s.hears("name", R"("Grace")"))
      == words{R"(name="Grace" answered by analyzer)", "reopened " + next, "completed " + next});
  }
  SUBCASE("a change that leaves something to ask only reopens it") {
    // floor is optional; lift, which depends on it, is required.
    CHECK(words_of(s.hears("home", R"("flat")")).size() == 4);
    CHECK(s.view.completed);
    const auto changes = s.hears("floor", "2");
    const auto next = std::to_string(s.view.revision);
    CHECK(words_of(changes)
          == words{"floor=2 answered by analyzer", "lift open by rule", "reopened " + next});
    CHECK_FALSE(s.view.completed);
    const auto closing = s.hears("lift", "true");
    CHECK(std::get<session_completed>(closing.events.back()).revision == s.view.revision);
  }
  SUBCASE("a change of status alone says nothing new") {
    CHECK(words_of(*s.edits("name", {}, topic_status::confirmed))
          == words{R"(name="Ada" confirmed by person)"});
  }
  SUBCASE("emptying a required topic reopens it") {
    const auto next = std::to_string(s.view.revision + 1);
    CHECK(words_of(*s.edits("name", "null")) == words{"name open by person", "reopened " + next});
  }
}

TEST_CASE("where nothing is required, everything is") {
  app_definition app;
  app.topics = {{.id = "name", .type = topic_type::person_name}, {.id = "note"}};
  checklist_session s(app);
  CHECK_FALSE(s.view.completed);
  s.hears("name", R"("Ada")");
  CHECK_FALSE(is_complete(s.app, s.view));
  const auto item = s.says("no note");
  s.proposes({{"note", topic_status::skipped, "", {item, "no note", 1}}});
  CHECK(s.view.completed == s.view.revision);
}

TEST_CASE("an app without topics is never complete") {
  checklist_session s(app_definition{});
  CHECK_FALSE(is_complete(s.app, s.view));
  CHECK_FALSE(s.view.completed);
}

// -- what to ask next -----------------------------------------------------------------------------

TEST_CASE("the next topic follows the app's order, with `after` first") {
  checklist_session s;
  const auto next = [&s](const std::vector<std::string>& leave_out = {}) {
    const auto* topic = next_topic(s.app, s.view, leave_out);
    return topic ? topic->id : std::string{};
  };
  CHECK(next() == "name");
  CHECK(next({"name"}) == "date");
  s.hears("name", R"("Ada")");
  REQUIRE(s.edits("date", R"("2027-03-12")"));
  CHECK(next() == "home");
  s.hears("home", R"("flat")");
  CHECK(next() == "floor");
  s.hears("floor", "0");
  // note stands before email, but is asked after it.
  CHECK(next() == "email");
  CHECK(next({"email"}) == "note");
  s.hears("email", R"("ada@example.org")");
  CHECK_MESSAGE(next() == "email", "it has to be read back");
  s.hears("email", "", topic_status::confirmed);
  CHECK(next() == "note");
  s.hears("note", R"("ring twice")");
  CHECK(next().empty());
}

TEST_CASE("contradictions and read-backs are settled before anything new is asked") {
  checklist_session s;
  s.hears("email", R"("ada@example.org")");
  CHECK(next_topic(s.app, s.view)->id == "email");
  s.hears("email", "", topic_status::confirmed);
  s.hears("home", R"("flat")");
  s.hears("home", R"("house")", topic_status::contradicted);
  CHECK(next_topic(s.app, s.view)->id == "home");
}

TEST_CASE("what only a click can settle comes last") {
  checklist_session s;
  s.hears("date", R"("2027-03-12")");
  CHECK(next_topic(s.app, s.view)->id == "name");
  for (const auto* id : {"name", "home", "note", "email"})
    REQUIRE(s.edits(id, {}, topic_status::skipped));
  CHECK(next_topic(s.app, s.view)->id == "date");
  REQUIRE(s.edits("date", {}, topic_status::confirmed));
  CHECK(next_topic(s.app, s.view) == nullptr);
}

TEST_CASE("a topic that waits for another lets the rest pass, and does not pull it forward") {
  app_definition app;
  app.topics = {{.id = "x", .after = {"z"}}, {.id = "y"}, {.id = "z"}, {.id = "last"}};
  checklist_session s(app);
  std::string asked;
  while (const auto* topic = next_topic(s.app, s.view)) {
    asked += topic->id + " ";
    REQUIRE(s.edits(topic->id, R"("done")"));
  }
  CHECK(asked == "y z x last ");
}

TEST_CASE("topics that come after each other in a circle are asked all the same") {
  app_definition app;
  app.topics = {{.id = "x", .after = {"y"}}, {.id = "y", .after = {"x"}}};
  checklist_session s(app);
  CHECK(next_topic(s.app, s.view)->id == "x");
  CHECK(next_topic(s.app, s.view, {"x"})->id == "y");
}

} // namespace sidevoice::deciders_test
