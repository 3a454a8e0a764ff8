#include "tests/lab/world.hpp"

#include "cluster/sweeper.hpp"
#include "gateway/protocol_realtime.hpp"
#include "tests/lab/lab_app.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sidevoice::lab {

namespace {

using std::chrono::milliseconds;

/// Runs whose store is SQLite on a disk that fails: they take longer.
constexpr std::uint64_t sqlite_percent = 45;

/// After the last step hangs last on, and whoever hung is replaced; then nothing fails any more.
constexpr milliseconds faults_end{40'000};

/// Words that overtake each other, and for which an engine need not be replaced yet.
constexpr std::uint64_t slow_words_ms = 4'000;

/// Of 100 ms behind the last step, in which lines still break: what waits for a deadline by then
/// is met by clients that come back.
constexpr int late_rounds = 300;

/// How often answers are broken into behind the last step. Each leads to another one.
constexpr int breaks_in_max = 2;

} // namespace

world::world(scenario plan, bool trace)
    : plan_{std::move(plan)},
      chance_{plan_.seed},
      trace_{trace},
      app_{make_app(chance_, plan_.late)},
      providers_{catalogue::builtin()},
      ids_{plan_.seed},
      apps_{{{app_->id, entry_of(app_)}}},
      figures_{session_tree_names(true),
               {.hang = [this](caf::scheduled_actor& who,
                               milliseconds length) { hung_[who.id()] = loop_->now() + length; }}},
      platter_{chance_.chance(sqlite_percent) && !is_without("sqlite")
                 ? std::make_unique<faulty_disk>(plan_.seed)
                 : nullptr},
      disk_{std::make_unique<watched_disk>(
        platter_ ? platter_->make_writer() : make_memory_store("disk"),
        [this](const session_key& key) { look(key); },
        [this](const std::string& what) { violated(what); })} {
  providers_.add_llm("script", make_script_llm(chance_, script_));
  add_lab_voice(providers_, chance_, voice_);
  talks_ = chance_.chance(50) && !is_without("voice");
  voice_ = {.hear_fail_percent = chance_.roll(3) * 5,
            .hear_hang_percent = chance_.roll(3) * 2,
            .say_fail_percent = chance_.roll(3) * 5,
            .say_hang_percent = chance_.roll(3) * 2,
            .hear_max_ms = chance_.chance(30) ? slow_words_ms : 400U};
  if (is_without("speech"))
    voice_ = {};
  providers_.add_llm("asker", make_asker_llm(chance_, script_));
  asks_ = app_->conversation_models.front().vendor == "asker";
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  sched_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  loop_ = std::make_unique<lab_loop>([this] { return sched_->clock().now(); });
  outside_ = std::make_unique<lab_http>(*loop_, chance_,
                                        [this](const std::string& call, const std::string& tool) {
                                          said_to_run(call, tool);
                                        });
  // Who talks calls now and then in any case.
  script_.call_percent = (talks_ ? 10 : 0) + chance_.roll(4) * 20;
  script_.latency_max_ms = chance_.chance(50) ? 3 : 200;
  script_.analyzer_extra_ms = chance_.chance(25) || plan_.late ? 5000 : 0;
  script_.fail_percent = chance_.roll(3) * 5;
  script_.stall_percent = chance_.roll(3) * 2;
  // Who says little is hardly ever interrupted.
  script_.pieces_max = talks_ && chance_.chance(50) ? 80 : 12;
  if (is_without("models"))
    script_.fail_percent = script_.stall_percent = 0;
  act_percent_ = std::array{10, 4, 1}.at(chance_.roll(3));
  start_node();
  const auto sessions = is_without("second session") ? 1 : 1 + chance_.roll(2);
  for (std::uint64_t s = 0; s < sessions; ++s)
    for (std::uint64_t c = 0, n = 1 + chance_.roll(2) + (s == 0 ? 1 : 0); c < n; ++c) {
      const auto name = "s" + std::to_string(s) + "c" + std::to_string(c);
      patron who{std::make_unique<lab_client>(name, c == 0 || chance_.chance(60),
                                              [this, name](const std::string& what) {
                                                violated(what);
                                              }),
                 "sess_" + std::to_string(s), std::make_shared<bool>(false)};
      who.client->states_topics = asks_;
      // Where little happens it is mostly talk, and answers are heard to their ends, or
      // interrupted.
      if (act_percent_ < 10)
        who.client->talks_percent = 92;
      if (talks_ && chance_.chance(70))
        who.client->give_microphone(next_sentence_);
      who.client->on_first_piece = [this, session = who.session](const std::string& response) {
        const auto& events = watch_of(session).events();
        if (std::none_of(events.begin(), events.end(), [&](const event_ptr& e) {
              const auto* started = std::get_if<response_started>(&e->body);
              return started != nullptr && started->response == response;
            }))
          violated("a piece of " + response + " left before its response.started was durable");
      };
      patrons_.push_back(std::move(who));
    }
}

world::~world() {
  patrons_.clear();
  hung_.clear();
  if (directory_)
    caf::anon_send(directory_, stop_atom::value);
  directory_ = nullptr;
  while (work_once()) {}
  for (const auto& one : spawned_)
    if (auto actor = caf::actor_cast<caf::actor>(one.address))
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  while (work_once()) {}
  // Delayed messages hold their receivers: let the clock drop them before the system ends.
  sched_->trigger_timeouts();
  while (work_once()) {}
}

session_tree world::recorded_tree() {
  auto tree = make_session_tree();
  tree.session = [this, start = tree.session](caf::actor_system& sys, const node_parts& parts,
                                              const find_session& who) {
    auto fresh = start(sys, parts, who);
    spawned_.push_back({fresh.address(), who.id});
    return fresh;
  };
  for (auto& child : tree.children)
    child.start = [this, start = child.start](caf::actor_system& sys, const node_parts& parts,
                                              const find_session& who,
                                              const session_actor& session) {
      auto fresh = start(sys, parts, who, session);
      spawned_.push_back({fresh.address(), who.id});
      return fresh;
    };
  for (auto& child : tree.voice)
    child.start = [this, start = child.start](caf::actor_system& sys, const node_parts& parts,
                                              const find_session& who, const session_actor& session,
                                              const start_voice& seat) {
      auto fresh = start(sys, parts, who, session, seat);
      spawned_.push_back({fresh.address(), who.id});
      return fresh;
    };
  return tree;
}

void world::start_node() {
  ++incarnation_;
  stores_.push_back(std::make_unique<lab_store>(*disk_, *loop_, chance_));
  outside_->break_percent = is_without("webhooks") ? 0 : chance_.roll(3) * 20;
  stores_.back()->refuse_percent = is_without("store") ? 0 : chance_.roll(3) * 2;
  stores_.back()->unknown_percent = is_without("store") ? 0 : chance_.roll(3) * 2;
  parts_ = {.journal = stores_.back().get(),
            .providers = &providers_,
            .apps = &apps_,
            .http = outside_.get(),
            .ledger = &ledger_,
            .figures = &figures_,
            .where = loop_.get(),
            .ids = &ids_,
            .count = &count_,
            .node = "node_" + std::to_string(incarnation_)};
  parts_.timing.calls = {milliseconds{20'000}, milliseconds{30'000}};
  if (plan_.served) {
    faulty_.push_back(
      std::make_unique<faulty_node>(*plan_.served, parts_, [this](const fault_order& order) {
        if (directory_)
          caf::anon_send(directory_, order);
      }));
    parts_ = faulty_.back()->between(parts_);
  }
  directory_ = spawn_directory_local(*system_, parts_, recorded_tree());
  if (plan_.served)
    faulty_.back()->start();
  spawn_sweeper(*system_, parts_, directory_,
                [app = app_](const std::string& id) { return id == app->id ? app : nullptr; });
}

void world::say(const std::string& what) {
  if (trace_)
    std::printf(
      "%8lld ms  %s\n",
      static_cast<long long>(
        std::chrono::duration_cast<milliseconds>(loop_->now().time_since_epoch()).count()),
      what.c_str());
}

// -- turning
// ---------------------------------------------------------------------------------------------

bool world::work_once() {
  auto& queue = sched_->jobs;
  // A hung actor handles nothing; its turn comes when it wakes.
  std::erase_if(hung_, [now = loop_->now()](const auto& one) { return one.second <= now; });
  if (!hung_.empty())
    std::stable_partition(queue.begin(), queue.end(),
                          [this](const caf::resumable* job) { return !is_hung(job); });
  const auto ready = hung_.empty()
                       ? queue.size()
                       : static_cast<std::size_t>(std::count_if(queue.begin(), queue.end(),
                                                                [this](const caf::resumable* job) {
                                                                  return !is_hung(job);
                                                                }));
  const auto jobs = ready > 0;
  const auto loop_work = loop_->has_work();
  const auto store_work = !stores_.empty() && stores_.back()->has_work();
  const auto kinds = static_cast<std::uint64_t>(jobs) + static_cast<std::uint64_t>(loop_work)
                     + static_cast<std::uint64_t>(store_work);
  if (kinds == 0)
    return false;
  auto pick = chance_.roll(kinds);
  if (jobs && pick-- == 0) {
    const auto picked = queue.begin() + static_cast<std::ptrdiff_t>(chance_.roll(ready));
    std::rotate(queue.begin(), picked, picked + 1);
    sched_->run_once();
  } else if (loop_work && pick-- == 0) {
    loop_->run_once();
  } else {
    stores_.back()->turn();
    // The power went in the middle of a write: nothing that was answered since counts.
    if (platter_ && !platter_->has_power())
      crash_node(true);
  }
  ++out_.steps;
  check_step();
  return true;
}

void world::advance(milliseconds by) {
  sched_->advance_time(by);
}

void world::connect(patron& who) {
  if (*who.searching)
    return;
  *who.searching = true;
  find_session where{.app = app_, .id = who.session, .create = true};
  system_->spawn([this, &who, where](caf::event_based_actor* self) {
    self->set_down_handler([](const caf::down_msg&) {});
    self->request(directory_, std::chrono::seconds{5}, where)
      .then(
        [this, &who, where](const session_actor& session) {
          *who.searching = false;
          realtime_options options{.app = app_,
                                   .session = where.id,
                                   .extensions = who.client->has_extensions()};
          options.ids = &ids_;
          options.hears = true;
          options.speaks = true;
          auto parts = std::make_shared<connection_parts>();
          parts->directory = directory_;
          parts->where = where;
          parts->session = session;
          parts->codec = make_protocol_realtime(std::move(options));
          parts->link = who.client->new_link();
          parts->count = &count_;
          parts->vad = &lab_vad();
          parts->ids = &ids_;
          parts->clock = loop_.get();
          auto fresh = spawn_connection(*system_, std::move(parts));
          spawned_.push_back({fresh.address(), where.id});
          who.client->connected(std::move(fresh));
        },
        [searching = who.searching](const caf::error&) { *searching = false; });
  });
}

void world::step() {
  const auto roll = chance_.roll(100);
  if (roll < 80 && work_once())
    return;
  // Who never lets an agent finish meets other faults than who listens.
  if (roll < 80 + act_percent_) {
    auto& who = patrons_[chance_.roll(patrons_.size())];
    if (!who.client->is_connected())
      connect(who);
    else if (chance_.chance(4) && !is_without("lines"))
      who.client->disconnect();
    else
      who.client->act(chance_);
    return;
  }
  // Seconds pass where everybody waits; a machine that takes them over its work is a hang's matter.
  const auto waits = sched_->jobs.empty();
  const auto ms = 1 + chance_.roll(chance_.chance(10) ? (waits ? 4000 : 400) : 100);
  advance(milliseconds{ms});
  // Who talks goes on talking.
  for (auto& who : patrons_)
    if (auto* mic = who.client->microphone())
      mic->pump(ms);
}

std::set<std::string> world::sessions() const {
  std::set<std::string> all;
  for (const auto& who : patrons_)
    all.insert(who.session);
  return all;
}

bool world::is_busy() {
  for (const auto& session : sessions())
    if (const auto& view = watch_of(session).view();
        view->ended.empty() && (!view->open_responses.empty() || !view->open_calls.empty()))
      return true;
  return false;
}

void world::settle() {
  script_.fail_percent = 0;
  script_.stall_percent = 0;
  if (chance_.chance(50))
    outside_->break_percent = 0;
  stores_.back()->refuse_percent = 0;
  stores_.back()->unknown_percent = 0;
  if (platter_)
    platter_->heal();
  if (plan_.served)
    faulty_.back()->stop();
  voice_ = {.unheard = voice_.unheard};
  for (auto& who : patrons_)
    if (auto* mic = who.client->microphone())
      mic->finish();
  quiet_from_ms_ = wall_ms(*loop_) + faults_end.count();
  int broken_into = 0;
  // Whatever waits for a deadline gets it: stalls, retries, reconnects. Long answers are spoken to
  // their ends; and the agent may just have asked whether anybody is there.
  for (int round = 0; out_.violations.empty() && round < 12000; ++round) {
    while (work_once()) {}
    if (round >= 1200 && !is_busy())
      return;
    for (auto& who : patrons_)
      if (!who.client->is_connected())
        connect(who);
      else if (round < late_rounds && !is_without("lines") && chance_.chance(1))
        who.client->disconnect();
      else if (auto* mic = who.client->microphone()) {
        // What is cut where nothing fails is easier to judge, and most answers come only now.
        if (broken_into < breaks_in_max && mic->break_in(chance_, next_sentence_)) {
          ++broken_into;
          mic->finish();
        }
        mic->pump(500);
      }
    advance(milliseconds{100});
  }
}

outcome world::run() {
  auto fault = plan_.faults.begin();
  std::vector<planned_fault> waiting;
  for (std::uint64_t i = 0; i < plan_.steps && out_.violations.empty(); ++i) {
    for (; fault != plan_.faults.end() && fault->at_step <= i; ++fault)
      waiting.push_back(*fault);
    std::erase_if(waiting, [this](const planned_fault& one) { return make_fault(one); });
    step();
  }
  say("settling");
  settle();
  // What went wrong under way has its own consequences, and they tell nothing new.
  if (!out_.violations.empty()) {
    for (const auto& [session, watch] : watches_)
      print(session, watch);
    return std::move(out_);
  }
  for (const auto& session : sessions())
    check_journal(session);
  check_usage();
  check_tree();
  check_silence();
  return std::move(out_);
}

} // namespace sidevoice::lab
