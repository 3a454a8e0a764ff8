#pragma once

#include "persistence/stores.hpp"
#include "tests/support/disk_file.hpp"

#include <array>
#include <map>
#include <memory>
#include <string>

namespace sidevoice {

/// What can happen to a call of SQLite's to its disk. The calls that can meet it are counted for
/// each.
enum class disk_fault {
  /// A read fails.
  read_error,
  /// A write, truncate or delete fails; a write leaves half of its bytes.
  write_error,
  /// A write that makes the file longer finds no room.
  full,
  /// A sync fails, and nothing became durable. See `faulty_disk::forgets`.
  sync_error,
  /// A file cannot be opened, as without descriptors.
  open_error,
  /// A call that changes something (write, truncate, delete, sync) is the last of this process.
  power_cut,
};

inline constexpr std::size_t disk_faults = 6;

/// What has happened to a disk since it was made.
struct disk_tally {
  /// Calls that met a fault, by `disk_fault`.
  std::array<std::uint64_t, disk_faults> met{};
  /// Syncs that were answered with a lie.
  std::uint64_t lies = 0;
  std::uint64_t process_deaths = 0;
  std::uint64_t power_losses = 0;
  /// Changes of names (a file made or deleted) that a power loss has undone.
  std::uint64_t names_lost = 0;
  power_tally sectors;

  [[nodiscard]] std::uint64_t met_by(disk_fault fault) const {
    return met[static_cast<std::size_t>(fault)];
  }
};

struct disk_state;

/// A disk in memory, with files that SQLite opens through a VFS of the disk's own. What was not
/// synced is lost by a power loss as real disks lose it; calls fail where and as often as the test
/// says; and the same seed, faults and dice give the same bytes again.
///
/// A disk sees processes come and go, each a life with a VFS name of its own: what a former one has
/// open only answers with errors, closing it changes nothing. Files are made and deleted in the
/// order of their directory, as a file system with a journal does it; so are those that SQLite
/// syncs with a file that it has made. One thread; the disk outlives all that is open on it. While
/// there is a disk, SQLite's own random numbers come from the seed of the newest.
class faulty_disk {
public:
  static constexpr const char* database = "sidevoice.db";

  explicit faulty_disk(std::uint64_t seed = 0);
  /// The same bytes, synced or not, without the faults, on a VFS of its own: to try what follows
  /// from one moment in several ways.
  faulty_disk(const faulty_disk& other);
  faulty_disk& operator=(const faulty_disk&) = delete;
  ~faulty_disk();

  // -- opening ------------------------------------------------------------------------------------

  /// Of the present life. A path on it is a name; `database` is the store's.
  [[nodiscard]] std::string vfs_name() const;

  /// Opens the store in the file `database` as a node does when it starts; makes and migrates it.
  result<std::unique_ptr<store_writer>>
  open(sqlite_synchronous synchronous = sqlite_synchronous::full);

  /// A writer that outlives its processes: after each `process_dies` and `power_loss` its next
  /// group opens the store again; where that fails, every job of the group answers with that error.
  std::unique_ptr<store_writer>
  make_writer(sqlite_synchronous synchronous = sqlite_synchronous::full);

  // -- ends of a process --------------------------------------------------------------------------

  /// The process is killed; the system goes on, so nothing is lost that was written.
  void process_dies();

  /// The power goes, at any moment or after a `power_cut`, and comes again. What was not synced is
  /// kept, lost or torn as the dice say.
  void power_loss(const roll_dice& roll);

  /// False after a `power_cut`, until `power_loss`: nothing that the process was told since counts.
  [[nodiscard]] bool has_power() const;

  /// Counts up with each process.
  [[nodiscard]] std::uint64_t life() const;

  // -- faults -------------------------------------------------------------------------------------

  /// The call number `nth` from now on (1: the next) that can meet the fault does, and so do those
  /// after it, `times` in all.
  void fail_at(disk_fault fault, std::uint64_t nth, std::uint64_t times = 1);

  /// Of a thousand calls that can meet the fault, about so many do.
  void fail_often(disk_fault fault, std::uint64_t per_mille, roll_dice roll);

  /// Ends what `fail_at`, `fail_often`, `lies` and `room` do.
  void heal();

  /// Calls so far that could have met the fault.
  [[nodiscard]] std::uint64_t calls(disk_fault fault) const;

  /// A sync answers that all is well, and makes nothing durable.
  bool lies = false;
  /// After a failed sync the system takes what it could not write for clean, as Linux does: no
  /// later sync makes it durable unless it is written again. Else the next sync does.
  bool forgets = true;
  /// While it is set nothing fails and nothing is counted: for a look at the store from outside.
  bool calm = false;
  /// Bytes that all files together may have; beyond it a write finds the disk full.
  std::uint64_t room = ~std::uint64_t{0};

  [[nodiscard]] const disk_tally& tally() const;

  // -- files --------------------------------------------------------------------------------------

  /// A copy of all files, as a person makes it for a backup.
  [[nodiscard]] std::map<std::string, std::string> files() const;

  /// Puts other files in place of all, synced, and ends the process: a restore, or damage.
  void replace_files(const std::map<std::string, std::string>& files);

private:
  std::unique_ptr<disk_state> state_;
};

} // namespace sidevoice
