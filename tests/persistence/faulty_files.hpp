#pragma once

#include <cstdint>
#include <functional>

namespace sidevoice::samples {

/// What happens to a file operation that changes something (write, sync, truncate).
enum class file_fault {
  none,
  /// It fails as a broken disk does.
  io_error,
  /// Writes fail as on a full disk.
  no_room,
  /// Half of a write is done, then the process is gone.
  killed,
};

/// While it lives, SQLite's files go through it. One at a time.
class faulty_files {
public:
  faulty_files();
  faulty_files(const faulty_files&) = delete;
  faulty_files& operator=(const faulty_files&) = delete;
  ~faulty_files();

  /// The operation number `at` from now on (counted from 1) meets the fault, and with `stays` all
  /// that follow.
  void arm(file_fault fault, std::uint64_t at, bool stays = false);
  void disarm();

  /// True when an operation has met the fault since `arm`.
  [[nodiscard]] bool fired() const;
};

} // namespace sidevoice::samples
