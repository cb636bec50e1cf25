#include "core/available_cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include "core/control_groups.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

int64_t affinity_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return sysconf(_SC_NPROCESSORS_ONLN);
}

/// Microseconds of CPU time in each period of so many microseconds.
struct Quota {
  int64_t time = 0, period = 0;
};

std::optional<Quota> quota_of_version_2(const fs::path& group) {
  std::ifstream in(group / "cpu.max");  // "max 100000" where there is no limit
  Quota quota;
  if (in >> quota.time >> quota.period) return quota;
  return std::nullopt;
}

std::optional<Quota> quota_of_version_1(const fs::path& group) {
  const auto time = number_in(group / "cpu.cfs_quota_us"), period = number_in(group / "cpu.cfs_period_us");
  if (!time || !period || *time <= 0) return std::nullopt;  // −1: no limit
  return Quota{*time, *period};
}

}  // namespace

int64_t quota_cores(const fs::path& proc, const fs::path& cgroups) {
  int64_t least = 0;
  const auto count = [&](const std::optional<Quota>& quota) {
    if (!quota || quota->period <= 0) return;
    const int64_t cores = std::max<int64_t>(1, (quota->time + quota->period - 1) / quota->period);
    least = least == 0 ? cores : std::min(least, cores);
  };
  for (const fs::path& group : control_groups("", proc, cgroups)) count(quota_of_version_2(group));
  for (const fs::path& group : control_groups("cpu", proc, cgroups)) count(quota_of_version_1(group));
  return least;
}

int64_t available_cores(const fs::path& proc, const fs::path& cgroups) {
  const int64_t cores = std::max<int64_t>(1, affinity_cores()), quota = quota_cores(proc, cgroups);
  return quota > 0 ? std::min(cores, quota) : cores;
}

}  // namespace attnlab
