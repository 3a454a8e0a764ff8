#include "tests/deciders/checklist_support.hpp"

#include <map>
#include <random>

namespace sidevoice::deciders_test {

namespace {

/// Values of each topic, the last one refused by its schema.
const std::map<std::string, std::vector<json_text>> values{
  {"name", {R"("Ada")", R"("Grace")", "17"}},
  {"date", {R"("2027-03-12")", R"("2027-04-01")", R"("2020-01-01")"}},
  {"home", {R"("flat")", R"("house")", R"("studio")", R"("castle")"}},
  {"floor", {"0", "1", "2", "70"}},
  {"lift", {"true", "false", R"("maybe")"}},
  {"note", {R"("a")", R"("b")", "{}"}},
  {"email", {R"("a@example.org")", R"("b@example.org")", R"("nobody")"}},
};

/// Whether the topic matters, said again in the plainest words.
bool matters(const session_view& view, const std::string& topic) {
  const auto home = view.topic("home");
  const bool has_floor = home.status != topic_status::skipped
                         && (home.value == R"("flat")" || home.value == R"("studio")");
  if (topic == "floor")
    return has_floor;
  const auto floor = view.topic("floor");
  return topic != "lift"
         || (has_floor && floor.status != topic_status::skipped && !floor.value.empty()
             && std::stoi(floor.value) >= 1);
}

void check_invariants(const checklist_session& s) {
  for (const auto& topic : s.app.topics) {
    CAPTURE(topic.id);
    const auto state = s.topic(topic.id);
    if (!matters(s.view, topic.id))
      CHECK(state.status == topic_status::skipped);
    else
      CHECK_FALSE((state.status == topic_status::skipped && state.by == topic_author::rule));
    if (state.status == topic_status::open)
      CHECK(state.value.empty());
    else if (state.status != topic_status::skipped)
      CHECK_FALSE(state.value.empty());
  }
  CHECK(s.view.completed.has_value() == is_complete(s.app, s.view));
  CHECK(s.view.changes.size() <= 32);
}

/// One random walk through edits, analyses and undos.
class walk {
public:
  explicit walk(std::uint32_t seed) : random_(seed) {}

  void step() {
    last_ = session_;
    const auto revision = session_.view.revision;
    switch (random_() % 8) {
      case 0:
      case 1:
        edit();
        break;
      case 2:
        undo();
        break;
      case 3:
        session_.says("hello " + std::to_string(random_() % 100));
        break;
      default:
        analyze();
    }
    CHECK(session_.view.revision >= revision);
    check_invariants(session_);
    check_switches();
  }

  [[nodiscard]] const checklist_session& session() const {
    return session_;
  }

private:
  template <class T>
  const T& any_of(const std::vector<T>& all) {
    return all[random_() % all.size()];
  }

  topic_status any_status() {
    return any_of(std::vector{topic_status::answered, topic_status::answered,
                              topic_status::answered, topic_status::confirmed,
                              topic_status::contradicted, topic_status::open,
                              topic_status::skipped});
  }

  void edit() {
    const auto& topic = any_of(session_.app.topics).id;
    const auto before = session_.topic(topic);
    std::optional<json_text> value;
    if (random_() % 3 != 0)
      value = random_() % 6 == 0 ? "null" : any_of(values.at(topic));
    std::optional<topic_status> status;
    if (random_() % 3 == 0)
      status = any_status();
    const auto base = before.revision + (random_() % 8 == 0 ? 1 : 0);
    const auto done = session_.edits_at(topic, value, status, base);
    if (base != before.revision) {
      REQUIRE_FALSE(done);
      CHECK(done.error().reason == "revision");
    }
    if (done)
      CHECK(session_.topic(topic).person_seq > before.person_seq);
    else
      CHECK(session_.view == last_.view);
  }

  void undo() {
    const auto changes = session_.view.changes;
    const auto done = session_.undoes();
    REQUIRE(done.has_value() == !changes.empty());
    if (changes.empty())
      return;
    CHECK(session_.view.changes.size() == changes.size() - 1);
    const auto& former = changes.back().before;
    const auto now = session_.topic(changes.back().topic);
    CHECK(now.value == former.value);
    CHECK(now.evidence == former.evidence);
    const auto bare = [](const topic_state& state) {
      return state.status == topic_status::skipped && state.by == topic_author::rule ? state.resumes
                                                                                     : state.status;
    };
    CHECK(bare(now) == bare(former));
  }

  void analyze() {
    // Sometimes it has read all, sometimes it is late.
    const auto late = random_() % 3 == 0 ? random_() % 12 : 0;
    const auto head = session_.view.head - std::min<std::uint64_t>(late, session_.view.head);
    std::vector<proposed_topic> proposals;
    const auto item = random_() % 3 == 0 && !session_.view.items.empty()
                        ? session_.view.items[random_() % session_.view.items.size()]->value.id
                        : session_.says("hello");
    for (auto n = 1 + random_() % 3; n > 0; --n) {
      const auto& topic = any_of(session_.app.topics).id;
      proposals.push_back({topic,
                           any_status(),
                           random_() % 4 == 0 ? "" : any_of(values.at(topic)),
                           {item, random_() % 8 == 0 ? "bye" : "hello", 0.5}});
    }
    const auto before = session_.view;
    session_.proposes(proposals, std::max(head, before.head - std::min(before.head, late)));
    const auto* proof = before.find_item(item);
    for (const auto& topic : session_.app.topics) {
      const auto was = before.topic(topic.id);
      const auto is = session_.topic(topic.id);
      CAPTURE(topic.id);
      CHECK(is.person_seq == was.person_seq);
      const bool unread = before.head - std::min(before.head, late) < was.person_seq;
      if (was.person_seq > 0 && (unread || proof->seq < was.person_seq))
        CHECK(is.value == was.value);
    }
  }

  /// Rules change a status and nothing else, and what comes back is as it went.
  void check_switches() {
    for (const auto& topic : session_.app.topics) {
      const auto was = last_.topic(topic.id);
      const auto is = session_.topic(topic.id);
      if (was.status == topic_status::skipped && was.by == topic_author::rule
          && is.by == topic_author::rule && is.status != topic_status::skipped) {
        CAPTURE(topic.id);
        CHECK(is.status == was.resumes);
        CHECK(is.value == was.value);
        CHECK(is.evidence == was.evidence);
      }
    }
  }

  std::mt19937 random_;
  checklist_session session_;
  checklist_session last_;
};

} // namespace

TEST_CASE("random edits, analyses and undos keep the checklist whole") {
  std::size_t completions = 0;
  std::size_t comebacks = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    walk random_walk(seed);
    for (int n = 0; n < 60; ++n) {
      const auto was_complete = random_walk.session().view.completed.has_value();
      random_walk.step();
      const auto& view = random_walk.session().view;
      completions += !was_complete && view.completed ? 1 : 0;
      const auto floor = view.topic("floor");
      comebacks += floor.by == topic_author::rule && floor.status == topic_status::confirmed ? 1
                                                                                             : 0;
    }
  }
  // The walks reach what they are there for.
  CHECK(completions > 0);
  CHECK(comebacks > 0);
}

} // namespace sidevoice::deciders_test
