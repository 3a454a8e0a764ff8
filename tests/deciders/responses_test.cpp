#include "actors/responses.hpp"

#include "actors/journal.hpp"
#include "actors/restart_policy.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

/// A session's journal that a test writes into.
struct story {
  journal log{{"app", "sess_1"}, 1, std::make_shared<const session_view>()};
  counted_ids ids{7};

  void tell(std::vector<event_body> events) {
    log.push(std::move(events), 1000);
  }
  const session_view& view() const {
    return *log.ahead();
  }
  next_step next(const runner_status& runner = {.available = true}) {
    return decide_next(view(), runner, ids);
  }
};

event_body user_item(const std::string& id) {
  return item_put{"0000000" + id.substr(id.size() - 1), {.id = id, .text = "words"}};
}

} // namespace

TEST_CASE("the oldest request begins, one at a time, and only with a runner") {
  story s;
  s.tell({user_item("in_1"), response_requested{"resp_1", {"in_1"}},
          response_requested{"resp_2", {"resp_2"}}});
  CHECK(s.next({.available = false}).events.empty());
  auto step = s.next();
  REQUIRE(step.run);
  CHECK(step.run->response == "resp_1");
  CHECK(step.run->attempt == 1);
  s.tell(step.events);
  CHECK(s.next({.available = true, .response = "resp_1"}).events.empty());
}

TEST_CASE(
  "a run that was lost before anything was out is tried again, and the third time is the last") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}});
  for (std::uint32_t attempt = 1; attempt <= max_attempts; ++attempt) {
    auto step = s.next();
    REQUIRE(step.run);
    CHECK(step.run->attempt == attempt);
    s.tell(step.events);
  }
  auto poison = s.next();
  CHECK_FALSE(poison.run);
  REQUIRE(poison.events.size() == 1);
  const auto done = std::get<response_done>(poison.events.front());
  CHECK(done.status == response_status::failed);
  CHECK(done.reason == "poison");
}

TEST_CASE("a run that was lost with words out is closed as heard and continued, never run again") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, response_started{"resp_1", 1, "item_1"},
          response_spoken{"resp_1", 1, 1, "One. "}});
  auto step = s.next();
  CHECK_FALSE(step.run);
  CHECK(step.recovered);
  REQUIRE(step.events.size() == 3);
  const auto& put = std::get<item_put>(step.events[0]).value;
  CHECK(put.text == "One. ");
  CHECK(put.status == item_status::incomplete);
  CHECK(std::get<response_done>(step.events[1]).reason == "owner_lost");
  CHECK(std::get<response_requested>(step.events[2]).cause == std::vector<std::string>{"resp_1"});
}

TEST_CASE("what listeners were given beyond the journal counts as heard") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, response_started{"resp_1", 1, "item_1"}});
  auto step = s.next({.available = true, .lost_response = "resp_1", .lost_text = "Hel"});
  REQUIRE(step.events.size() == 3);
  CHECK(std::get<item_put>(step.events[0]).value.text == "Hel");
}

TEST_CASE("continuations end, so that a crash in each of them does not go on for ever") {
  story s;
  s.tell({response_requested{"resp_0", {"resp_0"}}});
  int lost = 0;
  for (auto step = s.next(); !step.events.empty(); step = s.next()) {
    s.tell(step.events);
    if (step.run) {
      s.tell({response_spoken{step.run->response, step.run->attempt, 1, "Words. "}});
      ++lost;
    }
  }
  CHECK(lost == 1 + static_cast<int>(max_continuations));
  CHECK(s.view().open_responses.empty());
}

TEST_CASE("a step that journaled a call is never asked again") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, response_started{"resp_1", 1, "item_1"},
          item_put{"00000001",
                   {.id = "call_item",
                    .kind = item_kind::function_call,
                    .call_id = "call_1",
                    .response = "resp_1"}}});
  const auto step = s.next();
  CHECK_FALSE(step.run);
  CHECK(std::get<response_done>(step.events.front()).reason == "owner_lost");
}

TEST_CASE("what may not begin waits, and what runs is still recovered") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}});
  const runner_status leaving{.available = true, .may_begin = false};
  CHECK(decide_next(s.view(), leaving, s.ids).events.empty());
  s.tell({response_started{"resp_1", 1, "item_1"}});
  const auto again = decide_next(s.view(), leaving, s.ids);
  REQUIRE(again.run);
  CHECK(again.run->attempt == 2);
}

TEST_CASE("a session that ended begins nothing") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, session_ended{"ended"}});
  CHECK(s.next().events.empty());
}

TEST_CASE("a refused append takes the fold back to the durable head") {
  story s;
  s.tell({user_item("in_1")});
  REQUIRE(s.log.begin("a"));
  s.tell({user_item("in_2")});
  CHECK_FALSE(s.log.begin("b"));
  CHECK(s.log.committed().size() == 1);
  CHECK(s.log.durable()->head == 1);
  CHECK(s.view().head == 2);
  const auto second = s.log.begin("c");
  REQUIRE(second);
  CHECK(second->head == 1);
  s.tell({user_item("in_3")});
  s.log.refused();
  CHECK(s.view().head == 1);
  CHECK(s.log.idle());
}

TEST_CASE("restarts pause longer each time, and a fourth crash within the window ends it") {
  restart_policy policy;
  const restart_policy::time_point start{};
  CHECK(*policy.on_crash(start, 0) == 0ms);
  CHECK(*policy.on_crash(start + 1s, 0) == 100ms);
  CHECK(*policy.on_crash(start + 2s, 3) == 503ms);
  CHECK_FALSE(policy.on_crash(start + 3s, 0));
  CHECK(policy.on_crash(start + 14s, 0));
  CHECK(policy.restarts() == 4);
}
