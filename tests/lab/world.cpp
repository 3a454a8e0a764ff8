#include "tests/lab/world.hpp"

#include "cluster/sweeper.hpp"
#include "gateway/protocol_realtime.hpp"

#include <algorithm>
#include <cstdio>

namespace sidevoice::lab {

namespace {

using std::chrono::milliseconds;

tool_declaration make_tool(const std::string& name, tool_kind kind, tool_effect effect) {
  tool_declaration tool;
  tool.name = name;
  tool.kind = kind;
  tool.effect = effect;
  tool.timeout = milliseconds{3000};
  if (kind == tool_kind::webhook)
    tool.url = "https://shop.example/" + name;
  return tool;
}

app_ptr make_app(dice& chance) {
  auto app = std::make_shared<app_definition>();
  app->id = "moving";
  app->title = "Moving";
  app->greeting = "Hello!";
  app->release = "sha256:lab";
  app->topics = {
    {.id = "name", .type = topic_type::text, .label = "Name", .required = true},
    {.id = "home",
     .type = topic_type::choice,
     .label = "Home",
     .required = true,
     .choices = {{"flat", {}}, {"house", {}}}},
    {.id = "floor",
     .type = topic_type::integer,
     .label = "Floor",
     .when = {{.topic = "home", .any_of = {"\"flat\""}}}},
  };
  app->tools = {make_tool("ask", tool_kind::webhook, tool_effect::none),
                make_tool("book", tool_kind::webhook, tool_effect::idempotent),
                make_tool("pay", tool_kind::webhook, tool_effect::once),
                make_tool("show", tool_kind::client, tool_effect::none),
                make_tool("draw", tool_kind::client, tool_effect::once),
                make_tool("current_date_time", tool_kind::builtin, tool_effect::none)};
  app->tools[2].needs_approval = chance.chance(25);
  app->tools[3].without_page = chance.chance(50) ? no_page::wait : no_page::skip;
  for (const auto& tool : app->tools)
    app->conversation_tools.push_back(tool.name);
  app->analyzer_tools = {"show"};
  app->stt_models = app->tts_models = {{.vendor = "local"}};
  app->voice.barge_in.resume_after_false = chance.chance(80);
  if (chance.chance(30))
    app->voice.dead_air = dead_air_settings{std::chrono::milliseconds{1000}, "One moment."};
  if (chance.chance(30))
    app->voice.visitor_silent = visitor_silent_settings{std::chrono::seconds{5}, "Hello?", 2};
  // The offline agent in a quarter of the runs; else one that does what it likes, or one that asks
  // for what the checklist wants.
  const auto* any = chance.chance(20) ? "rules" : chance.chance(33) ? "asker" : "script";
  const auto* model = world::late_analyzer ? "asker" : any;
  app->conversation_models = {{.vendor = model}};
  app->analyzer_models = {{.vendor = model}};
  return app;
}

const session_key key_of(const app_ptr& app, const std::string& id) {
  return {app->id, id};
}

} // namespace

world::world(std::uint64_t seed, bool trace)
    : chance_{seed},
      trace_{trace},
      app_{make_app(chance_)},
      providers_{catalogue::builtin()},
      ids_{seed},
      disk_{make_memory_store("disk")} {
  providers_.add_llm("script", make_script_llm(chance_, script_));
  add_lab_voice(providers_, chance_, voice_);
  talks_ = chance_.chance(50);
  voice_ = {.hear_fail_percent = chance_.roll(3) * 5,
            .hear_hang_percent = chance_.roll(3) * 2,
            .say_fail_percent = chance_.roll(3) * 5,
            .say_hang_percent = chance_.roll(3) * 2};
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
  script_.call_percent = chance_.roll(4) * 20;
  script_.latency_max_ms = chance_.chance(50) ? 3 : 200;
  script_.analyzer_extra_ms = chance_.chance(25) || late_analyzer ? 5000 : 0;
  script_.fail_percent = chance_.roll(3) * 5;
  script_.stall_percent = chance_.roll(3) * 2;
  start_node();
  const auto sessions = 1 + chance_.roll(2);
  for (std::uint64_t s = 0; s < sessions; ++s)
    for (std::uint64_t c = 0, n = 1 + chance_.roll(2) + (s == 0 ? 1 : 0); c < n; ++c) {
      const auto name = "s" + std::to_string(s) + "c" + std::to_string(c);
      patron who{std::make_unique<lab_client>(name, c == 0 || chance_.chance(60),
                                              [this, name](const std::string& what) {
                                                violated(what);
                                              }),
                 "sess_" + std::to_string(s), std::make_shared<bool>(false)};
      who.client->states_topics = asks_;
      if (talks_ && chance_.chance(70))
        who.client->give_microphone(next_sentence_);
      who.client->on_first_piece = [this, session = who.session](const std::string& response) {
        const auto events = read_all(session);
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
  if (directory_)
    caf::anon_send(directory_, stop_atom::value);
  directory_ = nullptr;
  while (work_once()) {}
  for (const auto& address : spawned_)
    if (auto actor = caf::actor_cast<caf::actor>(address))
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
    spawned_.push_back(fresh.address());
    return fresh;
  };
  for (auto& child : tree.children)
    child.start = [this, start = child.start](caf::actor_system& sys, const node_parts& parts,
                                              const find_session& who,
                                              const session_actor& session) {
      auto fresh = start(sys, parts, who, session);
      spawned_.push_back(fresh.address());
      return fresh;
    };
  for (auto& child : tree.voice)
    child.start = [this, start = child.start](caf::actor_system& sys, const node_parts& parts,
                                              const find_session& who, const session_actor& session,
                                              const start_voice& seat) {
      auto fresh = start(sys, parts, who, session, seat);
      spawned_.push_back(fresh.address());
      return fresh;
    };
  return tree;
}

void world::start_node() {
  ++incarnation_;
  stores_.push_back(std::make_unique<lab_store>(*disk_, *loop_, chance_));
  outside_->break_percent = chance_.roll(3) * 20;
  stores_.back()->refuse_percent = chance_.roll(3) * 2;
  stores_.back()->unknown_percent = chance_.roll(3) * 2;
  parts_ = {.journal = stores_.back().get(),
            .providers = &providers_,
            .http = outside_.get(),
            .where = loop_.get(),
            .ids = &ids_,
            .count = &count_,
            .node = "node_" + std::to_string(incarnation_)};
  parts_.timing.calls = {milliseconds{20'000}, milliseconds{30'000}};
  directory_ = spawn_directory_local(*system_, parts_, recorded_tree());
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
  const auto jobs = !sched_->jobs.empty();
  const auto loop_work = loop_->has_work();
  const auto store_work = !stores_.empty() && stores_.back()->has_work();
  const auto kinds = static_cast<std::uint64_t>(jobs) + static_cast<std::uint64_t>(loop_work)
                     + static_cast<std::uint64_t>(store_work);
  if (kinds == 0)
    return false;
  auto pick = chance_.roll(kinds);
  if (jobs && pick-- == 0) {
    auto& queue = sched_->jobs;
    std::rotate(queue.begin(),
                queue.begin() + static_cast<std::ptrdiff_t>(chance_.roll(queue.size())),
                queue.end());
    sched_->run_once();
  } else if (loop_work && pick-- == 0) {
    loop_->run_once();
  } else {
    stores_.back()->turn();
  }
  ++out_.steps;
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
          spawned_.push_back(fresh.address());
          who.client->connected(std::move(fresh));
        },
        [searching = who.searching](const caf::error&) { *searching = false; });
  });
}

