#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

/// Folds bodies, numbering them from the view's head on.
struct folding {
  session_view view;

  template <class Body>
  folding& add(Body body) {
    const auto done = apply(view, *make_event(view.head + 1, std::move(body)));
    REQUIRE(done.has_value());
    return *this;
  }
};

item_put put(const std::string& id, const std::string& rank, item_role role = item_role::user) {
  return {.rank = rank, .value = {.id = id, .role = role, .text = "text of " + id}};
}

std::vector<std::string> ids(const session_view& view) {
  std::vector<std::string> all;
  for (const auto& stored : view.items)
    all.push_back(stored->value.id);
  return all;
}

using names = std::vector<std::string>;

topic_updated topic(const std::string& value, std::uint64_t revision, topic_author by) {
  return {.topic = "date",
          .status = topic_status::answered,
          .value = value,
          .by = by,
          .revision = revision};
}

} // namespace

TEST_CASE("an event out of order is damage and changes nothing") {
  folding fold;
  fold.add(session_started{.app = "moving"});
  const auto before = fold.view;
  for (const std::uint64_t seq : {0, 1, 3}) {
    const auto refused = apply(fold.view, *make_event(seq, item_removed{.id = "a"}));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::damaged);
  }
  CHECK(fold.view == before);
}

TEST_CASE("items stand in the order of their ranks") {
  folding fold;
  fold.add(put("b", "2")).add(put("a", "1")).add(put("c", "3")).add(put("b2", "2"));
  CHECK(ids(fold.view) == names{"a", "b", "b2", "c"});
  CHECK(fold.view.previous_of("c") == "b2");
  CHECK(fold.view.previous_of("a").empty());
  CHECK(fold.view.previous_of("none").empty());
}

TEST_CASE("a second put replaces the item and keeps when it came first") {
  folding fold;
  fold.add(put("a", "1")).add(put("b", "2"));
  auto changed = put("a", "3");
  changed.value.text = "new";
  fold.add(changed);
  CHECK(ids(fold.view) == names{"b", "a"});
  REQUIRE(fold.view.find_item("a"));
  CHECK(fold.view.find_item("a")->value.text == "new");
  CHECK(fold.view.find_item("a")->seq == 1);
  CHECK(fold.view.find_item("a")->at == 1001);
}

TEST_CASE("a late put of a running answer does not bring a removed item back") {
  folding fold;
  auto answer = put("a", "1", item_role::assistant);
  answer.value.response = "r1";
  fold.add(answer).add(item_removed{.id = "a"}).add(answer);
  CHECK(ids(fold.view).empty());
  CHECK(fold.view.removed.contains("a"));
  CHECK(fold.view.head == 3);
}

TEST_CASE("an item that a client creates anew under a removed id is there again") {
  folding fold;
  fold.add(put("a", "1")).add(item_removed{.id = "a"}).add(put("a", "2"));
  CHECK(ids(fold.view) == names{"a"});
  CHECK(fold.view.find_item("a")->seq == 3);
  CHECK_FALSE(fold.view.removed.contains("a"));
}

TEST_CASE("what came after the last request is unanswered, in the order of ranks") {
  folding fold;
  fold.add(put("old", "1")).add(response_requested{.response = "r1", .cause = {"old"}});
  fold.add(put("late", "3")).add(put("early", "2")).add(put("said", "4", item_role::assistant));
  fold.add(item_put{.rank = "5", .value = {.id = "out", .kind = item_kind::function_call_output}});
  fold.add(item_put{.rank = "6", .value = {.id = "call", .kind = item_kind::function_call}});
  CHECK(fold.view.unanswered() == names{"early", "late", "out"});
  fold.add(response_requested{.response = "r2"});
  CHECK(fold.view.unanswered().empty());
}

TEST_CASE("a repeated request answers nothing new") {
  folding fold;
  fold.add(response_requested{.response = "r"}).add(put("a", "1"));
  fold.add(response_requested{.response = "r"});
  CHECK(fold.view.open_responses.size() == 1);
  CHECK(fold.view.unanswered() == names{"a"});
  fold.add(response_done{.response = "r"}).add(response_requested{.response = "r"});
  CHECK(fold.view.open_responses.empty());
}

