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
  for (const auto& e : events) {
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
  for (const auto& [cause, responses] : responses_of)
    if (responses.size() != 1)
      violated(session + ": " + cause + " caused " + std::to_string(responses.size())
               + " responses");
  for (const auto& who : patrons_) {
    if (who.session != session)
      continue;
    for (const auto& id : who.client->acknowledged())
      if (who.client->wants_answer().contains(id) && !responses_of.contains(id))
        violated(session + ": nobody answers " + id);
  }
}

void world::check_topics(const std::string& session, const std::vector<event_ptr>& events) {
  std::uint64_t revision = 0;
  std::map<std::string, std::uint64_t> by_person;
  std::map<std::string, std::string> texts;
  for (const auto& e : events) {
    if (const auto* put = std::get_if<item_put>(&e->body))
      texts[put->value.id] = put->value.text;
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
  for (const auto& entry : view.items) {
    order.push_back(entry->value.id);
    const auto known = seen.items.find(entry->value.id);
    if (known == seen.items.end())
      violated(name + " has not seen item " + entry->value.id);
    else if (entry->value.kind == item_kind::message && known->second.text != entry->value.text)
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
    if (live[who.session] != session_tree_names())
      violated(who.session + " has a tree of " + json(live[who.session]).dump() + " instead of "
               + json(session_tree_names()).dump());
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
