#include "persistence/data_folder.hpp"

#include "config/log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace sidevoice {

namespace {

constexpr mode_t private_folder = 0700;
constexpr mode_t private_file = 0600;

error failed(const std::string& what, const std::filesystem::path& path, int number) {
  const auto why = what + " " + path.string() + ": " + std::strerror(number);
  if (number == ENOSPC || number == EDQUOT)
    return {.code = errc::full, .detail = why + "; free space on its disk"};
  return {.code = errc::unavailable,
          .detail = why + "; choose a folder that this user may write with --data"};
}

result<void> make_private(const std::filesystem::path& folder) {
  std::error_code code;
  if (const auto above = folder.parent_path(); !above.empty())
    std::filesystem::create_directories(above, code);
  if (code)
    return failed("cannot make", folder.parent_path(), code.value());
  if (::mkdir(folder.c_str(), private_folder) == 0)
    return {};
  if (errno != EEXIST)
    return failed("cannot make", folder, errno);
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0)
    return failed("cannot read", folder, errno);
  if (!S_ISDIR(found.st_mode))
    return failed("cannot use", folder, ENOTDIR);
  if ((found.st_mode & 0777) == private_folder)
    return {};
  // A mounted volume may belong to somebody else. The files in it are private all the same.
  if (::chmod(folder.c_str(), private_folder) != 0)
    log(log_level::warning, "data folder is open to others; make it mode 0700",
        {{"folder", folder.string()}, {"why", std::strerror(errno)}});
  return {};
}

/// The process that holds the lock, for the message; "another process" where it is not known.
std::string holder(int lock) {
  char text[16] = {};
  const auto length = ::pread(lock, text, sizeof text - 1, 0);
  const std::string pid{text, length > 0 ? static_cast<std::size_t>(length) : 0};
  return pid.empty() ? "another process" : "process " + pid.substr(0, pid.find('\n'));
}

/// Makes the file private before SQLite opens it; its companions inherit the mode.
result<void> make_private_file(const std::filesystem::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file);
  if (made < 0)
    return failed("cannot open", file, errno);
  ::close(made);
  return {};
}

} // namespace

result<data_folder> data_folder::hold(const std::filesystem::path& folder) {
  if (folder.empty())
    return error{.code = errc::invalid, .detail = "name a data folder with --data"};
  // "data/" is the folder "data": a trailing slash would hide its name.
  const auto name = folder.has_filename() ? folder : folder.parent_path();
  if (auto made = make_private(name); !made)
    return made.error();
  const auto path = name / "sidevoice.lock";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file);
  if (lock < 0)
    return failed("cannot open", path, errno);
  data_folder held{name, lock};
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed("cannot lock", path, errno);
    return error{.code = errc::conflict,
                 .detail = holder(lock) + " holds the data folder " + name.string()
                           + "; stop it, or choose another folder with --data"};
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  // The number only makes the message above better, so failing to write it is no error.
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, pid.data(), pid.size(), 0) < 0)
    log(log_level::warning, "cannot note the holder of the data folder",
        {{"folder", name.string()}});
  if (auto made = make_private_file(held.database()); !made)
    return made.error();
  return held;
}

data_folder::data_folder(std::filesystem::path folder, int lock)
    : folder_(std::move(folder)),
      lock_(lock) {}

data_folder::data_folder(data_folder&& other) noexcept
    : folder_(std::move(other.folder_)),
      lock_(std::exchange(other.lock_, -1)) {}

data_folder& data_folder::operator=(data_folder&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  return *this;
}

data_folder::~data_folder() {
  if (lock_ >= 0)
    ::close(lock_);
}

std::filesystem::path data_folder::database() const {
  return database_in(folder_);
}

std::filesystem::path data_folder::database_in(const std::filesystem::path& folder) {
  return folder / "sidevoice.db";
}

} // namespace sidevoice
