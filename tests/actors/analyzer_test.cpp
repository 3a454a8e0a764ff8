#define CAF_SUITE analyzer

#include "actors/analyzer.hpp"

#include "actors/session.hpp"
#include "tests/actors/hand_store.hpp"
#include "tests/lab/lab_loop.hpp"

// The test framework uses it without defining it.
#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

#include <string>

/// When an analysis is made, and when it gives way.

namespace {

using namespace sidevoice;
using namespace std::chrono_literals;

struct config : caf::actor_system_config {};

struct fixture : test_coordinator_fixture<config> {
  fixture() : where{[this] { return sched.clock().now(); }} {
    app->id = "app";
    app->topics = {{.id = "name", .label = "Name", .required = true}};
    parts = {.journal = &journal,
             .providers = &providers,
             .where = &where,
             .ids = &ids,
             .count = &count,
             .node = "n1"};
    session = spawn_session(sys, parts, {.app = app, .id = "sess_1", .create = true});
    analyzer = spawn_analyzer(sys, parts, session, "sess_1");
    settle();
  }

  ~fixture() {
    caf::anon_send_exit(analyzer, caf::exit_reason::kill);
    caf::anon_send_exit(session, caf::exit_reason::kill);
    sched.run();
  }

  void settle() {
    sched.run();
    while (!journal.waiting.empty()) {
      journal.turn();
      sched.run();
    }
  }

  /// The visitor says something, and the session takes `delay` to tell the analyzer where it
  /// stands.
  void say(const std::string& id, std::chrono::milliseconds delay) {
    put_item put;
    put.value.id = id;
    put.value.text = "My name is Anna.";
    caf::anon_send(session, put);
    sched.run();
    journal.turn();
    sched.run_once(); // the session publishes
    sched.run_once(); // the analyzer asks
    sched.advance_time(delay);
    settle();
  }

  void pass(std::chrono::milliseconds time) {
    sched.advance_time(time);
    settle();
  }

  /// There is no model here, so that an analysis that is made fails at once: it was tried.
  [[nodiscard]] std::uint64_t made() const {
    return count.value(counter::analyses_failed);
  }
  [[nodiscard]] std::uint64_t put_off() const {
    return count.value(counter::analyses_put_off);
  }

  std::shared_ptr<app_definition> app = std::make_shared<app_definition>();
  catalogue providers;
  counters count;
  counted_ids ids{1};
  hand_store journal;
  lab::lab_loop where;
  node_parts parts;
  session_actor session;
  listener_actor analyzer;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(analyzer_tests, fixture)

CAF_TEST(an analysis is made as soon as its session says where it stands) {
  say("in_1", 100ms);
  CAF_CHECK_EQUAL(made(), 1u);
  CAF_CHECK_EQUAL(put_off(), 0u);
}

CAF_TEST(a session that is behind with its messages puts the analysis off and nothing is left out) {
  say("in_1", 300ms);
  CAF_CHECK_EQUAL(made(), 0u);
  CAF_CHECK_EQUAL(put_off(), 1u);
  pass(1900ms);
  CAF_CHECK_EQUAL(made(), 0u);
  pass(200ms);
  CAF_CHECK_EQUAL(made(), 1u);
  CAF_CHECK_EQUAL(put_off(), 1u);
}

CAF_TEST(what comes while an analysis waits does not ask again) {
  say("in_1", 300ms);
  say("in_2", 300ms);
  CAF_CHECK_EQUAL(put_off(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
