#include "persistence/sqlite_writer.hpp"

#include "config/log.hpp"
#include "persistence/sqlite_journal.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace sidevoice {

namespace {

template <class Job, class... Others>
constexpr bool is_one_of = (std::is_same_v<Job, Others> || ...);

template <class Job>
constexpr bool writes = !is_one_of<Job, find_append, read_events, list_sessions, get_release,
                                   list_releases, list_keys, get_spend>;

/// Only the owner of the folder may run these: it alone knows who runs a session.
template <class Job>
constexpr bool needs_owner = is_one_of<Job, claim_session, append_events, put_snapshot>;

/// Why a job that writes is not run with this access; nothing when it is.
template <class Job>
std::optional<error> forbidden(sqlite_access access) {
  if (access == sqlite_access::read_only)
    return error{.code = errc::invalid, .detail = "this store is open for reading only"};
  if (access == sqlite_access::side && needs_owner<Job>)
    return error{.code = errc::invalid,
                 .detail = "this store is open for keys and releases only; sessions belong to the "
                           "server"};
  return std::nullopt;
}

bool is_write(const store_job& job) {
  return std::visit([]<class Job>(const store_task<Job>&) { return writes<Job>; }, job);
}

/// The failure of a whole group while it was committed.
struct commit_failure : sqlite_failure {
  using sqlite_failure::sqlite_failure;
};

template <class Answer>
std::vector<Answer> same_for_all(const std::vector<store_job>& jobs, const error& why) {
  std::vector<Answer> answers;
  for (const auto& job : jobs)
    std::visit(
      [&]<class Job>(const store_task<Job>&) {
        answers.push_back(result<typename answer_of<Job>::type>{why});
      },
      job);
  return answers;
}

} // namespace

sqlite_writer::sqlite_writer(std::filesystem::path file, sqlite_access access,
                             sqlite_synchronous synchronous, std::optional<data_folder> folder,
                             std::string vfs)
    : file_(std::move(file)),
      access_(access),
      synchronous_(synchronous),
      folder_(std::move(folder)),
      vfs_(std::move(vfs)) {}

std::string sqlite_writer::incarnation() const {
  return incarnation_;
}

sqlite3* sqlite_writer::handle() const {
  return connection_ ? connection_->handle() : nullptr;
}

std::vector<store_completion> sqlite_writer::run(std::vector<store_job> jobs) {
  auto answers = run_group(jobs);
  std::vector<store_completion> completions;
  completions.reserve(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i)
    std::visit(
      [&]<class Job>(store_task<Job>& task) {
        using answer_type = result<typename answer_of<Job>::type>;
        completions.push_back(completion(std::move(task), std::get<answer_type>(answers[i])));
      },
      jobs[i]);
  return completions;
}

std::vector<sqlite_writer::answer> sqlite_writer::run_group(const std::vector<store_job>& jobs) {
  if (!connection_)
    if (auto opened = reopen(); !opened)
      return same_for_all<answer>(jobs, opened.error());
  try {
    return run_transaction(jobs);
  } catch (const commit_failure& failure) {
    return after_failure(jobs, failure, true);
  } catch (const sqlite_failure& failure) {
    return after_failure(jobs, failure, false);
  } catch (const std::exception& failure) {
    // Out of memory, most likely. Nothing is committed; a fresh connection knows no half of it.
    connection_.reset();
    return same_for_all<answer>(jobs, {.code = errc::unavailable,
                                       .detail = std::string{"the store failed: "} + failure.what()
                                                 + "; try again"});
  }
}

std::vector<sqlite_writer::answer>
sqlite_writer::run_transaction(const std::vector<store_job>& jobs) {
  const bool writing = access_ != sqlite_access::read_only
                       && std::any_of(jobs.begin(), jobs.end(), is_write);
  connection_->run(writing ? "BEGIN IMMEDIATE" : "BEGIN");
  std::vector<answer> answers;
  answers.reserve(jobs.size());
  for (const auto& job : jobs)
    answers.push_back(run_job(job));
  try {
    connection_->run("COMMIT");
  } catch (const sqlite_failure& failure) {
    throw commit_failure{failure.code, failure.what()};
  }
  if (writing && std::exchange(failing_, false))
    log(log_level::info, "the store works again", {{"file", file_.string()}});
  return answers;
}

