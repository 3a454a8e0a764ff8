#pragma once

#include "config/rate.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace sidevoice {

/// What the process has used of what it may use. Linux.
struct process_use {
  /// CPU since the last look, of what the cores and the quota allow.
  double cpu = 0;
  /// Scheduler periods since the last look in which the quota was used up; 0 without a quota.
  double throttled = 0;
  /// Memory in RAM, of the limit or of the machine.
  double memory = 0;
  double descriptors = 0;
  /// Cores that the process may use, a third being 0.33.
  double cores = 1;
};

/// The files below which Linux says so; tests give a folder of their own.
struct system_files {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
};

/// Reads the process's use and its limits: getrusage, /proc/self, the control group (version 1 or
/// 2, quota and memory, the tightest on the way up) and RLIMIT_NOFILE. What cannot be read counts
/// as no limit. Limits are read again every few seconds: somebody may change them. One thread.
class process_load {
public:
  explicit process_load(system_files files = {});

  process_use look(rate_time now);

  /// Cores by affinity and quota.
  [[nodiscard]] double cores() const {
    return cores_;
  }

private:
  /// Periods and those in which the quota was used up.
  struct quota_use {
    std::uint64_t periods = 0;
    std::uint64_t throttled = 0;
  };

  void read_limits(rate_time now);
  void read_quota(const std::filesystem::path& folder);
  [[nodiscard]] std::vector<std::filesystem::path> folders_of(const char* controller) const;
  [[nodiscard]] quota_use read_quota_use() const;
  [[nodiscard]] std::uint64_t count_descriptors();

  system_files files_;
  std::optional<rate_time> limits_at_;
  double cores_ = 1;
  std::uint64_t memory_max_ = 0;
  std::uint64_t descriptors_max_ = 0;
  /// cpu.stat of the group whose quota is the tightest; empty: there is none.
  std::filesystem::path quota_stat_;
  std::optional<rate_time> looked_at_;
  std::chrono::microseconds cpu_{0};
  quota_use quota_;
  double throttled_ = 0;
};

} // namespace sidevoice
