#include "core/shared_library.h"

#include <dlfcn.h>

namespace attnlab {

namespace fs = std::filesystem;

fs::path folder_of(const void* function) {
  Dl_info info{};
  if (dladdr(function, &info) == 0 || !info.dli_fname) return {};
  return fs::path(info.dli_fname).parent_path();
}

std::string open_library(const fs::path& library) {
  if (!fs::exists(library)) return "there is no " + library.string();
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) return "";
  const char* reason = dlerror();
  return reason ? reason : "dlopen gives no reason";
}

void* function_named(const fs::path& library, const char* name) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_NOLOAD);
  return handle ? dlsym(handle, name) : nullptr;
}

}  // namespace attnlab
