// The machine a run happens on, as recorded with it and as `attnlab doctor` shows it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace attnlab {

struct Machine {
  std::string host;
  std::string system;  ///< kernel and distribution
  std::string cpu;     ///< model name
  double clock = 0;    ///< of its first core just now, MHz; 0: unknown
  int64_t cores = 1;   ///< processors this process may use
  int64_t memory = 0;  ///< bytes
  std::string
      huge_pages;  ///< whether memory comes in pages of 2 MiB: always, madvise (asked for here), never
  std::vector<std::string> instruction_sets;  ///< those that matter here: AVX2, FMA, AVX-512, …
};

Machine this_machine();

/// Bytes that an ordinary user may still write where `path`, or its nearest existing parent, lies; -1 if
/// unknown.
int64_t free_disk(const std::filesystem::path& path);

/// Now, in UTC: 2025-01-31T12:34:56Z.
std::string iso_now();

}  // namespace attnlab
