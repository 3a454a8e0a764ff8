#pragma once

#include "tests/support/faulty_disk.hpp"

#include <sqlite3.h>

#include <set>
#include <vector>

/// How SQLite sees a `faulty_disk`; internal to it.
namespace sidevoice {

struct disk_life;

/// What `faulty_disk` and its VFS share.
struct disk_state {
  using file_ptr = std::shared_ptr<disk_file>;

  /// The knobs.
  faulty_disk& disk;
  std::map<std::string, file_ptr> names;

  struct name_change {
    std::string name;
    /// What the name meant before; null: nothing.
    file_ptr before;
  };
  /// Since the directory was synced, in their order.
  std::vector<name_change> name_changes;

  struct plan {
    std::uint64_t calls = 0;
    /// From this call on; 0: none.
    std::uint64_t at = 0;
    std::uint64_t times = 0;
    std::uint64_t per_mille = 0;
    roll_dice roll;
  };
  std::array<plan, disk_faults> plans{};
  disk_tally tally;

  /// For the VFS's own random numbers and clock.
  std::uint64_t random = 0;
  std::int64_t time = 0;
  std::string name;
  /// Those that have ended stay, for what is still open in them.
  std::vector<std::unique_ptr<disk_life>> lives;

  /// Counts a call, and says whether it meets the fault.
  bool meets(disk_fault fault);
  [[nodiscard]] std::uint64_t used() const;
  void set_name(const std::string& name, file_ptr file);
  /// Ends the present process and begins the next.
  void begin_life();
  disk_life& present();
};

/// An open file.
struct disk_handle {
  disk_life& life;
  disk_state::file_ptr file;
  std::string name;
  /// Its first sync makes the directory durable as well.
  bool syncs_names = false;
  int lock = SQLITE_LOCK_NONE;
  /// Locks on shared memory, a bit each.
  unsigned shm_shared = 0;
  unsigned shm_exclusive = 0;
  bool shm_open = false;
};

/// A process: its VFS, what it has open, and the shared memory of its write-ahead logs.
struct disk_life {
  disk_life(disk_state& of, std::string called);
  disk_life(const disk_life&) = delete;
  disk_life& operator=(const disk_life&) = delete;
  ~disk_life();

  /// From now on all it has open answers with errors.
  void end();

  disk_state& state;
  std::string name;
  sqlite3_vfs vfs{};
  bool dead = false;
  std::set<disk_handle*> open;
  std::map<const disk_file*, std::vector<std::unique_ptr<char[]>>> shared_memory;
};

/// What SQLite gives us room for; it makes no objects.
struct vfs_file {
  sqlite3_file base;
  disk_handle* handle;
};

inline disk_handle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<vfs_file*>(file)->handle;
}

/// The locks of a file, and the shared memory of its write-ahead log, among the handles of a life.
namespace vfs_locks {

int lock_file(sqlite3_file* file, int wanted);
int unlock_file(sqlite3_file* file, int wanted);
int ask_reserved(sqlite3_file* file, int* reserved);
int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory);
int lock_memory(sqlite3_file* file, int offset, int count, int flags);
void order_memory(sqlite3_file* file);
int unmap_memory(sqlite3_file* file, int remove);

} // namespace vfs_locks

/// Has SQLite draw its random numbers from `seed` on; without one, from the system again.
void seed_sqlite(const std::uint64_t* seed);

/// The next number of a sequence.
std::uint64_t next_random(std::uint64_t& state);

} // namespace sidevoice
