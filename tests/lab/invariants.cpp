#include "actors/calls.hpp"
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

std::vector<event_ptr> world::read_all(const std::string& session) {
  std::vector<event_ptr> all;
  std::vector<store_job> jobs;
  jobs.emplace_back(
    store_task<read_events>{{{app_->id, session}, 0, 100'000}, [&](result<events_page> page) {
                              if (page)
                                all = std::move(page->events);
                            }});
  for (auto& done : disk_->run(std::move(jobs)))
    done();
  return all;
}

void world::check_journal(const std::string& session) {
  const auto events = read_all(session);
  if (events.empty())
    return violated(session + " has no journal");
  out_.events += events.size();
  check_events(session, events);
  check_responses(session, events);
  check_topics(session, events);
  auto view = sidevoice::apply(std::make_shared<const session_view>(), events);
  if (!view)
    return violated(session + " does not fold: " + view.error().detail);
  check_calls(session, events, **view);
  check_speech(session, events, **view);
  if (asks_)
    check_questions(session, events);
  for (const auto& who : patrons_)
    if (who.session == session)
      check_client(who, **view);
  check_agreement(session);
  out_.journal_hash += std::to_string(std::hash<std::string>{}(encode(**view))) + "/";
}

void world::check_events(const std::string& session, const std::vector<event_ptr>& events) {
  std::map<std::string, int> puts;
  int greetings = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i]->seq != i + 1)
      violated(session + " has number " + std::to_string(events[i]->seq) + " in place "
               + std::to_string(i + 1));
    if (const auto* put = std::get_if<item_put>(&events[i]->body);
        put != nullptr && put->value.response.empty())
      ++puts[put->value.id];
    if (const auto* asked = std::get_if<response_requested>(&events[i]->body))
      greetings +=
        static_cast<int>(std::count(asked->cause.begin(), asked->cause.end(), "greeting"));
    if (trace_)
      std::printf("    %s %3zu %-20s %s\n", session.c_str(), i + 1,
                  std::string{type_of(events[i]->body)}.c_str(), encode(events[i]->body).c_str());
  }
  for (const auto& [id, count] : puts)
    if (count != 1)
      violated(session + " took input " + id + " " + std::to_string(count) + " times");
  if (greetings != 1)
    violated(session + " greeted " + std::to_string(greetings) + " times");
  for (const auto& who : patrons_) {
    if (who.session != session)
      continue;
    for (const auto& id : who.client->acknowledged())
      if (!puts.contains(id))
        violated(who.client->name() + " had " + id + " acknowledged, and it is not in the journal");
    if (!who.client->is_settled())
      violated(who.client->name() + " still waits for an answer to what it sent");
  }
}

void world::check_responses(const std::string& session, const std::vector<event_ptr>& events) {
  std::map<std::string, std::vector<std::string>> responses_of;
  std::map<std::string, int> ends;
  std::map<std::string, std::uint32_t> attempts;
  std::set<std::string> done;
  std::set<std::string> spoken;
  for (const auto& e : events) {
    if (const auto* speech = std::get_if<input_speech>(&e->body))
      spoken.insert(speech->item);
    if (const auto* asked = std::get_if<response_requested>(&e->body)) {
      ends[asked->response];
      for (const auto& cause : asked->cause)
        responses_of[cause].push_back(asked->response);
    } else if (const auto* started = std::get_if<response_started>(&e->body)) {
      if (started->attempt != ++attempts[started->response])
        violated(started->response + " began attempt " + std::to_string(started->attempt)
                 + " out of turn");
      if (started->attempt > max_attempts)
        violated(started->response + " was tried too often");
      if (done.contains(started->response))
        violated(started->response + " began again after its end");
    } else if (const auto* end = std::get_if<response_done>(&e->body)) {
      ++ends[end->response];
      done.insert(end->response);
    }
  }
  for (const auto& [response, count] : ends)
    if (count != 1)
      violated(session + ": " + response + " has " + std::to_string(count) + " ends");
  for (const auto& [cause, responses] : responses_of) {
    // Words that are not known yet are not used up by a request that is taken back meanwhile: then
    // only what began counts.
    const auto count = !spoken.contains(cause)
                         ? static_cast<std::ptrdiff_t>(responses.size())
                         : std::count_if(responses.begin(), responses.end(),
                                         [&](const auto& id) { return attempts.contains(id); });
    if (count > 1 && cause != "idle")
      violated(session + ": " + cause + " caused " + std::to_string(count) + " responses");
  }
  for (const auto& who : patrons_) {
    if (who.session != session)
      continue;
    for (const auto& id : who.client->acknowledged())
      if (who.client->wants_answer().contains(id) && !responses_of.contains(id))
        violated(session + ": nobody answers " + id);
  }
}

void world::said_to_run(const std::string& call, const std::string& tool) {
  // Whatever arrives outside was journaled as started before, and agreed to where that is asked.
  for (const auto& who : patrons_) {
    bool started = false;
    bool waits = false;
    for (const auto& e : read_all(who.session)) {
      if (const auto* opened = std::get_if<call_opened>(&e->body); opened && opened->call == call)
        waits = opened->needs_approval;
      if (const auto* agreed = std::get_if<call_approved>(&e->body); agreed && agreed->call == call)
        waits = !agreed->approved;
      if (const auto* begun = std::get_if<call_started>(&e->body); begun && begun->call == call)
        started = true;
    }
    if (started && !waits)
      return;
  }
  violated("the call " + call + " of " + tool + " ran before its start was durable");
}

