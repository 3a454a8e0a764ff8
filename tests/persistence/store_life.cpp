#include "tests/persistence/store_life.hpp"

#include "persistence/sqlite_writer.hpp"

namespace sidevoice::samples {

namespace {

/// An event costs so many millionths of a euro, all on one day.
constexpr std::uint64_t price = 10;
constexpr std::int32_t day = 20'000;

std::vector<event_ptr> events_of(const session_key& key, std::uint64_t after, std::uint64_t to) {
  std::vector<event_ptr> events;
  while (after < to)
    events.push_back(event_of(key, ++after));
  return events;
}

std::string text(const error& why) {
  return std::string{to_string(why.code)} + ": " + why.detail;
}

/// What is wrong with a history that begins at number 1; empty: nothing.
std::string wrong_in(const session_key& key, const std::vector<event_ptr>& events) {
  std::uint64_t seq = 0;
  for (const auto& e : events)
    if (++seq; *e != *event_of(key, seq))
      return key.id + ": event " + std::to_string(seq) + " is another one";
  return {};
}

/// Adds to `events` how many there are.
std::string compare_session(store_writer& store, const store_life::session& of,
                            std::uint64_t& events) {
  const auto name = of.key.id + ": ";
  const auto page = ask(store, read_events{.key = of.key, .limit = 100'000});
  if (!page)
    return of.asked == 0 || (of.head == 0 && page.error().code == errc::not_found)
             ? ""
             : name + text(page.error());
  const auto head = page->events.size();
  events += head;
  if (head != of.head && head != of.asked)
    return name + "head " + std::to_string(head) + ", told " + std::to_string(of.head) + ", asked "
           + std::to_string(of.asked);
  if (auto wrong = wrong_in(of.key, page->events); !wrong.empty())
    return wrong;
  const auto again = claim(store, of.key, "node_b");
  if (!again)
    return name + text(again.error());
  if (again->row.epoch <= of.epoch)
    return name + "the epoch went back";
  const auto view = sidevoice::apply(std::make_shared<const session_view>(), page->events);
  return *again->view == **view ? "" : name + "its state is not the fold of its journal";
}

} // namespace

event_ptr event_of(const session_key& key, std::uint64_t seq) {
  const auto name = key.id + "_" + std::to_string(seq);
  // One is larger than a page.
  const std::size_t size = seq == 4 && key.id == "sess_1" ? 5000 : 40;
  return make_event(seq, item_put{.rank = name,
                                  .value = user_message("item_" + name, std::string(size, 'x'))});
}

store_life::store_life() {
  for (const auto* id : {"sess_1", "sess_2", "sess_3"})
    sessions.push_back({.key = {.app = "moving", .id = id}});
}

void store_life::claim_all(store_writer& store) {
  for (auto& of : sessions) {
    if (of.epoch != 0)
      continue;
    const auto held = claim(store, of.key);
    if (held)
      of.epoch = held->row.epoch;
    else
      codes.insert(held.error().code);
  }
}

bool store_life::settle(store_writer& store) {
  bool settled = true;
  for (auto& of : sessions) {
    if (of.unsure.empty())
      continue;
    const auto found = ask(store, find_append{of.key, of.unsure});
    if (dead())
      return false;
    if (!found) {
      codes.insert(found.error().code);
      settled = false;
      continue;
    }
    if (found->stored) {
      of.view = sidevoice::apply(of.view, events_of(of.key, of.head, of.unsure_head)).value();
      of.head = of.unsure_head;
    } else {
      refused.emplace_back(of.key, of.unsure);
      of.asked = of.head;
    }
    of.unsure.clear();
  }
  return settled;
}

store_job store_life::make_append(session& of, std::size_t count) {
  const auto head = of.head + count;
  auto job = append(of.key, of.epoch, of.head, events_of(of.key, of.head, head),
                    "append_" + std::to_string(++next_id_));
  job.spent = count * price;
  job.day = day;
  of.asked = head;
  // Whoever dies before the answer does not know; the answer takes it back.
  of.unsure = job.append_id;
  of.unsure_head = head;
  ++appends;
  return store_task<append_events>{
    std::move(job), [this, &of](const result<appended>& answer) {
      if (answer) {
        of.view = sidevoice::apply(of.view, events_of(of.key, of.head, answer->head)).value();
        of.head = answer->head;
        of.unsure.clear();
        return;
      }
      if (dead())
        return;
      codes.insert(answer.error().code);
      if (answer.error().code == errc::unknown_outcome)
        return;
      refused.emplace_back(of.key, of.unsure);
      of.asked = of.head;
      of.unsure.clear();
    }};
}

store_job store_life::make_snapshot(const session& of) {
  return store_task<put_snapshot>{{of.key, of.view}, [this](const auto& answer) {
                                    if (!answer)
                                      codes.insert(answer.error().code);
                                  }};
}

store_job store_life::make_release(int step) {
  const auto digest = "sha256:" + std::to_string(step);
  return store_task<put_release>{
    {.app = "moving", .digest = digest, .body = R"({"step":1})", .at = 1},
    [this, digest](const auto& answer) {
      if (answer)
        releases.insert(digest);
      else
        codes.insert(answer.error().code);
    }};
}

void store_life::run_step(store_writer& store, int step) {
  claim_all(store);
  settle(store);
  std::vector<store_job> jobs;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    auto& of = sessions[i];
    const auto count = (static_cast<std::size_t>(step) + i) % 3;
    if (of.epoch != 0 && of.unsure.empty() && count > 0)
      jobs.push_back(make_append(of, count));
  }
  if (step % 4 == 1)
    jobs.push_back(make_release(step));
  if (step % 3 == 2)
    for (const auto& of : sessions)
      if (of.epoch != 0)
        jobs.push_back(make_snapshot(of));
  for (const auto& done : store.run(std::move(jobs)))
    done();
}

std::string compare(store_writer& store, const store_life& life) {
  std::uint64_t events = 0;
  for (const auto& of : life.sessions) {
    if (auto wrong = compare_session(store, of, events); !wrong.empty())
      return wrong;
  }
  for (const auto& [key, id] : life.refused) {
    const auto found = ask(store, find_append{key, id});
    if (!found || found->stored)
      return key.id + ": " + id
             + " was said not to be stored: " + (found ? "it is" : text(found.error()));
  }
  const auto spend = ask(store, get_spend{"moving", day});
  if (!spend || spend->micro != events * price)
    return "what was spent is not what the events cost";
  for (const auto& digest : life.releases)
    if (const auto found = ask(store, get_release{"moving", digest}); !found || !found->body)
      return digest + " is gone";
  return {};
}

std::string compare_history(store_writer& store, const session_key& key, std::uint64_t& damaged) {
  const auto page = ask(store, read_events{.key = key, .limit = 100'000});
  if (!page && page.error().code == errc::damaged)
    ++damaged;
  if (!page)
    return page.error().code == errc::damaged || page.error().code == errc::not_found
             ? ""
             : text(page.error());
  if (auto wrong = wrong_in(key, page->events); !wrong.empty())
    return wrong;
  const auto again = claim(store, key, "node_b");
  if (!again && again.error().code == errc::damaged)
    return ++damaged, "";
  if (!again)
    return text(again.error());
  const auto view = sidevoice::apply(std::make_shared<const session_view>(), page->events);
  return *again->view == **view ? "" : key.id + ": its state is not the fold of its journal";
}

std::string go_on(store_writer& store, const store_life& life, const std::string& id) {
  const auto& key = life.sessions.front().key;
  const auto held = claim(store, key, "node_c");
  if (!held)
    return "claim: " + text(held.error());
  const auto head = held->row.head;
  const auto answer = ask(store,
                          append(key, held->row.epoch, head, events_of(key, head, head + 2), id));
  return answer ? "" : "append: " + text(answer.error());
}

std::string integrity(store_writer& store) {
  sqlite_statement check{dynamic_cast<sqlite_writer&>(store).handle(), "PRAGMA integrity_check(1)"};
  return check.step() ? check.text(0) : "no answer";
}

} // namespace sidevoice::samples
