#include "core/available_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/control_groups.h"

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

/// What one group leaves: its limit less what it holds, where file pages that could be dropped do not count.
std::optional<int64_t> left_in(const fs::path& group, const char* limit_file, const char* usage_file,
                               const char* inactive_key) {
  const auto limit = number_in(group / limit_file), used = number_in(group / usage_file);
  if (!limit || !used) return std::nullopt;
  const int64_t dropped = number_after(group / "memory.stat", inactive_key).value_or(0);
  return std::max<int64_t>(0, *limit - std::max<int64_t>(0, *used - dropped));
}

/// The least that any of these groups leaves.
int64_t least_left(const std::vector<fs::path>& groups, const char* limit, const char* usage,
                   const char* inactive) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const fs::path& group : groups)
    if (const auto left = left_in(group, limit, usage, inactive)) least = std::min(least, *left);
  return least;
}

}  // namespace

int64_t available_memory(const fs::path& proc, const fs::path& cgroups) {
  const auto kib = number_after(proc / "meminfo", "MemAvailable:");
  int64_t least = kib ? *kib * 1024 : std::numeric_limits<int64_t>::max();
  least = std::min(
      least, least_left(control_groups("", proc, cgroups), "memory.max", "memory.current", "inactive_file"));
  least = std::min(least, least_left(control_groups("memory", proc, cgroups), "memory.limit_in_bytes",
                                     "memory.usage_in_bytes", "total_inactive_file"));
  return least == std::numeric_limits<int64_t>::max() ? -1 : least;
}

}  // namespace attnlab
