#include "tests/persistence/store_conformance.hpp"

#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace sidevoice::samples {

namespace {

const session_key first{.app = "moving", .id = "sess_1"};
const session_key second{.app = "moving", .id = "sess_2"};

std::vector<event_ptr> journal(store_writer& store, const session_key& key) {
  return ask(store, read_events{.key = key, .limit = 100'000}).value().events;
}

/// Runs appends as one group.
std::vector<result<appended>> append_group(store_writer& store, std::vector<append_events> group) {
  std::vector<result<appended>> answers;
  std::vector<store_job> jobs;
  for (auto& job : group)
    jobs.emplace_back(store_task<append_events>{std::move(job), [&answers](auto answer) {
                                                  answers.push_back(std::move(answer));
                                                }});
  for (const auto& done : store.run(std::move(jobs)))
    done();
  return answers;
}

bool same(const std::vector<event_ptr>& a, const std::vector<event_ptr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return *x == *y; });
}

void claim_creates_and_raises_the_epoch(store_writer& store) {
  CHECK(ask(store, claim_session{.key = first, .node = "n"}).error().code == errc::not_found);
  const auto created = claim(store, first, "node_a").value();
  CHECK(created.created);
  CHECK(created.row
        == session_row{.key = first,
                       .user = "ann",
                       .release = "sha256:1",
                       .epoch = 1,
                       .node = "node_a",
                       .created_at = 500,
                       .updated_at = 500});
  CHECK(*created.view == session_view{});
  const auto again =
    ask(store, claim_session{.key = first, .node = "node_b", .at = 900, .user = "eve"}).value();
  CHECK_FALSE(again.created);
  CHECK(again.row.epoch == 2);
  CHECK(again.row.node == "node_b");
  CHECK(again.row.user == "ann");
  CHECK(again.row.updated_at == 900);
  CHECK(ask(store, claim_session{.key = {"moving", ""}, .create = true}).error().code
        == errc::invalid);
}

void append_stores_events_and_row(store_writer& store) {
  claim(store, first).value();
  auto job = append(first, 1, 0, messages(0, 3));
  job.status = "completed";
  job.open_responses = 2;
  CHECK(ask(store, job).value().head == 3);
  CHECK(same(journal(store, first), messages(0, 3)));
  const auto row = ask(store, list_sessions{}).value().rows.at(0);
  CHECK(row.head == 3);
  CHECK(row.status == "completed");
  CHECK(row.open_responses == 2);
  CHECK(row.updated_at == 1003);
}

void every_body_is_kept(store_writer& store) {
  claim(store, first).value();
  std::vector<event_ptr> events;
  for (const auto& body : one_of_each())
    if (!std::holds_alternative<erased>(body))
      events.push_back(make_event(events.size() + 1, body));
  REQUIRE(ask(store, append(first, 1, 0, events)).has_value());
  CHECK(same(journal(store, first), events));
}

void append_needs_epoch_and_head(store_writer& store) {
  claim(store, first).value();
  claim(store, first).value();
  REQUIRE(ask(store, append(first, 2, 0, messages(0, 2), "a")).has_value());
  for (const auto& [epoch, head] : {std::pair{1, 2}, {3, 2}, {2, 0}, {2, 1}, {2, 3}}) {
    const auto from = static_cast<std::uint64_t>(head);
    const auto refused =
      ask(store, append(first, static_cast<std::uint64_t>(epoch), from, messages(from, 1)));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::conflict);
  }
  CHECK(ask(store, append(second, 1, 0, messages(0, 1))).error().code == errc::conflict);
  CHECK(journal(store, first).size() == 2);
}

void wrong_appends_are_refused(store_writer& store) {
  claim(store, first).value();
  const auto refused = [&](std::vector<event_ptr> events, const std::string& id = "a") {
    const auto answer = ask(store, append(first, 1, 0, std::move(events), id));
    return answer.has_error() && answer.error().code == errc::invalid;
  };
  CHECK(refused({}));
  CHECK(refused(messages(0, 1), ""));
  CHECK(refused(messages(1, 1)));
  CHECK(refused({make_event(1, item_removed{.id = "a"}), make_event(3, item_removed{.id = "b"})}));
  CHECK(refused({make_event(1, erased{.was = "item.put"})}));
  CHECK(refused({make_event(1, item_removed{.id = "bad \xff bytes"})}));
  CHECK(refused({make_event(1, item_removed{.id = std::string("nul \0.", 6)})}));
  CHECK(refused({make_event(1, item_removed{.id = std::string("\\\0.", 3)})}));
  CHECK(journal(store, first).empty());
  // The letters of an escape are no NUL.
  CHECK(
    ask(store, append(first, 1, 0, {make_event(1, item_removed{.id = "\\u0000"})})).has_value());
}

