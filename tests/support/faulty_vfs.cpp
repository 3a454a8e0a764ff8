#include "tests/support/faulty_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sidevoice {

namespace {

disk_life& life_of(sqlite3_vfs* vfs) {
  return *static_cast<disk_life*>(vfs->pAppData);
}

/// True when this call is the last one of the process. What it changes it still does, unsynced.
bool cuts_power(disk_life& life) {
  if (!life.state.meets(disk_fault::power_cut))
    return false;
  life.end();
  return true;
}

// -- bytes
// ---------------------------------------------------------------------------------------

int close_file(sqlite3_file* file) {
  const auto* handle = &handle_of(file);
  handle->life.open.erase(const_cast<disk_handle*>(handle));
  delete handle;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  auto& handle = handle_of(file);
  if (handle.life.dead || handle.life.state.meets(disk_fault::read_error))
    return SQLITE_IOERR_READ;
  const auto& bytes = handle.file->bytes();
  const auto wanted = static_cast<std::size_t>(size);
  const auto at = std::min(static_cast<std::size_t>(offset), bytes.size());
  const auto count = std::min(wanted, bytes.size() - at);
  std::memcpy(to, bytes.data() + at, count);
  if (count == wanted)
    return SQLITE_OK;
  std::memset(static_cast<char*>(to) + count, 0, wanted - count);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  auto& handle = handle_of(file);
  auto& state = handle.life.state;
  if (handle.life.dead)
    return SQLITE_IOERR_WRITE;
  const std::string_view bytes{static_cast<const char*>(from), static_cast<std::size_t>(size)};
  const auto at = static_cast<std::size_t>(offset);
  const auto had = handle.file->bytes().size();
  const bool grows = at + bytes.size() > had;
  const bool cut = cuts_power(handle.life);
  if (!cut && state.meets(disk_fault::write_error)) {
    handle.file->write(bytes.substr(0, bytes.size() / 2), at);
    return SQLITE_IOERR_WRITE;
  }
  if (!cut && grows) {
    const bool no_room = !state.disk.calm
                         && state.used() + at + bytes.size() - had > state.disk.room;
    if (state.meets(disk_fault::full) || no_room)
      return SQLITE_FULL;
  }
  handle.file->write(bytes, at);
  return cut ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  auto& handle = handle_of(file);
  if (handle.life.dead)
    return SQLITE_IOERR_TRUNCATE;
  const bool cut = cuts_power(handle.life);
  if (!cut && handle.life.state.meets(disk_fault::write_error))
    return SQLITE_IOERR_TRUNCATE;
  handle.file->resize(static_cast<std::size_t>(size));
  return cut ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  auto& handle = handle_of(file);
  auto& state = handle.life.state;
  if (handle.life.dead || cuts_power(handle.life))
    return SQLITE_IOERR_FSYNC;
  if (state.meets(disk_fault::sync_error)) {
    if (state.disk.forgets)
      handle.file->forget();
    return SQLITE_IOERR_FSYNC;
  }
  if (state.disk.lies) {
    ++state.tally.lies;
    return SQLITE_OK;
  }
  handle.file->sync();
  if (std::exchange(handle.syncs_names, false))
    state.name_changes.clear();
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  auto& handle = handle_of(file);
  if (handle.life.dead)
    return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(handle.file->bytes().size());
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size_of(sqlite3_file*) {
  return static_cast<int>(disk_file::page_size);
}

/// As the system's: a torn sector has bytes of before and after, and no others.
int traits_of(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods methods{.iVersion = 2,
                                 .xClose = close_file,
                                 .xRead = read_file,
                                 .xWrite = write_file,
                                 .xTruncate = truncate_file,
                                 .xSync = sync_file,
                                 .xFileSize = size_of_file,
                                 .xLock = vfs_locks::lock_file,
                                 .xUnlock = vfs_locks::unlock_file,
                                 .xCheckReservedLock = vfs_locks::ask_reserved,
                                 .xFileControl = control_file,
                                 .xSectorSize = sector_size_of,
                                 .xDeviceCharacteristics = traits_of,
                                 .xShmMap = vfs_locks::map_memory,
                                 .xShmLock = vfs_locks::lock_memory,
                                 .xShmBarrier = vfs_locks::order_memory,
                                 .xShmUnmap = vfs_locks::unmap_memory,
                                 .xFetch = nullptr,
                                 .xUnfetch = nullptr};

// -- names
// ---------------------------------------------------------------------------------------

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  auto& life = life_of(vfs);
  auto& state = life.state;
  file->pMethods = nullptr;
  if (life.dead || state.meets(disk_fault::open_error))
    return SQLITE_CANTOPEN;
  const std::string name = path ? path : "";
  const auto known = state.names.find(name);
  auto found = known == state.names.end() ? nullptr : known->second;
  if (!found) {
    if ((flags & SQLITE_OPEN_CREATE) == 0)
      return SQLITE_CANTOPEN;
    found = std::make_shared<disk_file>();
    // A file without a name is gone with its handle.
    if (path)
      state.set_name(name, found);
  }
  // As the system's: whether this process has made the log or a former one, nobody remembers.
  const bool syncs_names =
    (flags & SQLITE_OPEN_CREATE) != 0
    && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
  auto handle = std::make_unique<disk_handle>(
    disk_handle{.life = life, .file = found, .name = name, .syncs_names = syncs_names});
  life.open.insert(handle.get());
  reinterpret_cast<vfs_file*>(file)->handle = handle.release();
  file->pMethods = &methods;
  if (out)
    *out = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_names) {
  auto& life = life_of(vfs);
  if (life.dead)
    return SQLITE_IOERR_DELETE;
  if (!life.state.names.contains(name))
    return SQLITE_IOERR_DELETE_NOENT;
  const bool cut = cuts_power(life);
  if (!cut && life.state.meets(disk_fault::write_error))
    return SQLITE_IOERR_DELETE;
  life.state.set_name(name, nullptr);
  if (sync_names != 0 && !cut && !life.state.disk.lies)
    life.state.name_changes.clear();
  return cut ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

int look_for(sqlite3_vfs* vfs, const char* name, int flags, int* found) {
  auto& life = life_of(vfs);
  if (life.dead)
    return SQLITE_IOERR_ACCESS;
  const auto known = life.state.names.find(name);
  const bool there = known != life.state.names.end();
  // As the system's: an empty file does not count where SQLite asks for one that exists.
  *found = there && (flags != SQLITE_ACCESS_EXISTS || !known->second->bytes().empty());
  return SQLITE_OK;
}

int whole_name(sqlite3_vfs*, const char* name, int size, char* to) {
  sqlite3_snprintf(size, to, "%s", name);
  return SQLITE_OK;
}

// -- chance and time
// -----------------------------------------------------------------------------

void fill(std::uint64_t& random, int size, char* to) {
  for (int i = 0; i < size; ++i)
    to[i] = static_cast<char>(next_random(random));
}

int give_random(sqlite3_vfs* vfs, int size, char* to) {
  fill(life_of(vfs).state.random, size, to);
  return size;
}

int seed_random(sqlite3_vfs* vfs, int size, char* to) {
  fill(*static_cast<std::uint64_t*>(vfs->pAppData), size, to);
  return size;
}

/// Nobody else runs meanwhile, so there is nothing to wait for.
int pass_time(sqlite3_vfs* vfs, int microseconds) {
  life_of(vfs).state.time += microseconds / 1000;
  return microseconds;
}

/// Milliseconds of the Julian calendar; a look at the clock takes one.
int tell_time(sqlite3_vfs* vfs, sqlite3_int64* time) {
  constexpr sqlite3_int64 march_2027 = 210'866'760'000'000 + 1'803'895'200'000;
  *time = march_2027 + ++life_of(vfs).state.time;
  return SQLITE_OK;
}

int tell_days(sqlite3_vfs* vfs, double* days) {
  sqlite3_int64 time = 0;
  tell_time(vfs, &time);
  *days = static_cast<double>(time) / 86'400'000.0;
  return SQLITE_OK;
}

} // namespace

disk_life::disk_life(disk_state& of, std::string called) : state(of), name(std::move(called)) {
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(vfs_file);
  vfs.mxPathname = 512;
  vfs.zName = name.c_str();
  vfs.pAppData = this;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = look_for;
  vfs.xFullPathname = whole_name;
  vfs.xRandomness = give_random;
  vfs.xSleep = pass_time;
  vfs.xCurrentTime = tell_days;
  vfs.xCurrentTimeInt64 = tell_time;
  sqlite3_vfs_register(&vfs, 0);
}

disk_life::~disk_life() {
  end();
}

void disk_life::end() {
  if (!std::exchange(dead, true))
    sqlite3_vfs_unregister(&vfs);
}

void seed_sqlite(const std::uint64_t* seed) {
  auto* usual = sqlite3_vfs_find(nullptr);
  // Forgets what it has; it takes new ones from the VFS that is the default when it is asked next.
  sqlite3_randomness(0, nullptr);
  if (!seed)
    return;
  auto state = *seed;
  auto seeding = *usual;
  seeding.zName = "sidevoice-lab-seed";
  seeding.pAppData = &state;
  seeding.xRandomness = seed_random;
  sqlite3_vfs_register(&seeding, 1);
  unsigned char first = 0;
  sqlite3_randomness(1, &first);
  sqlite3_vfs_unregister(&seeding);
  sqlite3_vfs_register(usual, 1);
}

std::uint64_t next_random(std::uint64_t& state) {
  // SplitMix64.
  auto mixed = state += 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31U);
}

} // namespace sidevoice
