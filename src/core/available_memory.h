// How much memory new work may take on this machine.
#pragma once

#include <cstdint>
#include <filesystem>

namespace attnlab {

/// Bytes that may still be taken without swapping: the kernel's MemAvailable, and where a control group
/// limits this process, what its limits leave. −1 where the kernel says nothing. `proc` and `cgroups` are
/// where the kernel shows itself.
int64_t available_memory(const std::filesystem::path& proc = "/proc",
                         const std::filesystem::path& cgroups = "/sys/fs/cgroup");

}  // namespace attnlab
