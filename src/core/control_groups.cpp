#include "core/control_groups.h"

#include <fmt/format.h>

#include <fstream>

namespace attnlab {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

std::vector<fs::path> control_groups(const std::string& controller, const fs::path& proc,
                                     const fs::path& cgroups) {
  std::vector<fs::path> groups;
  const auto own = group_of(proc, controller);
  if (!own) return groups;
  const fs::path top = controller.empty() ? cgroups : cgroups / controller;
  for (fs::path place = *own;; place = place.parent_path()) {
    if (fs::is_directory(top / place)) groups.push_back(top / place);
    if (place.empty() || place == ".") return groups;
  }
}

std::optional<int64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  int64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

}  // namespace attnlab
