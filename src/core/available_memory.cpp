#include "core/available_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The number after `key` in a file of lines "key number …".
std::optional<int64_t> number_after(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string word; in >> word;)
    if (int64_t value = 0; word == key && in >> value) return value;
  return std::nullopt;
}

/// The number that a file holds; nothing for "max", as an absent limit is written.
std::optional<int64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  int64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

/// What one group leaves: its limit less what it holds, where file pages that could be dropped do not count.
std::optional<int64_t> left_in(const fs::path& group, const char* limit_file, const char* usage_file,
                               const char* inactive_key) {
  const auto limit = number_in(group / limit_file), used = number_in(group / usage_file);
  if (!limit || !used) return std::nullopt;
  const int64_t dropped = number_after(group / "memory.stat", inactive_key).value_or(0);
  return std::max<int64_t>(0, *limit - std::max<int64_t>(0, *used - dropped));
}

/// This process's group in the hierarchy that /proc/self/cgroup's line names: "0::/path" for version 2,
/// "4:memory:/path" for version 1.
std::optional<fs::path> group_of(const fs::path& proc, const std::string& controller) {
  std::ifstream in(proc / "self" / "cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string named = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    if (controller.empty() ? named == ",," : named.find(fmt::format(",{},", controller)) != std::string::npos)
      return fs::path(line.substr(second + 1)).relative_path();
  }
  return std::nullopt;
}

/// The least that a group and those above it leave. Inside a container the named group may lie outside what
/// is mounted; the groups that are there still count.
int64_t least_left(const fs::path& top, const fs::path& group, const char* limit, const char* usage,
                   const char* inactive) {
  int64_t least = std::numeric_limits<int64_t>::max();
  fs::path place = group;
  while (true) {
    if (const auto left = left_in(top / place, limit, usage, inactive)) least = std::min(least, *left);
    if (place.empty() || place == ".") return least;
    place = place.parent_path();
  }
}

}  // namespace

int64_t available_memory(const fs::path& proc, const fs::path& cgroups) {
  const auto kib = number_after(proc / "meminfo", "MemAvailable:");
  int64_t least = kib ? *kib * 1024 : std::numeric_limits<int64_t>::max();
  if (const auto group = group_of(proc, ""))
    least = std::min(least, least_left(cgroups, *group, "memory.max", "memory.current", "inactive_file"));
  if (const auto group = group_of(proc, "memory"))
    least = std::min(least, least_left(cgroups / "memory", *group, "memory.limit_in_bytes",
                                       "memory.usage_in_bytes", "total_inactive_file"));
  return least == std::numeric_limits<int64_t>::max() ? -1 : least;
}

}  // namespace attnlab
