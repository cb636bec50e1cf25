#include "results/disk_space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/error.h"

namespace attnlab {

void reserve_space(int descriptor, int64_t bytes, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    run_error("cannot write {}: {}", path.string(), std::strerror(errno));
  int result = 0;
  do result = ::fallocate(descriptor, 0, status.st_size, bytes);
  while (result != 0 && errno == EINTR);
  if (result != 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
    result = ::ftruncate(descriptor, status.st_size + bytes);
  if (result == 0) return;
  const int cause = errno;
  [[maybe_unused]] const int undone = ::ftruncate(descriptor, status.st_size);
  run_error("cannot write {}: {}", path.string(), std::strerror(cause));
}

std::string filesystem_type(const std::filesystem::path& path) {
  // A line of mountinfo: id parent device root mount-point options [fields…] - type source options
  const std::string place = std::filesystem::weakly_canonical(path).string();
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line, type = "unknown";
  std::size_t longest = 0;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string skipped, mount, word;
    words >> skipped >> skipped >> skipped >> skipped >> mount;
    const std::string inside = mount == "/" ? mount : mount + "/";
    if (place.compare(0, inside.size(), inside) != 0 || inside.size() < longest) continue;
    while (words >> word && word != "-") {
    }
    longest = inside.size();
    words >> type;
  }
  return type;
}

}  // namespace attnlab
