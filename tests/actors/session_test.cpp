#define CAF_SUITE session

#include "actors/session.hpp"

#include "tests/actors/hand_store.hpp"
#include "tests/lab/lab_loop.hpp"

// The test framework uses it without defining it.
#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>
#include <caf/test/unit_test_impl.hpp>

#include <optional>
#include <string>

namespace {

using namespace sidevoice;
using namespace std::chrono_literals;

struct config : caf::actor_system_config {};

struct fixture : test_coordinator_fixture<config> {
  fixture() : where{[this] { return sched.clock().now(); }} {
    app->id = "app";
    app->greeting = "Hello!";
    app->topics = {{.id = "name", .label = "Name", .required = true}};
    parts = {.journal = &journal,
             .providers = &providers,
             .where = &where,
             .ids = &ids,
             .count = &count,
             .node = "n1"};
    session = spawn_session(sys, parts, {.app = app, .id = "sess_1", .create = true});
    sched.run();
    turn();
    turn();
  }

  ~fixture() {
    caf::anon_send_exit(session, caf::exit_reason::kill);
    sched.run();
  }

  void turn(std::optional<errc> why = std::nullopt) {
    journal.turn(why);
    sched.run();
  }

  static put_item input(const std::string& id) {
    put_item put;
    put.value.id = id;
    put.value.text = "words";
    return put;
  }

  /// Sends an input and keeps what came of it.
  struct outcome {
    bool answered = false;
    bool stored = false;
    bool repeated = false;
    error why;
  };
  std::shared_ptr<outcome> send(put_item put) {
    auto seen = std::make_shared<outcome>();
    sys.spawn([seen, to = session, put = std::move(put)](caf::event_based_actor* asker) {
      asker->request(to, 3600s, put)
        .then(
          [seen](const accepted& answer) {
            seen->answered = seen->stored = true;
            seen->repeated = answer.repeated;
          },
          [seen](const caf::error& e) {
            seen->answered = true;
            seen->why = from_caf(e);
          });
    });
    sched.run();
    return seen;
  }

  std::uint64_t durable_items() {
    std::uint64_t count_of_items = 0;
    std::vector<store_job> jobs;
    jobs.emplace_back(
      store_task<read_events>{{{"app", "sess_1"}, 0, 1000}, [&](result<events_page> page) {
                                for (const auto& e : page->events)
                                  if (std::holds_alternative<item_put>(e->body))
                                    ++count_of_items;
                              }});
    for (auto& done : journal.disk->run(std::move(jobs)))
      done();
    return count_of_items;
  }

  std::shared_ptr<app_definition> app = std::make_shared<app_definition>();
  catalogue providers;
  counters count;
  counted_ids ids{1};
  hand_store journal;
  lab::lab_loop where;
  node_parts parts;
  session_actor session;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(session_tests, fixture)

CAF_TEST(an input is acknowledged when it is durable and not before) {
  const auto seen = send(input("in_1"));
  CAF_CHECK(!seen->answered);
  CAF_CHECK_EQUAL(durable_items(), 1u); // the greeting
  turn();
  CAF_CHECK(seen->stored);
  CAF_CHECK_EQUAL(durable_items(), 2u);
}

CAF_TEST(a full store refuses the input and the session lives on) {
  const auto refused = send(input("in_1"));
  turn(errc::full);
  CAF_CHECK(refused->answered);
  CAF_CHECK(!refused->stored);
  CAF_CHECK(refused->why.code == errc::full);
  CAF_CHECK_EQUAL(durable_items(), 1u);
  const auto again = send(input("in_1"));
  turn();
  CAF_CHECK(again->stored);
  CAF_CHECK(!again->repeated);
  CAF_CHECK_EQUAL(durable_items(), 2u);
}

CAF_TEST(the same id again has the same answer and is stored once) {
  const auto first = send(input("in_1"));
  const auto second = send(input("in_1"));
  CAF_CHECK(!second->answered);
  turn();
  CAF_CHECK(first->stored);
  CAF_CHECK(second->repeated);
  CAF_CHECK_EQUAL(durable_items(), 2u);
}

CAF_TEST(a session whose epoch was taken ends at its next append) {
  std::vector<store_job> steal;
  steal.emplace_back(store_task<claim_session>{{.key = {"app", "sess_1"}, .node = "n2"},
                                               [](const result<claimed>&) {}});
  journal.disk->run(std::move(steal));
  std::string reason;
  // Monitoring holds nobody: without this handle the watcher would be gone at once.
  const auto held = sys.spawn([&, to = session](caf::event_based_actor* watcher) {
    watcher->monitor(to);
    watcher->set_down_handler([&, watcher](const caf::down_msg& down) {
      reason = from_caf(down.reason).reason;
      watcher->quit();
    });
    return caf::behavior{[](int) {}};
  });
  sched.run();
  const auto lost = send(input("in_1"));
  turn();
  turn(); // reads its append back before it judges
  CAF_CHECK(!lost->stored);
  CAF_CHECK_EQUAL(reason, "fenced");
  CAF_CHECK_EQUAL(count.value(counter::sessions_fenced), 1u);
}

CAF_TEST(a store that never answers ends the session by its deadline) {
  send(input("in_1"));
  sched.advance_time(parts.timing.store_deadline + 1s);
  sched.run();
  CAF_CHECK_EQUAL(count.value(counter::deadlines_passed), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