void unknown_commits_can_be_read_back(store_writer& store) {
  claim(store, first).value();
  const auto job = append(first, 1, 0, messages(0, 2), "append_1");
  CHECK_FALSE(ask(store, find_append{first, "append_1"}).value().stored);
  REQUIRE(ask(store, job).has_value());
  CHECK(ask(store, job).error().code == errc::conflict);
  CHECK(ask(store, find_append{first, "append_1"}).value().stored);
  CHECK_FALSE(ask(store, find_append{first, "append_2"}).value().stored);
  CHECK_FALSE(ask(store, find_append{second, "append_1"}).value().stored);
  CHECK(journal(store, first).size() == 2);
}

void one_refusal_leaves_the_group(store_writer& store) {
  claim(store, first).value();
  claim(store, second).value();
  const auto answers = append_group(store, {
                                             append(first, 1, 0, messages(0, 2)),
                                             append(second, 7, 0, messages(0, 1)),
                                             append(first, 1, 2, messages(2, 1)),
                                             append(first, 1, 2, messages(2, 1)),
                                             append(second, 1, 0, messages(0, 1)),
                                           });
  REQUIRE(answers.size() == 5);
  CHECK(answers[0].has_value());
  CHECK(answers[1].has_error());
  CHECK(answers[2].has_value());
  CHECK(answers[3].has_error());
  CHECK(answers[4].has_value());
  CHECK(same(journal(store, first), messages(0, 3)));
  CHECK(same(journal(store, second), messages(0, 1)));
}

void refused_append_leaves_nothing(store_writer& store) {
  claim(store, first).value();
  REQUIRE(
    ask(store, append(first, 1, 0, {make_event(1, response_requested{.response = "r"})}, "one"))
      .has_value());
  auto events = messages(1, 2);
  events.push_back(make_event(4, response_requested{.response = "r"}));
  const auto refused = ask(store, append(first, 1, 1, events, "two"));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::conflict);
  CHECK(refused.error().reason == "repeated");
  CHECK(journal(store, first).size() == 1);
  CHECK_FALSE(ask(store, find_append{first, "two"}).value().stored);
  CHECK(ask(store, append(first, 1, 1, messages(1, 2), "three")).has_value());
}

void client_keys_count_once(store_writer& store) {
  claim(store, first).value();
  claim(store, second).value();
  const auto edit = [](std::uint64_t seq, const std::string& id) {
    return make_event(seq, topic_updated{.topic = "date", .revision = seq, .edit = id});
  };
  REQUIRE(ask(store, append(first, 1, 0, {edit(1, "e1"), edit(2, "e2"), edit(3, ""), edit(4, "")}))
            .has_value());
  CHECK(ask(store, append(first, 1, 4, {edit(5, "e2")})).error().reason == "repeated");
  CHECK(ask(store, append(first, 1, 4, {edit(5, "e3"), edit(6, "e3")})).error().reason
        == "repeated");
  CHECK(ask(store, append(second, 1, 0, {edit(1, "e1")})).has_value());
  // A second put of an item replaces it.
  const item_put put{.rank = "1", .value = user_message("i", "x")};
  CHECK(ask(store, append(first, 1, 4, {make_event(5, put), make_event(6, put)})).has_value());
  CHECK(ask(store, append(first, 1, 6, {make_event(7, put)})).has_value());
}

void pages_are_read_in_order(store_writer& store) {
  claim(store, first).value();
  REQUIRE(ask(store, append(first, 1, 0, messages(0, 10))).has_value());
  const auto page = ask(store, read_events{.key = first, .after = 4, .limit = 3}).value().events;
  CHECK(same(page, messages(4, 3)));
  CHECK(ask(store, read_events{.key = first, .after = 8, .limit = 3}).value().events.size() == 2);
  CHECK(ask(store, read_events{.key = first, .after = 10}).value().events.empty());
  CHECK(ask(store, read_events{.key = first, .after = 99}).value().events.empty());
  CHECK(ask(store, read_events{.key = first, .limit = 0}).value().events.empty());
  CHECK(ask(store, read_events{.key = second}).error().code == errc::not_found);
}