template <class Job>
result<typename answer_of<Job>::type> sqlite_writer::run_in_savepoint(const Job& job) {
  connection_->run("SAVEPOINT job");
  const auto take_back = [this] {
    connection_->run("ROLLBACK TO job");
    connection_->run("RELEASE job");
  };
  try {
    auto answer = sqlite_journal::answer_to(*connection_, job);
    if (answer)
      connection_->run("RELEASE job");
    else
      take_back();
    return answer;
  } catch (const sqlite_failure& failure) {
    // SQLite rolls all of it back on its own where it cannot take back a part.
    if (!connection_->in_transaction() || needs_reopening(failure.code))
      throw;
    take_back();
    return to_error(failure, file_);
  } catch (const std::exception& failure) {
    take_back();
    return error{.code = errc::unavailable,
                 .detail = std::string{"the store failed: "} + failure.what() + "; try again"};
  }
}

sqlite_writer::answer sqlite_writer::run_job(const store_job& job) {
  return std::visit(
    [this]<class Job>(const store_task<Job>& task) -> answer {
      if constexpr (!writes<Job>) {
        return sqlite_journal::answer_to(*connection_, task.job);
      } else {
        if (auto why = forbidden<Job>(access_))
          return result<typename answer_of<Job>::type>{std::move(*why)};
        return run_in_savepoint(task.job);
      }
    },
    job);
}

std::vector<sqlite_writer::answer> sqlite_writer::after_failure(const std::vector<store_job>& jobs,
                                                                const sqlite_failure& failure,
                                                                bool committing) {
  const auto why = to_error(failure, file_);
  const auto one_by_one = [&] {
    std::vector<answer> answers;
    for (const auto& job : jobs)
      answers.push_back(std::move(run_group({job}).front()));
    return answers;
  };
  if (!std::exchange(failing_, true))
    log(log_level::error, "the store failed", {{"code", to_string(why.code)}, {"why", why.detail}});
  if (needs_reopening(failure.code)) {
    connection_.reset();
    if (committing)
      return read_back(jobs);
    // A damaged page belongs to one session; the others do not touch it.
    return why.code == errc::damaged && jobs.size() > 1 ? one_by_one()
                                                        : same_for_all<answer>(jobs, why);
  }
  if (connection_->in_transaction())
    sqlite3_exec(connection_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  if (why.code != errc::full || jobs.size() == 1)
    return same_for_all<answer>(jobs, why);
  // One large job may have used up the room of all: each gets its own chance.
  return one_by_one();
}

/// After a COMMIT that failed in its I/O: whether it is in the log only shows there.
std::vector<sqlite_writer::answer> sqlite_writer::read_back(const std::vector<store_job>& jobs) {
  const error unknown{.code = errc::unknown_outcome,
                      .detail = "writing to " + file_.string()
                                + " failed half way; read the append back once the store answers",
                      .reason = "commit"};
  if (auto opened = reopen(); !opened)
    return same_for_all<answer>(jobs, unknown);
  const auto failed = [this](const char* advice) {
    return error{.code = errc::unavailable,
                 .detail = "writing to " + file_.string() + " failed, " + advice,
                 .reason = "commit"};
  };
  // Other jobs than appends are not searched for: doing them twice is doing them once.
  auto answers = same_for_all<answer>(
    jobs, failed("stored or not; check its disk, then repeat it, which is safe"));
  try {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto* task = std::get_if<store_task<append_events>>(&jobs[i]);
      if (!task || task->job.events.empty())
        continue;
      const auto found = sqlite_journal::answer_to(
        *connection_, find_append{.key = task->job.key, .append_id = task->job.append_id});
      answers[i] = found && found->stored
                     ? result<appended>{appended{task->job.events.back()->seq}}
                     : result<appended>{failed("nothing was stored; check its disk")};
    }
    return answers;
  } catch (const sqlite_failure&) {
    connection_.reset();
    return same_for_all<answer>(jobs, unknown);
  }
}

} // namespace sidevoice
