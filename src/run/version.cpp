#include "run/version.h"

#include <H5public.h>
#include <torch/version.h>

#include "git_version.h"

namespace attnlab {

std::string git_commit() { return ATTNLAB_GIT_COMMIT; }
std::string git_dirty() { return ATTNLAB_GIT_DIRTY; }
std::string git_changed() { return ATTNLAB_GIT_CHANGED; }
std::string git_untracked() { return ATTNLAB_GIT_UNTRACKED; }

std::vector<std::pair<std::string, std::string>> versions() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);  // of the library in use, not of the header
  return {
      {"version_attnlab", ATTNLAB_VERSION},
      {"version_torch", TORCH_VERSION},
      {"version_hdf5", std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release)},
#ifdef __clang__
      {"compiler", "clang " __clang_version__}};
#else
      {"compiler", "g++ " __VERSION__}};
#endif
}

}  // namespace attnlab
