#include "tests/lab/world.hpp"

#include <algorithm>

/// The faults of a scenario, and what they hit.
namespace sidevoice::lab {

namespace {

using std::chrono::milliseconds;

/// Sound is sent ahead: its last piece is still heard for so long.
constexpr milliseconds just_now{500};

const char* name_of(const caf::actor& who) {
  return dynamic_cast<caf::local_actor*>(caf::actor_cast<caf::abstract_actor*>(who))->name();
}

} // namespace

bool world::is_hung(const caf::resumable* job) const {
  const auto* actor = dynamic_cast<const caf::scheduled_actor*>(job);
  const auto known = actor == nullptr ? hung_.end() : hung_.find(actor->id());
  return known != hung_.end() && known->second > loop_->now();
}

std::vector<std::string> world::states_of(const std::string& session) {
  std::vector<std::string> out;
  const auto& view = *watch_of(session).view();
  const auto* running = view.running();
  if (view.open_responses.empty() && view.open_calls.empty() && view.open_speech.empty())
    out.emplace_back("quiet");
  if (std::any_of(view.open_responses.begin(), view.open_responses.end(),
                  [](const auto& r) { return r->phase == response_phase::requested; }))
    out.emplace_back("asked");
  if (running != nullptr)
    out.emplace_back(running->clauses == 0 ? "answering" : "half said");
  if (!view.open_calls.empty())
    out.emplace_back("calling");
  if (!view.open_speech.empty())
    out.emplace_back("words awaited");
  if (stores_.back()->has_append(session))
    out.emplace_back("writing");
  bool somebody = false;
  bool talking = false;
  for (const auto& who : patrons_) {
    if (who.session != session || !who.client->is_connected())
      continue;
    somebody = true;
    talking = talking || (who.sounds_seen > 0 && loop_->now() - who.heard_at < just_now);
  }
  if (talking)
    out.emplace_back("talking");
  if (!somebody)
    out.emplace_back("nobody there");
  return out;
}

void world::covered(const std::string& fault, const std::string& session) {
  out_.covered.hit(fault, states_of(session));
}

bool world::is_in_state(const std::string& session, const planned_fault& fault) {
  if (fault.when.empty())
    return true;
  const auto states = states_of(session);
  return std::find(states.begin(), states.end(), fault.when) != states.end();
}

bool world::make_fault(const planned_fault& fault) {
  const auto& what = fault.what;
  if (what.starts_with("crash ") || what.starts_with("hang "))
    return hit_actor(fault);
  if (what == "line cut")
    return hit_line(fault);
  const auto all = what == "epoch taken" ? std::set<std::string>{"sess_0"} : sessions();
  if (std::none_of(all.begin(), all.end(),
                   [&](const std::string& one) { return is_in_state(one, fault); }))
    return false;
  if (what.starts_with("disk "))
    hit_disk(fault);
  else
    hit_node(what);
  return true;
}

/// All of the node, its epoch, or its store.
void world::hit_node(const std::string& what) {
  ++out_.faults[what];
  say("fault: " + what);
  if (what == "node dies" || what == "power fails") {
    for (const auto& session : sessions())
      covered(what, session);
    return crash_node(what == "power fails");
  }
  if (what == "epoch taken") {
    // Another owner takes the session: the epoch goes up behind this one's back.
    covered(what, "sess_0");
    std::vector<store_job> steal;
    steal.emplace_back(store_task<claim_session>{{.key = {app_->id, "sess_0"}, .node = "thief"},
                                                 [](const result<claimed>&) {}});
    for (auto& done : disk_->run(std::move(steal)))
      done();
    if (platter_ && !platter_->has_power())
      crash_node(true);
    return;
  }
  // The others are the store's: its next append goes wrong.
  stores_.back()->next_append = what.substr(std::string{"store "}.size());
  stores_.back()->on_next_append = [this, what](const std::string& session) {
    covered(what, session);
  };
}

bool world::hit_actor(const planned_fault& fault) {
  std::erase_if(spawned_, [](const member& m) { return !caf::actor_cast<caf::actor>(m.address); });
  const auto hangs = fault.what.starts_with("hang ");
  const auto wanted = fault.what.substr(hangs ? 5 : 6);
  std::vector<std::pair<caf::actor, std::string>> those;
  for (const auto& one : spawned_)
    if (auto actor = caf::actor_cast<caf::actor>(one.address);
        actor && name_of(actor) == wanted && is_in_state(one.session, fault))
      those.emplace_back(std::move(actor), one.session);
  if (those.empty())
    return fault.when.empty();
  const auto& [victim, session] = those[fault.pick % those.size()];
  say("fault: " + fault.what + " of " + session
      + (hangs ? " for " + std::to_string(fault.ms) + " ms" : ""));
  ++out_.faults[fault.what];
  covered(fault.what, session);
  if (hangs)
    hung_[victim.id()] = loop_->now() + milliseconds{fault.ms};
  else
    caf::anon_send_exit(victim, caf::exit_reason::unhandled_exception);
  return true;
}

bool world::hit_line(const planned_fault& fault) {
  std::vector<patron*> those;
  for (auto& who : patrons_)
    if (who.client->is_connected() && is_in_state(who.session, fault))
      those.push_back(&who);
  if (those.empty())
    return fault.when.empty();
  auto& who = *those[fault.pick % those.size()];
  say("fault: line cut of " + who.client->name());
  ++out_.faults[fault.what];
  covered(fault.what, who.session);
  who.client->disconnect();
  return true;
}

void world::hit_disk(const planned_fault& fault) {
  if (!platter_)
    return;
  static const std::map<std::string, disk_fault> kinds{{"disk full", disk_fault::full},
                                                       {"disk write", disk_fault::write_error},
                                                       {"disk sync", disk_fault::sync_error},
                                                       {"disk read", disk_fault::read_error},
                                                       {"disk power", disk_fault::power_cut}};
  say("fault: " + fault.what);
  // One that has waited for a state comes before that has passed.
  const auto call = fault.when.empty() ? 1 + fault.pick % 6 : 1;
  platter_->fail_at(kinds.at(fault.what), call, 1 + fault.pick % 2);
}

/// What the disk has met counts for the session that it was written for.
void world::count_disk_faults(const std::string& session) {
  static const std::map<disk_fault, std::string> names{{disk_fault::full, "disk full"},
                                                       {disk_fault::write_error, "disk write"},
                                                       {disk_fault::sync_error, "disk sync"},
                                                       {disk_fault::read_error, "disk read"},
                                                       {disk_fault::power_cut, "disk power"}};
  if (!platter_)
    return;
  for (const auto& [kind, name] : names)
    if (platter_->tally().met_by(kind) > tally_.met_by(kind)) {
      ++out_.faults[name];
      covered(name, session);
    }
  tally_ = platter_->tally();
}

void world::crash_node(bool power_fails) {
  stores_.back()->crash(chance_.chance(50) && (!platter_ || platter_->has_power()));
  loop_->crash();
  for (auto& who : patrons_) {
    who.client->disconnect();
    // Whoever was looking for the session died with the node.
    who.searching = std::make_shared<bool>(false);
  }
  for (const auto& one : spawned_)
    if (auto actor = caf::actor_cast<caf::actor>(one.address))
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  spawned_.clear();
  hung_.clear();
  caf::anon_send_exit(directory_, caf::exit_reason::kill);
  directory_ = nullptr;
  while (!sched_->jobs.empty())
    sched_->run_once();
  loop_->crash();
  // Its last write may have been the one in which the power went.
  power_fails = power_fails || (platter_ && !platter_->has_power());
  if (platter_ && power_fails)
    platter_->power_loss([this](std::uint64_t n) { return chance_.roll(n); });
  else if (platter_)
    platter_->process_dies();
  if (power_fails)
    look_again();
  start_node();
}

} // namespace sidevoice::lab
