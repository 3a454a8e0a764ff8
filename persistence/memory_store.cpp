#include "persistence/append_rules.hpp"
#include "persistence/memory_admin.hpp"
#include "persistence/stores.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <type_traits>

namespace sidevoice {

namespace {

struct memory_session {
  session_row row;
  std::vector<event_ptr> events;
  /// Append id of each event.
  std::vector<std::string> append_ids;
  std::set<std::string> client_keys;
  view_ptr snapshot = std::make_shared<const session_view>();
};

/// Owned by one thread at a time, like every writer.
class memory_store final : public store_writer {
public:
  explicit memory_store(std::string incarnation) : incarnation_(std::move(incarnation)) {}

  std::vector<store_completion> run(std::vector<store_job> jobs) override {
    std::vector<store_completion> completions;
    completions.reserve(jobs.size());
    for (auto& job : jobs)
      std::visit(
        [&](auto& task) {
          auto answer = answer_to(task.job);
          completions.push_back(completion(std::move(task), std::move(answer)));
        },
        job);
    return completions;
  }

  [[nodiscard]] std::string incarnation() const override {
    return incarnation_;
  }

private:
  result<claimed> answer_to(const claim_session& job) {
    if (auto checked = check_claim(job); !checked)
      return checked.error();
    auto found = sessions_.find(job.key);
    const bool create = found == sessions_.end();
    if (create && !job.create)
      return unknown_session();
    if (create) {
      found = sessions_.try_emplace(job.key).first;
      found->second.row = new_row(job);
    }
    auto& session = found->second;
    auto view = whole_view(session);
    if (!view)
      return view.error();
    session.row.epoch += 1;
    session.row.node = job.node;
    session.row.updated_at = job.at;
    return claimed{.row = session.row, .view = *view, .created = create};
  }

  static result<view_ptr> whole_view(const memory_session& session) {
    const auto behind = static_cast<std::ptrdiff_t>(session.snapshot->head);
    return apply(session.snapshot, {session.events.begin() + behind, session.events.end()});
  }

  result<appended> answer_to(const append_events& job) {
    const auto rows = encode_append(job);
    if (!rows)
      return rows.error();
    const auto found = sessions_.find(job.key);
    if (found == sessions_.end())
      return vanished_session();
    auto& session = found->second;
    if (auto owner = check_owner(job, session.row); !owner)
      return owner.error();
    std::set<std::string> keys;
    for (const auto& row : *rows) {
      if (row.client_key.empty())
        continue;
      const bool known = session.client_keys.contains(row.client_key)
                         || !keys.insert(row.client_key).second;
      if (known && !row.replaceable)
        return repeated_key(row.client_key);
    }
    session.client_keys.merge(keys);
    session.events.insert(session.events.end(), job.events.begin(), job.events.end());
    session.append_ids.resize(session.events.size(), job.append_id);
    session.row.head = session.events.size();
    session.row.status = job.status;
    session.row.open_responses = job.open_responses;
    session.row.updated_at = job.events.back()->at;
    admin_.spend(job.key.app, job.day, job.spent);
    return appended{session.row.head};
  }

  result<append_found> answer_to(const find_append& job) {
    const auto found = sessions_.find(job.key);
    if (found == sessions_.end())
      return append_found{};
    const auto& ids = found->second.append_ids;
    return append_found{std::find(ids.rbegin(), ids.rend(), job.append_id) != ids.rend()};
  }

  result<events_page> answer_to(const read_events& job) {
    const auto found = sessions_.find(job.key);
    if (found == sessions_.end())
      return unknown_session();
    const auto& events = found->second.events;
    const auto first = std::min<std::uint64_t>(job.after, events.size());
    const auto count = std::min<std::uint64_t>(job.limit, events.size() - first);
    const auto begin = events.begin() + static_cast<std::ptrdiff_t>(first);
    return events_page{{begin, begin + static_cast<std::ptrdiff_t>(count)}};
  }

  result<snapshot_kept> answer_to(const put_snapshot& job) {
    const auto found = sessions_.find(job.key);
    if (found == sessions_.end())
      return unknown_session();
    auto& session = found->second;
    // A snapshot is a convenience: one that is older or ahead of the journal is just not kept.
    if (job.view && job.view->head > session.snapshot->head && job.view->head <= session.row.head)
      session.snapshot = job.view;
    return snapshot_kept{};
  }

  result<session_list> answer_to(const list_sessions& job) {
    session_list list;
    for (const auto& [key, session] : sessions_)
      if ((job.app.empty() || key.app == job.app)
          && (!job.open_only || session.row.open_responses > 0))
        list.rows.push_back(session.row);
    std::stable_sort(list.rows.begin(), list.rows.end(),
                     [](const auto& a, const auto& b) { return a.updated_at > b.updated_at; });
    if (list.rows.size() > job.limit)
      list.rows.resize(job.limit);
    return list;
  }

  template <class Job>
  result<typename Job::answer> answer_to(const Job& job) {
    return admin_.answer_to(job);
  }

  std::string incarnation_;
  std::map<session_key, memory_session> sessions_;
  memory_admin admin_;
};

} // namespace

std::unique_ptr<store_writer> make_memory_store(std::string incarnation) {
  return std::make_unique<memory_store>(std::move(incarnation));
}

} // namespace sidevoice
