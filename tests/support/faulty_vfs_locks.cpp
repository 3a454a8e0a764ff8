#include "tests/support/faulty_vfs.hpp"

#include <algorithm>
#include <atomic>

namespace sidevoice::vfs_locks {

namespace {

/// True when another handle of the file has at least this lock.
bool others_have(const disk_handle& handle, int lock) {
  const auto& open = handle.life.open;
  return std::any_of(open.begin(), open.end(), [&](const disk_handle* other) {
    return other != &handle && other->file == handle.file && other->lock >= lock;
  });
}

} // namespace

int lock_file(sqlite3_file* file, int wanted) {
  auto& handle = handle_of(file);
  if (handle.life.dead)
    return SQLITE_IOERR_LOCK;
  if (handle.lock >= wanted)
    return SQLITE_OK;
  if (wanted == SQLITE_LOCK_SHARED && others_have(handle, SQLITE_LOCK_PENDING))
    return SQLITE_BUSY;
  if (wanted > SQLITE_LOCK_SHARED && others_have(handle, SQLITE_LOCK_RESERVED))
    return SQLITE_BUSY;
  if (wanted == SQLITE_LOCK_EXCLUSIVE && others_have(handle, SQLITE_LOCK_SHARED)) {
    handle.lock = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  handle.lock = wanted;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int wanted) {
  auto& handle = handle_of(file);
  handle.lock = std::min(handle.lock, wanted);
  return SQLITE_OK;
}

int ask_reserved(sqlite3_file* file, int* reserved) {
  const auto& handle = handle_of(file);
  *reserved = handle.lock >= SQLITE_LOCK_RESERVED || others_have(handle, SQLITE_LOCK_RESERVED);
  return SQLITE_OK;
}

// -- shared memory
// -------------------------------------------------------------------------------

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  auto& handle = handle_of(file);
  *memory = nullptr;
  if (handle.life.dead)
    return SQLITE_IOERR_SHMMAP;
  handle.shm_open = true;
  auto& regions = handle.life.shared_memory[handle.file.get()];
  const auto wanted = static_cast<std::size_t>(region);
  if (wanted >= regions.size() && extend == 0)
    return SQLITE_OK;
  while (wanted >= regions.size())
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  *memory = regions[wanted].get();
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* file, int offset, int count, int flags) {
  auto& handle = handle_of(file);
  const auto mask = ((1U << static_cast<unsigned>(count)) - 1) << static_cast<unsigned>(offset);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    handle.shm_shared &= ~mask;
    handle.shm_exclusive &= ~mask;
    return SQLITE_OK;
  }
  if (handle.life.dead)
    return SQLITE_IOERR_SHMLOCK;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (const auto* other : handle.life.open) {
    const auto against = other->shm_exclusive | (exclusive ? other->shm_shared : 0U);
    if (other != &handle && other->file == handle.file && (against & mask) != 0)
      return SQLITE_BUSY;
  }
  (exclusive ? handle.shm_exclusive : handle.shm_shared) |= mask;
  return SQLITE_OK;
}

void order_memory(sqlite3_file*) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// Whoever opens it next finds it empty, as with the system's: it was nobody's for a moment.
int unmap_memory(sqlite3_file* file, int) {
  auto& handle = handle_of(file);
  handle.shm_shared = handle.shm_exclusive = 0;
  handle.shm_open = false;
  const auto& open = handle.life.open;
  if (std::none_of(open.begin(), open.end(), [&](const disk_handle* other) {
        return other->file == handle.file && other->shm_open;
      }))
    handle.life.shared_memory.erase(handle.file.get());
  return SQLITE_OK;
}

} // namespace sidevoice::vfs_locks
