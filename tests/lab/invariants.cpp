#include "actors/calls.hpp"
#include "actors/journal.hpp"
#include "actors/responses.hpp"
#include "tests/lab/world.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <set>

/// What must hold when a run has settled, whatever happened in it.
namespace sidevoice::lab {

using nlohmann::json;

void world::violated(const std::string& what) {
  say("VIOLATION: " + what);
  out_.violations.push_back(what);
}

void world::check_journal(const std::string& session) {
  auto& watch = watch_of(session);
  if (watch.head() == 0)
    return violated(session + " has no journal");
  // What the disk holds now is what it was seen to take.
  if (const auto all = read(session, 0); all && all->size() == watch.head())
    watch.see(*all, watch.head());
  else
    violated(session + " has another number of events on the disk than were seen to go there");
  const auto& events = watch.events();
  out_.events += events.size();
  print(session, watch);
  const auto& view = *watch.view();
  check_inputs(session, watch);
  check_responses(session, watch);
  check_calls(session, watch);
  check_speech(session, events, view);
  check_heard(session, view);
  for (const auto& who : patrons_)
    if (who.session == session)
      check_client(who, view);
  check_agreement(session);
  out_.journal_hash += std::to_string(std::hash<std::string>{}(encode(view))) + "/";
}

void world::print(const std::string& session, const journal_watch& watch) const {
  if (trace_)
    for (const auto& e : watch.events())
      std::printf("%8lld ms  %s %3llu %-20s %s\n",
                  static_cast<long long>(e->at - lab_loop::wall_begins.count()), session.c_str(),
                  static_cast<unsigned long long>(e->seq), std::string{type_of(e->body)}.c_str(),
                  encode(e->body).c_str());
}

void world::check_inputs(const std::string& session, const journal_watch& watch) {
  if (watch.greetings() != 1)
    violated(session + " greeted " + std::to_string(watch.greetings()) + " times");
  for (const auto& who : patrons_) {
    if (who.session != session)
      continue;
    for (const auto& id : who.client->acknowledged())
      if (!watch.has_input(id))
        violated(who.client->name() + " had " + id + " acknowledged, and it is not in the journal");
    for (const auto& id : who.client->refused())
      if (watch.has_input(id))
        violated(who.client->name() + " had " + id + " refused, and it is in the journal");
    if (!who.client->is_settled())
      violated(who.client->name() + " still waits for an answer to what it sent");
  }
}

void world::check_responses(const std::string& session, const journal_watch& watch) {
  for (const auto& response : watch.view()->open_responses)
    violated(session + ": " + response->id + " has no end");
  for (const auto& who : patrons_) {
    if (who.session != session)
      continue;
    for (const auto& id : who.client->acknowledged())
      if (who.client->wants_answer().contains(id) && !watch.responses_of().contains(id))
        violated(session + ": nobody answers " + id);
  }
}

/// What models have cost, by the events and by the sums that were kept with them.
void world::check_usage() {
  std::map<std::int32_t, std::uint64_t> by_day;
  for (const auto& [session, watch] : watches_) {
    std::uint64_t spent = 0;
    for (const auto& e : watch.events()) {
      spent += cost_of(e->body);
      by_day[day_of(e->at)] += cost_of(e->body);
    }
    if (spent != watch.view()->spent)
      violated(session + " has spent " + std::to_string(spent) + ", and its fold says "
               + std::to_string(watch.view()->spent));
  }
  std::uint64_t kept = 0;
  std::uint64_t sum = 0;
  for (const auto& [day, micro] : by_day) {
    sum += micro;
    std::vector<store_job> jobs;
    jobs.emplace_back(store_task<get_spend>{{app_->id, day}, [&](const result<spend_found>& found) {
                                              kept += found ? found->micro : 0;
                                            }});
    for (auto& done : disk_->run(std::move(jobs)))
      done();
  }
  if (kept != sum)
    violated("the sessions have spent " + std::to_string(sum) + ", and the store has kept "
             + std::to_string(kept));
}

void world::said_to_run(const std::string& call, const std::string& tool) {
  // Whatever arrives outside was journaled as started before, and agreed to where that is asked.
  for (const auto& [session, watch] : watches_) {
    const auto known = watch.calls().find(call);
    if (known != watch.calls().end() && known->second.starts > 0 && !known->second.waits)
      return;
  }
  violated("the call " + call + " of " + tool + " ran before its start was durable");
}

void world::check_calls(const std::string& session, const journal_watch& watch) {
  for (const auto& [id, call] : watch.calls()) {
    if (call.name.empty())
      continue;
    if (call.outcome.empty()) {
      violated(session + ": the call " + id + " of " + call.name + " has no end");
      continue;
    }
    const auto* tool = app_->find_tool(call.name);
    const auto* kind = tool == nullptr                    ? "own"
                       : tool->kind == tool_kind::webhook ? to_string(tool->effect)
                                                          : to_string(tool->kind);
    const auto& outcome = call.outcome;
    ++out_.calls[std::string{kind} + ": " + outcome];
    if (tool == nullptr || tool->kind != tool_kind::webhook)
      continue;
    const auto found = outside_->done().find(id);
    const auto done = found == outside_->done().end() ? 0 : found->second;
    if (tool->effect == tool_effect::once && (done > 1 || call.starts > 1))
      violated(session + ": " + id + " must be made once, and was done " + std::to_string(done)
               + " times in " + std::to_string(call.starts) + " starts");
    if (outcome == "ok" && done == 0)
      violated(session + ": " + id + " is said to have been done, and was not");
    if (tool->effect == tool_effect::once && done > 0 && outcome != "ok" && outcome != "unknown"
        && outcome != "cancelled")
      violated(session + ": " + id + " was done, and is called " + outcome);
    if ((outcome == "refused" || outcome == "simulated") && done > 0)
      violated(session + ": " + id + " was " + outcome + ", and done");
  }
  for (const auto& stored : watch.view()->items)
    if (stored->value.kind == item_kind::function_call && !stored->value.response.empty()
        && (!watch.calls().contains(stored->value.call_id)
            || watch.calls().at(stored->value.call_id).outputs == 0))
      violated(session + ": the call " + stored->value.call_id + " of " + stored->value.name
               + " has no output");
  const auto& view = *watch.view();
  for (const auto& stored : view.items)
    if (stored->value.kind == item_kind::function_call_output && !stored->value.response.empty()
        && stored->seq > view.answered_to && view.ended.empty() && continue_after_calls(view, ids_))
      violated(session + ": nobody answers the output " + stored->value.id);
}

void world::check_client(const patron& who, const session_view& view) {
  const auto& seen = who.client->view();
  const auto& name = who.client->name();
  if (!who.client->is_connected())
    return violated(name + " could not come back");
  std::vector<std::string> order;
  std::set<std::string> hidden;
  for (const auto& entry : view.items) {
    const auto& value = entry->value;
    // A plain client sees only calls of its own tools.
    if (!who.client->has_extensions()) {
      if (value.kind == item_kind::function_call && !value.response.empty()
          && value.name != "own_tool")
        hidden.insert(value.call_id);
      if (value.kind != item_kind::message && hidden.contains(value.call_id))
        continue;
    }
    order.push_back(entry->value.id);
    const auto known = seen.items.find(entry->value.id);
    if (known == seen.items.end())
      violated(name + " has not seen item " + entry->value.id);
    else if (entry->value.kind == item_kind::message && known->second.text != entry->value.text
             && !(known->second.may_be_cut && known->second.text.starts_with(entry->value.text)))
      violated(name + " sees \"" + known->second.text + "\" where the journal has \""
               + entry->value.text + "\"");
  }
  if (seen.order != order)
    violated(name + " sees " + std::to_string(seen.order.size())
             + " items in another order than the journal's " + std::to_string(order.size()) + ": "
             + json(seen.order).dump() + " / " + json(order).dump());
  if (!who.client->has_extensions())
    return;
  if (seen.revision != view.revision)
    violated(name + " is at revision " + std::to_string(seen.revision) + " of "
             + std::to_string(view.revision));
  for (const auto& [id, state] : view.topics) {
    const auto topic = seen.topics.find(id);
    if (topic == seen.topics.end())
      violated(name + " does not know topic " + id);
    else if (topic->second.value("status", "") != to_string(state->status)
             || (!state->value.empty()
                 && topic->second.value("value", json()) != json::parse(state->value)))
      violated(name + " sees " + topic->second.dump() + " for a topic that is "
               + to_string(state->status) + " " + state->value);
  }
}

void world::check_agreement(const std::string& session) {
  // Clients of one session that were there for the same stretch have seen the same numbers in it.
  const std::vector<std::uint64_t>* longest = nullptr;
  for (const auto& who : patrons_) {
    if (who.session != session || !who.client->has_extensions())
      continue;
    const auto& numbers = who.client->numbers();
    if (longest == nullptr) {
      longest = &numbers;
      continue;
    }
    if (numbers.empty() || longest->empty())
      continue;
    const auto from = std::max(numbers.front(), longest->front());
    const auto tail = [&](const std::vector<std::uint64_t>& all) {
      std::vector<std::uint64_t> rest;
      std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
                   [&](std::uint64_t n) { return n > from; });
      return rest;
    };
    if (tail(numbers) != tail(*longest))
      violated(session + ": two clients saw different numbers: " + json(tail(numbers)).dump()
               + " / " + json(tail(*longest)).dump());
  }
}

