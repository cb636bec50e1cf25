#include "run/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/available_cores.h"

namespace attnlab {
namespace {

/// The value of the first line `key … : value` of a file such as /proc/cpuinfo.
std::string value_of(const char* file, std::string_view key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!std::string_view(line).starts_with(key)) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const std::size_t first = line.find_first_not_of(" \t\"", at + 1);
    const std::size_t last = line.find_last_not_of(" \t\"");
    return first == std::string::npos ? "" : line.substr(first, last - first + 1);
  }
  return "";
}

std::vector<std::string> instruction_sets() {
  std::istringstream flags(value_of("/proc/cpuinfo", "flags", ':'));
  std::set<std::string> has;
  for (std::string flag; flags >> flag;) has.insert(flag);
  static const std::pair<const char*, const char*> known[] = {{"sse4_2", "SSE4.2"},
                                                              {"avx", "AVX"},
                                                              {"avx2", "AVX2"},
                                                              {"fma", "FMA"},
                                                              {"avx512f", "AVX-512"},
                                                              {"avx512_vnni", "AVX-512 VNNI"},
                                                              {"avx512_bf16", "AVX-512 BF16"},
                                                              {"amx_tile", "AMX"}};
  std::vector<std::string> found;
  for (const auto& [flag, name] : known)
    if (has.count(flag)) found.emplace_back(name);
  return found;
}

/// The chosen word of the kernel's "always [madvise] never"; empty where there is no such setting.
std::string transparent_huge_pages() {
  std::ifstream in("/sys/kernel/mm/transparent_hugepage/enabled");
  for (std::string word; in >> word;)
    if (word.size() > 2 && word.front() == '[') return word.substr(1, word.size() - 2);
  return "";
}

}  // namespace

Machine this_machine() {
  Machine machine;
  utsname names{};
  uname(&names);
  machine.host = names.nodename;
  machine.system = std::string(names.sysname) + " " + names.release;
  if (const auto distribution = value_of("/etc/os-release", "PRETTY_NAME", '='); !distribution.empty())
    machine.system += ", " + distribution;
  machine.cpu = value_of("/proc/cpuinfo", "model name", ':');
  if (machine.cpu.empty()) machine.cpu = names.machine;
  machine.clock = std::strtod(value_of("/proc/cpuinfo", "cpu MHz", ':').c_str(), nullptr);
  machine.cores = available_cores();
  machine.memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  machine.huge_pages = transparent_huge_pages();
  machine.instruction_sets = instruction_sets();
  return machine;
}

int64_t free_disk(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(path, error);
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  const auto space = std::filesystem::space(place, error);
  return error ? -1 : static_cast<int64_t>(space.available);
}

std::string iso_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace attnlab
