// The kernel's control groups (cgroups, versions 1 and 2) that limit this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace attnlab {

/// The folders below `cgroups` that describe this process's group of `controller` and those above it, its own
/// first: of version 1 for a controller's name, of version 2 for "". Inside a container the named group may
/// lie outside what is mounted: only folders that are there. `proc` and `cgroups` are where the kernel shows
/// itself.
std::vector<std::filesystem::path> control_groups(const std::string& controller,
                                                  const std::filesystem::path& proc,
                                                  const std::filesystem::path& cgroups);

/// The number that a file holds; nothing for "max", as an absent limit is written.
std::optional<int64_t> number_in(const std::filesystem::path& file);

}  // namespace attnlab
