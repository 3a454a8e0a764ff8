#include "tests/persistence/faulty_files.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <map>
#include <stdexcept>

namespace sidevoice::samples {

namespace {

struct fault_plan {
  file_fault fault = file_fault::none;
  std::uint64_t operations_left = 0;
  bool stays = false;
  bool fired = false;
};

// SQLite's VFS is a table of C functions, so what they share is a global.
fault_plan plan;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs our_vfs;
/// A patched copy for each table of methods that the real VFS uses.
std::map<const sqlite3_io_methods*, sqlite3_io_methods> patched;
std::map<const sqlite3_io_methods*, const sqlite3_io_methods*> original_of;

file_fault next_fault() {
  if (plan.fault == file_fault::none)
    return file_fault::none;
  if (plan.operations_left > 1) {
    --plan.operations_left;
    return file_fault::none;
  }
  const auto fault = plan.fault;
  plan.fired = true;
  if (!plan.stays)
    plan.fault = file_fault::none;
  return fault;
}

const sqlite3_io_methods& real(sqlite3_file* file) {
  return *original_of.at(file->pMethods);
}

int faulty_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  switch (next_fault()) {
    case file_fault::io_error:
      return SQLITE_IOERR_WRITE;
    case file_fault::no_room:
      return SQLITE_FULL;
    case file_fault::killed:
      real(file).xWrite(file, bytes, size / 2, offset);
      ::_exit(9);
    case file_fault::none:
      break;
  }
  return real(file).xWrite(file, bytes, size, offset);
}

int faulty_sync(sqlite3_file* file, int flags) {
  switch (next_fault()) {
    case file_fault::io_error:
      return SQLITE_IOERR_FSYNC;
    case file_fault::killed:
      ::_exit(9);
    default:
      return real(file).xSync(file, flags);
  }
}

int faulty_truncate(sqlite3_file* file, sqlite3_int64 size) {
  switch (next_fault()) {
    case file_fault::io_error:
      return SQLITE_IOERR_TRUNCATE;
    case file_fault::killed:
      ::_exit(9);
    default:
      return real(file).xTruncate(file, size);
  }
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out);
  if (code != SQLITE_OK || !file->pMethods)
    return code;
  auto& methods = patched[file->pMethods];
  methods = *file->pMethods;
  methods.xWrite = faulty_write;
  methods.xSync = faulty_sync;
  methods.xTruncate = faulty_truncate;
  original_of[&methods] = file->pMethods;
  file->pMethods = &methods;
  return SQLITE_OK;
}

} // namespace

faulty_files::faulty_files() {
  plan = {};
  real_vfs = sqlite3_vfs_find(nullptr);
  if (!real_vfs || real_vfs == &our_vfs)
    throw std::logic_error("one at a time");
  our_vfs = *real_vfs;
  our_vfs.zName = "faulty";
  our_vfs.xOpen = open_file;
  sqlite3_vfs_register(&our_vfs, 1);
}

faulty_files::~faulty_files() {
  plan = {};
  sqlite3_vfs_unregister(&our_vfs);
  sqlite3_vfs_register(real_vfs, 1);
}

void faulty_files::arm(file_fault fault, std::uint64_t at, bool stays) {
  plan = {.fault = fault, .operations_left = at, .stays = stays};
}

void faulty_files::disarm() {
  plan.fault = file_fault::none;
}

bool faulty_files::fired() const {
  return plan.fired;
}

} // namespace sidevoice::samples
