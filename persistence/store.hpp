#pragma once

#include "persistence/admin_jobs.hpp"
#include "persistence/fold.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What every store does. A `store_writer` is synchronous and single-threaded (jobs in, answers
/// out); `threaded_store` puts a thread round one; the lab turns one by hand. The conformance suite
/// in tests/persistence is this comment, executable.
namespace sidevoice {

struct session_key {
  std::string app;
  std::string id;

  auto operator<=>(const session_key&) const = default;
};

/// A session's row.
struct session_row {
  session_key key;
  std::string user;
  std::string release;
  /// Raised by each claim; an append under an older one is refused.
  std::uint64_t epoch = 0;
  /// The node incarnation that holds it.
  std::string node;
  std::uint64_t head = 0;
  /// "live", "completed" or "ended".
  std::string status = "live";
  /// Responses requested and not done: what a sweeper looks for.
  std::uint64_t open_responses = 0;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;

  bool operator==(const session_row&) const = default;
};

// -- jobs and their answers
// -------------------------------------------------------------------------

struct claimed {
  session_row row;
  /// Folded to row.head.
  view_ptr view;
  bool created = false;
};

/// Takes a session for a node: raises its epoch, so that any former owner's next append is refused.
/// With `create`, the row is made (epoch 1, head 0) unless it is there; without it an unknown
/// session is `not_found`. Answers with the row, the newest valid snapshot and the events behind
/// it.
struct claim_session {
  using answer = claimed;

  session_key key;
  std::string node;
  std::int64_t at = 0;
  bool create = false;
  /// For a new row.
  std::string user;
  std::string release;
};

struct appended {
  std::uint64_t head = 0;
};

/// Appends events numbered head + 1, head + 2, ... if epoch and head still are what the owner
/// believes. All or nothing. Errors:
/// `conflict` (epoch or head moved), `full`, `unavailable` (nothing was stored),
/// `unknown_outcome` (read `append_id` back before judging).
struct append_events {
  using answer = appended;

  session_key key;
  std::uint64_t epoch = 0;
  /// The head before these events.
  std::uint64_t head = 0;
  std::string append_id;
  std::vector<event_ptr> events;
  /// Status and open responses of the session after these events.
  std::string status = "live";
  std::uint64_t open_responses = 0;
  /// What these events have spent, in millionths of a euro: counted with them, or not at all.
  /// Without a day, or beyond `spent_max`, it is `invalid`.
  std::uint64_t spent = 0;
  /// On which it was spent: days since 1970, UTC; 0: none.
  std::int32_t day = 0;
};

/// More than an append can have cost: a million euros.
inline constexpr std::uint64_t spent_max = 1'000'000'000'000;

struct append_found {
  bool stored = false;
};

/// Asks whether an append is in the journal.
struct find_append {
  using answer = append_found;

  session_key key;
  std::string append_id;
};

struct events_page {
  std::vector<event_ptr> events;
};

/// Reads up to `limit` events after number `after`, in order. A damaged event stops the page with
/// the error `damaged` that names its number.
struct read_events {
  using answer = events_page;

  session_key key;
  std::uint64_t after = 0;
  std::size_t limit = 1000;
};

struct snapshot_kept {};

/// Keeps the fold up to view.head, so that a claim need not read the whole journal.
struct put_snapshot {
  using answer = snapshot_kept;

  session_key key;
  view_ptr view;
};

struct session_list {
  std::vector<session_row> rows;
};

/// Rows, newest first.
struct list_sessions {
  using answer = session_list;

  /// Empty: of all apps.
  std::string app;
  /// Only sessions with open responses.
  bool open_only = false;
  std::size_t limit = 1000;
};

/// The type of a job's answer.
template <class Job>
struct answer_of {
  using type = typename Job::answer;
};

/// A job with the function that takes its answer.
template <class Job>
struct store_task {
  Job job;
  std::function<void(result<typename answer_of<Job>::type>)> done;
};

using store_job =
  std::variant<store_task<claim_session>, store_task<append_events>, store_task<find_append>,
               store_task<read_events>, store_task<put_snapshot>, store_task<list_sessions>,
               store_task<put_release>, store_task<get_release>, store_task<point_release>,
               store_task<list_releases>, store_task<put_key>, store_task<list_keys>,
               store_task<revoke_key>, store_task<get_spend>>;

/// A finished job: calls `done` with its answer. Called once, on the loop.
using store_completion = std::function<void()>;

/// A synchronous store. One thread at a time.
class store_writer {
public:
  virtual ~store_writer() = default;

  /// Runs the jobs in order as one group: appends share a transaction, and no answer is given
  /// before it is committed. One job's refusal does not touch the others. Never throws.
  virtual std::vector<store_completion> run(std::vector<store_job> jobs) = 0;

  /// Names this store's contents; a new one after a restore. Clients' resume tokens carry it.
  [[nodiscard]] virtual std::string incarnation() const = 0;
};

/// What actors use. `submit` may be called from any thread and never blocks; answers are posted to
/// the loop. At most `queue_max` jobs wait; beyond that the answer is `overloaded`, at once.
class store {
public:
  virtual ~store() = default;
  virtual void submit(store_job job) = 0;
  [[nodiscard]] virtual std::string incarnation() const = 0;

  template <class Job, class F>
  void ask(Job job, F done) {
    submit(store_task<Job>{std::move(job), std::move(done)});
  }
};

} // namespace sidevoice