void world::check_calls(const std::string& session, const std::vector<event_ptr>& events,
                        const session_view& view) {
  struct story {
    std::string name;
    call_runner runner = call_runner::server;
    std::uint32_t starts = 0;
    std::vector<std::string> ends;
  };
  std::map<std::string, story> calls;
  std::map<std::string, int> outputs;
  for (const auto& e : events) {
    if (const auto* opened = std::get_if<call_opened>(&e->body)) {
      if (calls.contains(opened->call))
        violated(session + ": the call " + opened->call + " was opened twice");
      calls[opened->call].name = opened->name;
      calls[opened->call].runner = opened->runner;
    } else if (const auto* started = std::get_if<call_started>(&e->body)) {
      auto& call = calls[started->call];
      if (started->attempt != ++call.starts || !call.ends.empty())
        violated(session + ": the call " + started->call + " began out of turn");
    } else if (const auto* ended = std::get_if<call_ended>(&e->body)) {
      calls[ended->call].ends.push_back(ended->outcome);
    } else if (const auto* put = std::get_if<item_put>(&e->body);
               put != nullptr && put->value.kind == item_kind::function_call_output) {
      ++outputs[put->value.call_id];
    }
  }
  for (const auto& [call, count] : outputs)
    if (count != 1)
      violated(session + ": the call " + call + " has " + std::to_string(count) + " outputs");
  for (const auto& [id, call] : calls) {
    if (call.ends.size() != 1) {
      violated(session + ": the call " + id + " of " + call.name + " has "
               + std::to_string(call.ends.size()) + " ends");
      continue;
    }
    const auto* tool = app_->find_tool(call.name);
    const auto* kind = tool == nullptr                    ? "own"
                       : tool->kind == tool_kind::webhook ? to_string(tool->effect)
                                                          : to_string(tool->kind);
    ++out_.calls[std::string{kind} + ": " + call.ends.front()];
    if (tool == nullptr || tool->kind != tool_kind::webhook)
      continue;
    const auto found = outside_->done().find(id);
    const auto done = found == outside_->done().end() ? 0 : found->second;
    const auto& outcome = call.ends.front();
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
  for (const auto& stored : view.items)
    if (stored->value.kind == item_kind::function_call && !stored->value.response.empty()
        && !outputs.contains(stored->value.call_id))
      violated(session + ": the call " + stored->value.call_id + " of " + stored->value.name
               + " has no output");
  for (const auto& stored : view.items)
    if (stored->value.kind == item_kind::function_call_output && !stored->value.response.empty()
        && stored->seq > view.answered_to && view.ended.empty() && continue_after_calls(view, ids_))
      violated(session + ": nobody answers the output " + stored->value.id);
}

void world::check_questions(const std::string& session, const std::vector<event_ptr>& events) {
  // The newest word of the visitor before the answer began, whatever the analyzer knew of it.
  std::string newest;
  std::map<std::string, std::string> heard;
  for (const auto& e : events) {
    if (const auto* started = std::get_if<response_started>(&e->body))
      heard[started->item] = newest;
    const auto* put = std::get_if<item_put>(&e->body);
    if (put == nullptr || put->value.kind != item_kind::message)
      continue;
    const auto& value = put->value;
    if (value.role == item_role::user)
      newest = value.text;
    else if (value.text.starts_with("ask:")
             && heard[value.id].starts_with(value.text.substr(4) + "="))
      violated(session + ": asked \"" + value.text + "\" after \"" + heard[value.id] + "\"");
  }
}

void world::check_topics(const std::string& session, const std::vector<event_ptr>& events) {
  std::uint64_t revision = 0;
  std::map<std::string, std::uint64_t> by_person;
  std::map<std::string, std::string> texts;
  for (const auto& e : events) {
    if (const auto* put = std::get_if<item_put>(&e->body))
      texts[put->value.id] = put->value.text;
    if (const auto* words = std::get_if<input_transcribed>(&e->body))
      texts[words->item] = words->text;
    const auto* change = std::get_if<topic_updated>(&e->body);
    if (change == nullptr)
      continue;
    if (change->revision != ++revision)
      violated(session + " went to revision " + std::to_string(change->revision));
    if (change->by == topic_author::person)
      by_person[change->topic] = e->seq;
    if (change->by != topic_author::analyzer)
      continue;
    if (change->head_read < by_person[change->topic])
      violated(session + ": an analysis overwrote what a person had set for " + change->topic);
    if (texts[change->evidence.item].find(change->evidence.quote) == std::string::npos)
      violated(session + ": " + change->topic + " has a quote that was never said");
  }
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

void world::check_tree() {
  // What /debug/tree prints are the names of cluster/supervision_tree.cpp, once for each session.
  std::map<std::string, std::vector<std::string>> live;
  const auto asker = system_->spawn([&live, to = directory_](caf::event_based_actor* self) {
    self->request(to, std::chrono::seconds{5}, tree_atom::value)
      .then(
        [&live](const tree_report& report) {
          for (const auto& entry : report.entries)
            live[entry.session].push_back(entry.name);
        },
        [](const caf::error&) {});
  });
  while (work_once()) {}
  for (const auto& who : patrons_)
    if (live[who.session] != session_tree_names()
        && live[who.session] != session_tree_names(talks_))
      violated(who.session + " has a tree of " + json(live[who.session]).dump() + " instead of "
               + json(session_tree_names(talks_)).dump());
}

void world::check_silence() {
  for (auto& who : patrons_)
    who.client->disconnect();
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
}

} // namespace sidevoice::lab
