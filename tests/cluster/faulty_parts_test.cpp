#include "cluster/faulty_parts.hpp"

#include "cluster/fault_runner.hpp"
#include "tests/actors/hand_store.hpp"
#include "tests/lab/lab_loop.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

struct bench {
  loop::clock::time_point time{1h};
  lab::lab_loop where{[this] { return time; }};
  fault_switches faults;

  void settle() {
    while (where.has_work())
      where.run_once();
  }
  void pass(std::chrono::milliseconds by) {
    time += by;
    settle();
  }
};

struct store_bench : bench {
  hand_store disk;
  faulty_store between{disk, where, faults};
  std::vector<std::string> answers;

  store_bench() {
    between.ask(claim_session{.key = {"app", "s"}, .node = "n", .create = true},
                [](const result<claimed>& got) { REQUIRE(got.has_value()); });
    disk.turn();
  }

  void append(const std::string& id) {
    append_events what;
    what.key = {"app", "s"};
    what.epoch = 1;
    what.append_id = id;
    between.ask(std::move(what), [this, id](const result<appended>& got) {
      answers.push_back(id + " " + (got ? "done" : to_string(got.error().code)));
    });
  }
  std::size_t appends_at_disk() const {
    return disk.waiting.size();
  }
};

/// Says its one word as soon as it is asked.
class echo_llm final : public llm_provider {
public:
  explicit echo_llm(loop& where) : where_{where} {}
  result<std::unique_ptr<llm_stream>> open(llm_request, llm_sink sink) override {
    where_.post([sink] {
      sink(llm_text{"word"});
      sink(llm_done{});
    });
    return std::unique_ptr<llm_stream>{std::make_unique<stream>()};
  }

private:
  class stream final : public llm_stream {};
  loop& where_;
};

struct llm_bench : bench {
  counters count;
  counted_ids ids{1};
  catalogue real;
  std::unique_ptr<llm_stream> under_way;
  std::vector<std::string> said;

  llm_bench() {
    real.add_llm("echo", [](const provider_context& with, const json_text&) {
      return result<std::unique_ptr<llm_provider>>{std::make_unique<echo_llm>(with.where)};
    });
  }

  /// Why it was refused; empty: it was not.
  std::string ask(const catalogue& from) {
    auto made = from.make_llm({"echo", "", "{}"}, {where, ids, count});
    REQUIRE(made.has_value());
    auto opened = (*made)->open({}, [this](const llm_event& event) {
      said.push_back(std::holds_alternative<llm_text>(event)   ? "text"
                     : std::holds_alternative<llm_done>(event) ? "done"
                                                               : "failed");
    });
    if (!opened)
      return opened.error().reason;
    under_way = std::move(*opened);
    return {};
  }
};

} // namespace

TEST_CASE("a full store refuses appends and answers questions") {
  store_bench b;
  b.faults.set(fault_target::store, fault_switches::setting{"full"});
  b.append("a");
  CHECK(b.answers.empty()); // never from inside the call
  b.settle();
  CHECK(b.answers == std::vector<std::string>{"a full"});
  bool read = false;
  b.between.ask(list_sessions{}, [&](const result<session_list>& got) { read = got.has_value(); });
  b.disk.turn();
  CHECK(read);
  b.faults.set(fault_target::store, std::nullopt);
  b.append("b");
  CHECK(b.appends_at_disk() == 1);
}

TEST_CASE("an unavailable store answers nothing at all") {
  store_bench b;
  b.faults.set(fault_target::store, fault_switches::setting{"unavailable"});
  std::string why;
  b.between.ask(list_sessions{},
                [&](const result<session_list>& got) { why = to_string(got.error().code); });
  b.settle();
  CHECK(why == "unavailable");
  CHECK(b.disk.waiting.empty());
}