TEST_CASE("a response goes from requested over started to done") {
  folding fold;
  fold.add(response_requested{.response = "r", .cause = {"a"}});
  CHECK_FALSE(fold.view.running());
  fold.add(response_started{.response = "r", .attempt = 1, .item = "i1"});
  fold.add(response_spoken{.response = "r", .attempt = 1, .clause = 1, .text = "One. "});
  fold.add(response_spoken{.response = "r", .attempt = 1, .clause = 2, .text = "Two."});
  REQUIRE(fold.view.running());
  CHECK(fold.view.running()->spoken == "One. Two.");
  CHECK(fold.view.running()->clauses == 2);
  fold.add(response_done{
    .response = "r", .status = response_status::cancelled, .reason = "turn_detected"});
  CHECK_FALSE(fold.view.running());
  REQUIRE(fold.view.closed_responses.size() == 1);
  const auto& closed = *fold.view.closed_responses.front();
  CHECK(closed.phase == response_phase::done);
  CHECK(closed.status == response_status::cancelled);
  CHECK(closed.reason == "turn_detected");
  CHECK(closed.spoken == "One. Two.");
}

TEST_CASE("only the first terminal event of a response counts") {
  folding fold;
  fold.add(response_requested{.response = "r"}).add(response_done{.response = "r"});
  fold.add(response_done{.response = "r", .status = response_status::failed});
  REQUIRE(fold.view.closed_responses.size() == 1);
  CHECK(fold.view.closed_responses.front()->status == response_status::completed);
}

TEST_CASE("a clause counts once, in its place and in its attempt") {
  folding fold;
  fold.add(response_requested{.response = "r"});
  fold.add(response_started{.response = "r", .attempt = 2, .item = "i"});
  fold.add(response_spoken{.response = "r", .attempt = 1, .clause = 1, .text = "stale"});
  fold.add(response_spoken{.response = "r", .attempt = 2, .clause = 2, .text = "ahead"});
  fold.add(response_spoken{.response = "r", .attempt = 2, .clause = 1, .text = "one"});
  fold.add(response_spoken{.response = "r", .attempt = 2, .clause = 1, .text = "twice"});
  CHECK(fold.view.running()->spoken == "one");
  fold.add(response_started{.response = "r", .attempt = 3, .item = "i3"});
  CHECK(fold.view.running()->spoken.empty());
  CHECK(fold.view.running()->clauses == 0);
  CHECK(fold.view.running()->item == "i3");
}

TEST_CASE("a call belongs to the response that made it, once") {
  folding fold;
  fold.add(response_requested{.response = "r"});
  const item_put call{
    .rank = "1",
    .value = {.id = "c", .kind = item_kind::function_call, .call_id = "call_1", .response = "r"}};
  fold.add(call).add(call);
  CHECK(fold.view.open_responses.front()->calls == names{"call_1"});
}

TEST_CASE("events of unknown responses change only the head") {
  folding fold;
  fold.add(response_started{.response = "x"}).add(response_done{.response = "x"});
  fold.add(response_spoken{.response = "x", .attempt = 0, .clause = 1});
  session_view expected;
  expected.head = 3;
  CHECK(fold.view == expected);
}

TEST_CASE("the closed responses, changes and edits are bounded") {
  folding fold;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto name = std::to_string(i);
    fold.add(response_requested{.response = name}).add(response_done{.response = name});
    auto change = topic(name, i, topic_author::person);
    change.edit = name;
    fold.add(change);
  }
  CHECK(fold.view.closed_responses.size() == 64);
  CHECK(fold.view.find_response("100"));
  CHECK_FALSE(fold.view.find_response("36"));
  CHECK(fold.view.changes.size() == 32);
  CHECK(fold.view.edits.size() == 64);
  CHECK(fold.view.edits.back() == "100");
}

TEST_CASE("a topic is set whole, and remembers the last hand") {
  folding fold;
  fold.add(topic("1", 1, topic_author::person)).add(topic("2", 2, topic_author::analyzer));
  const auto state = fold.view.topic("date");
  CHECK(state.value == "2");
  CHECK(state.by == topic_author::analyzer);
  CHECK(state.revision == 2);
  CHECK(state.seq == 2);
  CHECK(state.person_seq == 1);
  CHECK(fold.view.revision == 2);
  CHECK(fold.view.topic("none") == topic_state{});
}

