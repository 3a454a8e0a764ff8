#pragma once

#include "persistence/data_folder.hpp"
#include "persistence/sqlite_connection.hpp"
#include "persistence/stores.hpp"

#include <optional>

namespace sidevoice {

/// The SQLite store. Declared here for its tests; others use `open_sqlite`.
///
/// One group is one transaction, with a savepoint for each job, so that a refused job takes only
/// its own changes back. After an I/O error the connection is closed and opened again, and nothing
/// counts that is not found there: a failed fsync is never repeated as if it had worked.
class sqlite_writer final : public store_writer {
public:
  /// `folder` is set for the owner of the folder only, not for those who read or write beside it.
  /// `vfs` names a registered VFS of SQLite; empty: the system's.
  sqlite_writer(std::filesystem::path file, sqlite_access access, sqlite_synchronous synchronous,
                std::optional<data_folder> folder, std::string vfs = {});

  /// Opens, checks and migrates the file. Once, before anything else.
  result<void> open();

  std::vector<store_completion> run(std::vector<store_job> jobs) override;
  [[nodiscard]] std::string incarnation() const override;

  /// For tests: the connection in use; null while it is closed.
  [[nodiscard]] sqlite3* handle() const;

private:
  template <class Jobs>
  struct answers_to;
  template <class... Job>
  struct answers_to<std::variant<store_task<Job>...>> {
    using type = std::variant<result<typename answer_of<Job>::type>...>;
  };
  /// Answers, in the order of the alternatives of `store_job`.
  using answer = answers_to<store_job>::type;

  result<void> check_and_migrate();
  result<void> reopen();
  std::vector<answer> run_group(const std::vector<store_job>& jobs);
  std::vector<answer> run_transaction(const std::vector<store_job>& jobs);
  answer run_job(const store_job& job);
  template <class Job>
  result<typename answer_of<Job>::type> run_in_savepoint(const Job& job);
  std::vector<answer> after_failure(const std::vector<store_job>& jobs,
                                    const sqlite_failure& failure, bool committing);
  std::vector<answer> read_back(const std::vector<store_job>& jobs);

  const std::filesystem::path file_;
  const sqlite_access access_;
  const sqlite_synchronous synchronous_;
  /// Held for as long as this lives.
  const std::optional<data_folder> folder_;
  const std::string vfs_;
  std::unique_ptr<sqlite_connection> connection_;
  std::string incarnation_;
  /// Since the last group that wrote; a broken disk is logged once, not once for each group.
  bool failing_ = false;
};

} // namespace sidevoice