void lists_are_newest_first(store_writer& store) {
  for (int i = 1; i <= 4; ++i) {
    const session_key key{.app = i == 3 ? "other" : "moving", .id = "s" + std::to_string(i)};
    ask(store, claim_session{.key = key, .node = "n", .at = 100 * i, .create = true}).value();
    auto job = append(
      key, 1, 0,
      {std::make_shared<const event>(event{.seq = 1, .at = 100 * i, .body = analysis_done{}})});
    job.open_responses = i % 2 == 0 ? 0 : 1;
    REQUIRE(ask(store, job).has_value());
  }
  const auto listed = [&](const list_sessions& job) {
    std::string ids;
    for (const auto& row : ask(store, job).value().rows)
      ids += row.key.id + " ";
    return ids;
  };
  CHECK(listed({}) == "s4 s3 s2 s1 ");
  CHECK(listed({.app = "moving"}) == "s4 s2 s1 ");
  CHECK(listed({.app = "none"}).empty());
  CHECK(listed({.open_only = true}) == "s3 s1 ");
  CHECK(listed({.app = "moving", .open_only = true}) == "s1 ");
  CHECK(listed({.limit = 2}) == "s4 s3 ");
}

void apps_do_not_see_each_other(store_writer& store) {
  const session_key foreign{.app = "other", .id = first.id};
  claim(store, first).value();
  REQUIRE(ask(store, append(first, 1, 0, messages(0, 1))).has_value());
  CHECK(ask(store, claim_session{.key = foreign}).error().code == errc::not_found);
  CHECK(claim(store, foreign).value().created);
  CHECK(journal(store, foreign).empty());
}

void claims_fold_the_journal(store_writer& store) {
  random_engine random{11};
  const auto events = random_journal(random, 300);
  std::vector<event_ptr> kept;
  // Erased bodies are not appended; in their place stands something harmless.
  std::set<std::string> keys;
  for (const auto& e : events) {
    const auto* asked = std::get_if<response_requested>(&e->body);
    const auto* topic = std::get_if<topic_updated>(&e->body);
    const bool repeats = (asked && !keys.insert("r" + asked->response).second)
                         || (topic && !topic->edit.empty() && !keys.insert(topic->edit).second);
    const bool other = repeats || std::holds_alternative<erased>(e->body);
    kept.push_back(other ? make_event(e->seq, analysis_done{}) : e);
  }
  claim(store, first).value();
  view_ptr view;
  for (std::size_t at = 0; at < kept.size(); at += 50) {
    const auto begin = kept.begin() + static_cast<std::ptrdiff_t>(at);
    const std::vector<event_ptr> some{begin, begin + 50};
    REQUIRE(ask(store, append(first, 1, at, some, std::to_string(at))).has_value());
    view = sidevoice::apply(view, some).value();
    if (at % 100 == 0)
      REQUIRE(ask(store, put_snapshot{first, view}).has_value());
  }
  const auto again = claim(store, first).value();
  CHECK(*again.view == *view);
  CHECK(again.row.head == kept.size());
}

void snapshots_never_run_ahead(store_writer& store) {
  claim(store, first).value();
  REQUIRE(ask(store, append(first, 1, 0, messages(0, 1))).has_value());
  const auto ahead = sidevoice::apply(view_ptr{}, messages(0, 3)).value();
  CHECK(ask(store, put_snapshot{first, ahead}).has_value());
  REQUIRE(
    ask(store, append(first, 1, 1, {make_event(2, analysis_done{.head_read = 1})})).has_value());
  REQUIRE(
    ask(store, append(first, 1, 2, {make_event(3, analysis_done{.head_read = 2})})).has_value());
  CHECK(claim(store, first).value().view->analyzed_to == 2);
  CHECK(ask(store, put_snapshot{second, ahead}).error().code == errc::not_found);
}