void world::step() {
  const auto roll = chance_.roll(100);
  if (roll < 80 && work_once())
    return;
  if (roll < 90) {
    auto& who = patrons_[chance_.roll(patrons_.size())];
    if (!who.client->is_connected())
      connect(who);
    else if (chance_.chance(4))
      who.client->disconnect();
    else
      who.client->act(chance_);
    return;
  }
  if (roll < 92)
    return make_fault();
  advance(milliseconds{1 + chance_.roll(chance_.chance(10) ? 4000 : 100)});
}

void world::make_fault() {
  const auto kind = chance_.roll(12);
  if (kind == 0)
    return crash_node();
  if (kind == 1) {
    // Another owner takes the session: the epoch goes up behind this one's back.
    std::vector<store_job> steal;
    steal.emplace_back(store_task<claim_session>{{.key = key_of(app_, "sess_0"), .node = "thief"},
                                                 [](const result<claimed>&) {}});
    disk_->run(std::move(steal));
    ++out_.faults["epoch taken"];
    return say("fault: epoch taken");
  }
  std::erase_if(spawned_, [](const caf::actor_addr& a) { return !caf::actor_cast<caf::actor>(a); });
  if (spawned_.empty())
    return;
  auto victim = caf::actor_cast<caf::actor>(spawned_[chance_.roll(spawned_.size())]);
  if (!victim)
    return;
  const std::string name =
    dynamic_cast<caf::local_actor*>(caf::actor_cast<caf::abstract_actor*>(victim))->name();
  say("fault: " + name + " dies");
  ++out_.faults[name + " dies"];
  caf::anon_send_exit(victim, caf::exit_reason::unhandled_exception);
}

void world::crash_node() {
  say("fault: node dies");
  ++out_.faults["node dies"];
  stores_.back()->crash(chance_.chance(50));
  loop_->crash();
  for (auto& who : patrons_) {
    who.client->disconnect();
    // Whoever was looking for the session died with the node.
    who.searching = std::make_shared<bool>(false);
  }
  for (const auto& address : spawned_)
    if (auto actor = caf::actor_cast<caf::actor>(address))
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  spawned_.clear();
  caf::anon_send_exit(directory_, caf::exit_reason::kill);
  directory_ = nullptr;
  while (!sched_->jobs.empty())
    sched_->run_once();
  loop_->crash();
  start_node();
}

std::set<std::string> world::sessions() const {
  std::set<std::string> all;
  for (const auto& who : patrons_)
    all.insert(who.session);
  return all;
}

bool world::is_answering() {
  for (const auto& session : sessions())
    if (const auto view = sidevoice::apply(std::make_shared<const session_view>(),
                                           read_all(session));
        view && (*view)->ended.empty() && !(*view)->open_responses.empty())
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
  voice_ = {};
  for (auto& who : patrons_)
    if (auto* mic = who.client->microphone())
      mic->finish();
  // Whatever waits for a deadline gets it: stalls, retries, reconnects. Long answers are spoken to
  // their ends.
  for (int round = 0; round < 1200 || (is_answering() && round < 12000); ++round) {
    while (work_once()) {}
    for (auto& who : patrons_)
      if (!who.client->is_connected())
        connect(who);
      else if (auto* mic = who.client->microphone())
        mic->pump(500);
    advance(milliseconds{100});
  }
  while (work_once()) {}
}

outcome world::run() {
  const auto steps = 250 + chance_.roll(900);
  for (std::uint64_t i = 0; i < steps && out_.violations.empty(); ++i)
    step();
  say("settling");
  settle();
  for (const auto& session : sessions())
    check_journal(session);
  check_tree();
  check_silence();
  return std::move(out_);
}

} // namespace sidevoice::lab
