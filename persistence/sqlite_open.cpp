#include "persistence/sqlite_schema.hpp"
#include "persistence/sqlite_writer.hpp"

#include <cstdlib>
#include <string_view>

namespace sidevoice {

namespace {

error refused(schema_state state, const std::filesystem::path& file) {
  const auto name = file.string();
  switch (state) {
    case schema_state::newer:
      return {.code = errc::conflict,
              .detail = name + " was written by a newer sidevoice; run that one or a later one"};
    case schema_state::older:
      return {.code = errc::conflict,
              .detail = name
                        + " was written by an older sidevoice; start this one once with "
                          "`sidevoice serve` to bring it up to date"};
    default:
      return {.code = errc::damaged,
              .detail = name
                        + " has tables that no sidevoice makes; restore a backup, or choose "
                          "another folder with --data"};
  }
}

result<std::unique_ptr<store_writer>> open_beside(const std::filesystem::path& folder,
                                                  sqlite_access access) {
  const auto file = data_folder::database_in(folder);
  std::error_code code;
  if (!std::filesystem::is_regular_file(file, code))
    return error{.code = errc::not_found,
                 .detail = "there is no " + file.string()
                           + "; name the data folder of a server with --data"};
  auto writer = std::make_unique<sqlite_writer>(file, access, sqlite_synchronous::full,
                                                std::nullopt);
  if (auto opened = writer->open(); !opened)
    return opened.error();
  return std::unique_ptr<store_writer>{std::move(writer)};
}

/// What a check that is not "ok" means. A page that could not be read is in its text as a code, and
/// is no damage: a backup would not help, but the next try may.
int code_of_check(const std::string& found) {
  // Followed by "=" or a space.
  constexpr std::string_view mark = "error code";
  const auto at = found.find(mark);
  const int code = at == found.npos ? 0 : std::atoi(found.c_str() + at + mark.size() + 1);
  return (code & 0xff) == SQLITE_IOERR ? code : SQLITE_CORRUPT;
}

} // namespace

result<void> sqlite_writer::open() {
  try {
    connection_ = std::make_unique<sqlite_connection>(file_, access_, synchronous_, vfs_);
    if (access_ == sqlite_access::owner)
      connection_->rewrite_log();
    auto opened = check_and_migrate();
    if (!opened)
      connection_.reset();
    return opened;
  } catch (const sqlite_failure& failure) {
    connection_.reset();
    return to_error(failure, file_);
  }
}

result<void> sqlite_writer::check_and_migrate() {
  if (access_ == sqlite_access::owner)
    if (const auto found = connection_->ask("PRAGMA quick_check(1)"); found != "ok")
      return to_error(sqlite_failure{code_of_check(found), found.c_str()}, file_);
  auto state = check_schema(*connection_);
  if (state == schema_state::older && access_ == sqlite_access::owner) {
    migrate(*connection_);
    state = check_schema(*connection_);
  }
  if (state != schema_state::current)
    return refused(state, file_);
  incarnation_ = connection_->ask("SELECT value FROM meta WHERE name = 'incarnation'");
  return {};
}

/// Without the checks of `open`: they read the whole file, and it was ours all the time. What the
/// log holds is written anew before anybody relies on it.
result<void> sqlite_writer::reopen() {
  try {
    connection_ = std::make_unique<sqlite_connection>(file_, access_, synchronous_, vfs_);
    if (access_ != sqlite_access::read_only) {
      connection_->rewrite_log();
      // Behind what counts there may be a commit that failed, and that would count after a crash.
      // The next commit takes its place, so there is one before anybody hears what is stored.
      connection_->run("UPDATE meta SET value = value WHERE name = 'level'");
    }
    return {};
  } catch (const sqlite_failure& failure) {
    connection_.reset();
    return to_error(failure, file_);
  }
}

result<std::unique_ptr<store_writer>> open_sqlite(const sqlite_options& options) {
  auto folder = data_folder::hold(options.folder);
  if (!folder)
    return folder.error();
  const auto file = folder->database();
  auto writer = std::make_unique<sqlite_writer>(file, sqlite_access::owner, options.synchronous,
                                                std::move(*folder), options.vfs);
  if (auto opened = writer->open(); !opened)
    return opened.error();
  return std::unique_ptr<store_writer>{std::move(writer)};
}

result<std::unique_ptr<store_writer>> open_sqlite_read_only(const std::filesystem::path& folder) {
  return open_beside(folder, sqlite_access::read_only);
}

result<std::unique_ptr<store_writer>> open_sqlite_side(const std::filesystem::path& folder) {
  return open_beside(folder, sqlite_access::side);
}

} // namespace sidevoice
