#include "gateway/process_load.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace sidevoice {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds limits_age{5};
/// Beyond this a number means "none": version 1 writes about 2^63.
constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;

template <class T>
std::optional<T> read_number(const fs::path& file) {
  std::ifstream in{file};
  T value{};
  if (in >> value)
    return value;
  return std::nullopt;
}

std::chrono::microseconds cpu_time() {
  ::rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto part = [](const ::timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return part(use.ru_utime) + part(use.ru_stime);
}

double cores_by_affinity() {
  ::cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max<double>(1, static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

/// Cores that a group's quota allows; unset without one.
std::optional<double> quota_of(const fs::path& folder) {
  double quota = 0;
  double period = 0;
  if (std::ifstream v2{folder / "cpu.max"}; v2 >> quota >> period && period > 0)
    return quota / period;
  const auto v1_quota = read_number<std::int64_t>(folder / "cpu.cfs_quota_us");
  const auto v1_period = read_number<std::int64_t>(folder / "cpu.cfs_period_us");
  if (v1_quota && v1_period && *v1_quota > 0 && *v1_period > 0)
    return static_cast<double>(*v1_quota) / static_cast<double>(*v1_period);
  return std::nullopt;
}

} // namespace

process_load::process_load(system_files files) : files_(std::move(files)) {
  read_limits({});
  limits_at_.reset();
}

/// The folders of the process's group and of those above it, the closest first.
std::vector<fs::path> process_load::folders_of(const char* controller) const {
  std::vector<fs::path> found;
  std::ifstream in{files_.proc / "self/cgroup"};
  for (std::string line; std::getline(in, line);) {
    // NUMBER:CONTROLLERS:PATH; version 2 has no controllers.
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    const auto names = ',' + line.substr(first + 1, second - first - 1) + ',';
    const auto is_v2 = names == ",,";
    if (!is_v2 && names.find(',' + std::string{controller} + ',') == std::string::npos)
      continue;
    const auto root = is_v2 ? files_.cgroup : files_.cgroup / controller;
    // In a container the path may be that of the host, and the group be mounted as the root.
    for (auto path = fs::path{line.substr(second + 1)}.relative_path();;
         path = path.parent_path()) {
      std::error_code failed;
      if (const auto folder = path.empty() ? root : root / path; fs::is_directory(folder, failed))
        found.push_back(folder);
      if (path.empty())
        break;
    }
  }
  return found;
}

void process_load::read_limits(rate_time now) {
  if (limits_at_ && now - *limits_at_ < limits_age)
    return;
  limits_at_ = now;
  cores_ = cores_by_affinity();
  const auto before = std::exchange(quota_stat_, {});
  for (const auto& folder : folders_of("cpu"))
    read_quota(folder);
  if (quota_stat_ != before)
    quota_ = read_quota_use();
  const auto pages = std::max<long>(0, ::sysconf(_SC_PHYS_PAGES));
  memory_max_ = static_cast<std::uint64_t>(pages)
                * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const auto& folder : folders_of("memory"))
    for (const auto* name : {"memory.max", "memory.limit_in_bytes"})
      if (const auto bytes = read_number<std::uint64_t>(folder / name);
          bytes && *bytes > 0 && *bytes < no_limit)
        memory_max_ = memory_max_ == 0 ? *bytes : std::min(memory_max_, *bytes);
  ::rlimit most{};
  descriptors_max_ =
    ::getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur != RLIM_INFINITY ? most.rlim_cur : 0;
}

void process_load::read_quota(const fs::path& folder) {
  const auto quota = quota_of(folder);
  if (!quota || *quota > cores_)
    return;
  cores_ = *quota;
  quota_stat_ = folder / "cpu.stat";
}

process_load::quota_use process_load::read_quota_use() const {
  quota_use use;
  if (quota_stat_.empty())
    return use;
  std::ifstream in{quota_stat_};
  std::string name;
  for (std::uint64_t value = 0; in >> name >> value;) {
    if (name == "nr_periods")
      use.periods = value;
    else if (name == "nr_throttled")
      use.throttled = value;
  }
  return use;
}

std::uint64_t process_load::count_descriptors() {
  const auto folder = files_.proc / "self/fd";
  struct ::stat about {};
  // Kernels since 6.2 give their number as the folder's size; the others have to be walked through.
  if (::stat(folder.c_str(), &about) == 0 && about.st_size > 0)
    return static_cast<std::uint64_t>(about.st_size);
  std::uint64_t count = 0;
  std::error_code failed;
  for (fs::directory_iterator at{folder, failed}, end; !failed && at != end; at.increment(failed))
    ++count;
  return count;
}

process_use process_load::look(rate_time now) {
  const auto quota_stat_before = quota_stat_;
  read_limits(now);
  process_use use;
  use.cores = cores_;
  const auto cpu = cpu_time();
  if (looked_at_ && now > *looked_at_)
    use.cpu = std::chrono::duration<double>(cpu - cpu_)
              / (std::chrono::duration<double>(now - *looked_at_) * cores_);
  cpu_ = cpu;
  looked_at_ = now;
  const auto quota = read_quota_use();
  // A look may fall between two periods, and an idle group has none: what was known before fades.
  if (quota_stat_.empty() || quota_stat_ != quota_stat_before)
    throttled_ = 0;
  else if (quota.periods > quota_.periods)
    throttled_ = static_cast<double>(quota.throttled - quota_.throttled)
                 / static_cast<double>(quota.periods - quota_.periods);
  else
    throttled_ /= 2;
  quota_ = quota;
  use.throttled = throttled_;
  std::ifstream statm{files_.proc / "self/statm"};
  std::uint64_t pages_all = 0;
  std::uint64_t pages = 0;
  if (memory_max_ > 0 && statm >> pages_all >> pages)
    use.memory = static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE))
                 / static_cast<double>(memory_max_);
  if (descriptors_max_ > 0)
    use.descriptors = static_cast<double>(count_descriptors())
                      / static_cast<double>(descriptors_max_);
  return use;
}

} // namespace sidevoice
