// How many cores this process may keep busy.
#pragma once

#include <cstdint>
#include <filesystem>

namespace attnlab {

/// Cores that the scheduler gives this process: those of its affinity (taskset, Slurm), and no more than a
/// control group's CPU quota lasts for (`docker --cpus`, Kubernetes limits), rounded up; at least 1. `proc`
/// and `cgroups` are where the kernel shows itself.
int64_t available_cores(const std::filesystem::path& proc = "/proc",
                        const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// The quota alone, as cores rounded up; 0 where nothing limits.
int64_t quota_cores(const std::filesystem::path& proc, const std::filesystem::path& cgroups);

}  // namespace attnlab