/// What /debug/tree prints are the names of cluster/supervision_tree.cpp, once for each session.
void world::check_tree() {
  auto live = living_tree();
  for (const auto& who : patrons_)
    if (live[who.session] != session_tree_names()
        && live[who.session] != session_tree_names(talks_))
      violated(who.session + " has a tree of " + json(live[who.session]).dump() + " instead of "
               + json(session_tree_names(talks_)).dump());
  for (const auto& [session, names] : live)
    if (std::find(names.begin(), names.end(), "audio") != names.end()
        && std::none_of(patrons_.begin(), patrons_.end(), [&id = session](const patron& who) {
             const auto* mic = who.client->microphone();
             return who.session == id && mic != nullptr && mic->holds_voice();
           }))
      violated(session + " has a voice that nobody holds");
}

/// The names in the tree of each session now.
std::map<std::string, std::vector<std::string>> world::living_tree() {
  std::map<std::string, std::vector<std::string>> live;
  system_->spawn([&live, to = directory_](caf::event_based_actor* self) {
    self->request(to, std::chrono::seconds{5}, tree_atom::value)
      .then(
        [&live](const tree_report& report) {
          for (const auto& entry : report.entries)
            live[entry.session].push_back(entry.name);
        },
        [](const caf::error&) {});
  });
  while (work_once()) {}
  return live;
}

void world::check_silence() {
  for (auto& who : patrons_)
    who.client->disconnect();
  // With the last client its voice goes, long before the session does.
  for (int round = 0; round < 100; ++round) {
    while (work_once()) {}
    advance(std::chrono::milliseconds{100});
  }
  for (const auto& [session, names] : living_tree())
    if (names != session_tree_names())
      violated(session + " still has a tree of " + json(names).dump() + " without a client");
  for (int minutes = 0; minutes < 12; ++minutes) {
    while (work_once()) {}
    advance(std::chrono::minutes{1});
  }
  while (work_once()) {}
  // Only the directory is left; what it would report is empty.
  if (const auto left = system_->registry().running(); left != 1)
    violated(std::to_string(left)
             + " actors are left after the idle time instead of the directory alone");
  if (loop_->timers() != 0)
    violated(std::to_string(loop_->timers()) + " timers are left");
  if (stores_.back()->has_work())
    violated("jobs are left in the store's queue");
}

} // namespace sidevoice::lab