void large_bodies_are_kept(store_writer& store) {
  claim(store, first).value();
  const std::string text(200 * 1024, 'x');
  const std::vector<event_ptr> events{
    make_event(1, item_put{.rank = "1", .value = user_message("a", text)}),
    make_event(2, item_put{.rank = "1", .value = user_message("a", text)})};
  REQUIRE(ask(store, append(first, 1, 0, events)).has_value());
  CHECK(same(journal(store, first), events));
  CHECK(claim(store, first).value().view->find_item("a")->value.text == text);
}

/// What an owner believes.
struct owner {
  std::uint64_t epoch = 0;
  std::uint64_t head = 0;
};

void of_two_owners_one_writes(store_writer& store) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    random_engine random{seed};
    const session_key key{.app = "moving", .id = "sess_" + std::to_string(seed)};
    owner owners[2];
    std::size_t newest = 2;
    std::vector<event_ptr> expected;
    for (int step = 0; step < 120; ++step) {
      const auto who = below(random, 2);
      auto& me = owners[who];
      if (newest == 2 || below(random, 8) == 0) {
        const auto row = claim(store, key, "node_" + std::to_string(who)).value().row;
        me = {row.epoch, row.head};
        newest = who;
        continue;
      }
      const auto mark = std::to_string(step) + "_";
      const auto events = messages(me.head, 1 + below(random, 3), mark);
      const auto answer = ask(store, append(key, me.epoch, me.head, events, mark));
      REQUIRE(answer.has_value() == (who == newest));
      CHECK(ask(store, find_append{key, mark}).value().stored == (who == newest));
      if (!answer) {
        CHECK(answer.error().code == errc::conflict);
        continue;
      }
      me.head = answer->head;
      expected.insert(expected.end(), events.begin(), events.end());
    }
    CHECK(same(journal(store, key), expected));
  }
}

void of_two_appends_in_a_group_one_wins(store_writer& store) {
  claim(store, first, "node_a").value();
  claim(store, first, "node_b").value();
  for (std::uint64_t head = 0; head < 20; ++head) {
    const auto stale = append(first, 1, head, messages(head, 1, "stale"), "stale");
    const auto valid = append(first, 2, head, messages(head, 1, "valid"), std::to_string(head));
    const auto answers = append_group(store, head % 2 == 0 ? std::vector{stale, valid, valid}
                                                           : std::vector{valid, stale, valid});
    std::size_t stored = 0;
    for (const auto& answer : answers)
      stored += answer.has_value() ? 1 : 0;
    CHECK(stored == 1);
  }
  CHECK(same(journal(store, first), messages(0, 20, "valid")));
}

} // namespace

const std::vector<store_rule>& session_rules() {
  static const std::vector<store_rule> rules{
    {"a claim creates, and raises the epoch", claim_creates_and_raises_the_epoch},
    {"an append stores its events and moves the row", append_stores_events_and_row},
    {"every body is kept as it was", every_body_is_kept},
    {"an append needs the right epoch and head", append_needs_epoch_and_head},
    {"wrong appends are refused as invalid", wrong_appends_are_refused},
    {"an unknown commit can be read back", unknown_commits_can_be_read_back},
    {"one refusal leaves the rest of the group", one_refusal_leaves_the_group},
    {"a refused append leaves nothing", refused_append_leaves_nothing},
    {"a client's key counts once", client_keys_count_once},
    {"pages are read in order", pages_are_read_in_order},
    {"lists are newest first", lists_are_newest_first},
    {"apps do not see each other", apps_do_not_see_each_other},
    {"a claim folds the journal, with and without snapshots", claims_fold_the_journal},
    {"a snapshot never runs ahead of the journal", snapshots_never_run_ahead},
    {"large bodies are kept", large_bodies_are_kept},
    {"of two owners one writes", of_two_owners_one_writes},
    {"of two appends in one group one wins", of_two_appends_in_a_group_one_wins},
  };
  return rules;
}

void check_conformance(const std::function<std::unique_ptr<store_writer>()>& make_empty_store) {
  for (const auto* rules : {&session_rules(), &admin_rules()})
    for (const auto& rule : *rules) {
      CAPTURE(rule.name);
      const auto store = make_empty_store();
      REQUIRE(store);
      rule.check(*store);
    }
}

} // namespace sidevoice::samples