TEST_CASE("an unknown outcome may have been written and may not") {
  store_bench b;
  b.faults.set(fault_target::store, fault_switches::setting{"unknown"});
  b.append("a");
  b.append("b");
  CHECK(b.appends_at_disk() == 1);
  b.disk.turn();
  b.settle();
  CHECK(b.answers.size() == 2);
  for (const auto& answer : b.answers)
    CHECK(answer.ends_with("unknown_outcome"));
}

TEST_CASE("a slow store keeps the order also of what comes after it was slow") {
  store_bench b;
  b.faults.set(fault_target::store, fault_switches::setting{"slow", 50ms});
  b.append("a");
  b.faults.set(fault_target::store, std::nullopt);
  b.append("b");
  b.pass(49ms);
  CHECK(b.appends_at_disk() == 0);
  b.pass(1ms);
  REQUIRE(b.appends_at_disk() == 2);
  CHECK(std::get<store_task<append_events>>(b.disk.waiting[0]).job.append_id == "a");
  CHECK(std::get<store_task<append_events>>(b.disk.waiting[1]).job.append_id == "b");
}

TEST_CASE("a model fails, stalls or is slow for as long as it is said") {
  llm_bench b;
  const auto faulty = make_faulty_catalogue(b.real, b.faults);
  b.faults.set(fault_target::llm, fault_switches::setting{"fail"});
  CHECK(b.ask(faulty) == "fault");
  b.faults.set(fault_target::llm, fault_switches::setting{"stall"});
  CHECK(b.ask(faulty).empty());
  b.pass(1h);
  CHECK(b.said.empty());
  b.faults.set(fault_target::llm, fault_switches::setting{"slow", 40ms});
  CHECK(b.ask(faulty).empty());
  b.settle(); // the model has said it, and it is on its way
  b.pass(39ms);
  CHECK(b.said.empty());
  b.pass(1ms);
  CHECK(b.said == std::vector<std::string>{"text", "done"});
  b.faults.set(fault_target::llm, std::nullopt);
  CHECK(b.ask(faulty).empty());
  b.settle();
  CHECK(b.said.size() == 4);
}

TEST_CASE("only the time of day is shifted") {
  bench b;
  shifted_loop where{b.where};
  const auto wall = where.wall();
  const auto now = where.now();
  where.shift(1h);
  CHECK(where.wall() - wall == 1h);
  CHECK(where.now() == now);
}

TEST_CASE("a runner makes each fault of its scenario at its time") {
  bench b;
  shifted_loop clock{b.where};
  counters count;
  std::vector<fault_order> orders;
  auto read = read_fault_scenario(R"({ "version": 1, "faults": [
      { "do": "crash", "actor": "stt", "session": "first", "at_ms": 10, "every_ms": 10, "times": 2 },
      { "do": "hang", "actor": "tts", "at_ms": 15, "for_ms": 700 },
      { "do": "store", "fault": "full", "at_ms": 10, "for_ms": 20 },
      { "do": "clock", "by_s": 5, "at_ms": 30 } ] })",
                                  "f", {"stt", "tts"});
  REQUIRE(read.faults.empty());
  fault_runner runner{std::move(read.scenario),
                      {&b.where, &b.faults, &clock, &count,
                       [&](const fault_order& order) { orders.push_back(order); }}};
  runner.start();
  const auto wall = clock.wall();
  b.pass(9ms);
  CHECK(orders.empty());
  b.pass(1ms);
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].session == "first");
  CHECK(orders[0].kind == fault_kind::crash);
  CHECK(b.faults.get(fault_target::store)->fault == "full");
  CHECK_FALSE(b.faults.get(fault_target::llm));
  b.pass(10ms);
  REQUIRE(orders.size() == 3);
  CHECK(orders[1].session.empty());
  CHECK(orders[1].kind == fault_kind::hang);
  CHECK(orders[1].length == 700ms);
  b.pass(10ms);
  CHECK_FALSE(b.faults.get(fault_target::store));
  CHECK(clock.wall() - wall == 5s + 30ms);
  CHECK(count.value(counter::faults_made) == 2); // actors count their own
  CHECK(b.where.timers() == 0);
}
