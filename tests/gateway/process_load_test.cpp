#include "gateway/process_load.hpp"

#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

using namespace sidevoice;
using namespace sidevoice::test;
using namespace std::chrono_literals;

namespace {

const rate_time begin{1h};

/// A system as files: `self` is the process's folder.
struct fake_system {
  fake_system() {
    folder.write("proc/self/statm", "100000 25000 0 0 0 0 0");
    folder.write("proc/self/fd/0", "");
    cgroup("");
  }

  void cgroup(const std::string& lines) const {
    folder.write("proc/self/cgroup", lines);
  }

  [[nodiscard]] process_load load() const {
    return process_load{{folder.path() / "proc", folder.path() / "cgroup"}};
  }

  scratch_folder folder;
};

} // namespace

TEST_CASE("a quota of version 2 is found in the process's group") {
  const fake_system system;
  system.cgroup("0::/a/b\n");
  system.folder.write("cgroup/a/b/cpu.max", "33000 100000\n");
  CHECK(system.load().cores() == doctest::Approx(0.33));
}

TEST_CASE("the tightest quota on the way up counts") {
  const fake_system system;
  system.cgroup("0::/a/b\n");
  system.folder.write("cgroup/a/b/cpu.max", "50000 100000\n");
  system.folder.write("cgroup/a/cpu.max", "20000 100000\n");
  CHECK(system.load().cores() == doctest::Approx(0.2));
}

TEST_CASE("a quota of version 1 is found, also where the path is that of the host") {
  const fake_system system;
  system.cgroup("2:cpu,cpuacct:/docker/123\n1:memory:/\n");
  system.folder.write("cgroup/cpu/cpu.cfs_quota_us", "3300\n");
  system.folder.write("cgroup/cpu/cpu.cfs_period_us", "10000\n");
  CHECK(system.load().cores() == doctest::Approx(0.33));
}

TEST_CASE("no quota means the cores that the process may run on") {
  const fake_system system;
  system.cgroup("0::/a\n1:cpu:/\n");
  system.folder.write("cgroup/a/cpu.max", "max 100000\n");
  system.folder.write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  system.folder.write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(system.load().cores() >= 1);
}

TEST_CASE("what cannot be read is no limit") {
  const fake_system system;
  system.cgroup("nonsense\n::::\n0::/gone\n");
  auto load = system.load();
  const auto use = load.look(begin);
  CHECK(use.cores >= 1);
  CHECK(use.throttled == 0);
  CHECK(use.memory < 1);
}

TEST_CASE("memory is a share of the group's limit") {
  const fake_system system;
  system.cgroup("1:memory:/box\n");
  const auto bytes = 50'000 * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  system.folder.write("cgroup/memory/box/memory.limit_in_bytes", std::to_string(bytes));
  auto load = system.load();
  CHECK(load.look(begin).memory == doctest::Approx(0.5));
}

TEST_CASE("periods held back are counted since the last look, and fade when there are none") {
  const fake_system system;
  system.cgroup("0::/a\n");
  system.folder.write("cgroup/a/cpu.max", "33000 100000\n");
  const auto stat = [&](int periods, int held) {
    system.folder.write("cgroup/a/cpu.stat", "usage_usec 5\nnr_periods " + std::to_string(periods)
                                               + "\nnr_throttled " + std::to_string(held) + "\n");
  };
  stat(100, 50);
  auto load = system.load();
  load.look(begin);
  stat(110, 59);
  CHECK(load.look(begin + 1s).throttled == doctest::Approx(0.9));
  CHECK(load.look(begin + 2s).throttled == doctest::Approx(0.45));
  for (int i = 3; i < 12; ++i)
    load.look(begin + i * 1s);
  CHECK(load.look(begin + 12s).throttled < 0.01);
}

TEST_CASE("CPU is what this process has burned since the last look") {
  auto load = process_load{};
  const auto real = std::chrono::steady_clock::now();
  load.look(real);
  volatile std::uint64_t sum = 0;
  auto now = real;
  while (now - real < 50ms) {
    sum = sum + 1;
    now = std::chrono::steady_clock::now();
  }
  const auto use = load.look(now);
  CHECK(use.cpu > 0);
  CHECK(use.descriptors > 0);
  CHECK(use.descriptors < 1);
  // The same time again over a far longer span is next to nothing.
  CHECK(load.look(now + 1000s).cpu < 0.01);
}
