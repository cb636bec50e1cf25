// Disk space taken before it is needed, so that a full disk is noticed before a file is touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace attnlab {

/// Extends the open file by `bytes` that are allocated, where the file system can promise that; only in
/// length where it cannot. Throws RunError "cannot write <path>: No space left on device", with the file as
/// it was.
void reserve_space(int descriptor, int64_t bytes, const std::filesystem::path& path);

/// Type of the file system that holds `path` ("ext4", "nfs4", "tmpfs"), or "unknown".
std::string filesystem_type(const std::filesystem::path& path);

}  // namespace attnlab