TEST_CASE("undo takes the newest change off the stack, and rules are never on it") {
  folding fold;
  fold.add(topic("1", 1, topic_author::analyzer)).add(topic("2", 2, topic_author::person));
  fold.add(topic("3", 3, topic_author::rule));
  REQUIRE(fold.view.changes.size() == 2);
  CHECK(fold.view.changes.back().before.value == "1");
  CHECK(fold.view.changes.back().revision == 2);
  auto back = topic("1", 4, topic_author::person);
  back.undo = true;
  fold.add(back);
  REQUIRE(fold.view.changes.size() == 1);
  CHECK(fold.view.changes.back().revision == 1);
  CHECK(fold.view.topic("date").value == "1");
  fold.add(back).add(back);
  CHECK(fold.view.changes.empty());
}

TEST_CASE("a session completes, opens again and ends") {
  folding fold;
  fold.add(session_completed{.revision = 3});
  CHECK(fold.view.completed == 3);
  fold.add(session_reopened{.revision = 4});
  CHECK_FALSE(fold.view.completed.has_value());
  fold.add(analysis_done{.head_read = 2}).add(analysis_done{.head_read = 1});
  CHECK(fold.view.analyzed_to == 2);
  fold.add(session_ended{.reason = "left"});
  CHECK(fold.view.ended == "left");
}

TEST_CASE("the result holds the topics with a value, by name") {
  folding fold;
  CHECK(fold.view.result() == "{}");
  fold.add(topic_updated{.topic = "z\"", .value = "\"x\"", .revision = 1});
  fold.add(topic_updated{.topic = "a", .value = "[1, 2]", .revision = 2});
  fold.add(topic_updated{.topic = "m", .status = topic_status::skipped, .revision = 3});
  CHECK(fold.view.result() == R"({"a":[1, 2],"z\"":"x"})");
}

TEST_CASE("applying to a view leaves other holders of it as they were") {
  folding fold;
  fold.add(response_requested{.response = "r"}).add(put("a", "1"));
  const view_ptr before = std::make_shared<const session_view>(fold.view);
  const auto text = encode(*before);
  const std::vector<event_ptr> events{
    make_event(3, response_started{.response = "r", .attempt = 1}),
    make_event(4, item_removed{.id = "a"}), make_event(5, response_done{.response = "r"})};
  const auto after = sidevoice::apply(before, events);
  REQUIRE(after.has_value());
  CHECK((*after)->head == 5);
  CHECK(encode(*before) == text);
  CHECK_FALSE(**after == *before);
}

TEST_CASE("a snapshot and the rest of the journal give the same as the whole journal") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    random_engine random{seed};
    const auto events = random_journal(random, 40 + below(random, 400));
    const auto whole = sidevoice::apply(view_ptr{}, events);
    REQUIRE(whole.has_value());
    const auto cut = static_cast<std::ptrdiff_t>(below(random, events.size() + 1));
    const auto first = sidevoice::apply(view_ptr{}, {events.begin(), events.begin() + cut});
    REQUIRE(first.has_value());
    const auto text = encode(**first);
    auto snapshot = decode_view(text);
    REQUIRE(snapshot.has_value());
    CHECK(*snapshot == **first);
    CHECK(encode(*snapshot) == text);
    const auto both = sidevoice::apply(std::make_shared<const session_view>(std::move(*snapshot)),
                                       {events.begin() + cut, events.end()});
    REQUIRE(both.has_value());
    CHECK(**both == **whole);
  }
}

TEST_CASE("a damaged snapshot is refused or read, never a crash") {
  random_engine random{5};
  const auto events = random_journal(random, 200);
  const auto text = encode(*sidevoice::apply(view_ptr{}, events).value());
  std::size_t refused = 0;
  for (int round = 0; round < 500; ++round) {
    auto broken = text;
    broken[below(random, broken.size())] = static_cast<char>(below(random, 256));
    const auto view = decode_view(broken);
    refused += view.has_error() ? 1 : 0;
    if (view)
      CHECK(decode_view(encode(*view)).value() == *view);
  }
  CHECK(refused > 50);
  CHECK(decode_view("").has_error());
  CHECK(decode_view("[]").has_error());
}
