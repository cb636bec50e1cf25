#include "run/device.h"

#include <dlfcn.h>

#include <filesystem>

#include "core/error.h"
#include "core/log.h"
#include "kernels/ops.h"
#include "run/machine.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The folder of the shared library that holds this function.
fs::path folder_of(const void* function) {
  Dl_info info{};
  if (dladdr(function, &info) == 0 || !info.dli_fname) return {};
  return fs::path(info.dli_fname).parent_path();
}

/// Opens a library so that what it registers is seen by all. Returns "" or the reason why not.
std::string open_library(const fs::path& library) {
  if (!fs::exists(library)) return "there is no " + library.string();
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) return "";
  const char* reason = dlerror();
  return reason ? reason : "dlopen gives no reason";
}

/// Opens everything that CUDA needs. Returns "" or why there is no CUDA here.
std::string open_cuda() {
  if (gpu_name().empty()) return "the NVIDIA driver finds no device";
  const auto torch_symbol = reinterpret_cast<const void*>(static_cast<int (*)()>(&at::get_num_threads));
  const fs::path torch_library = folder_of(torch_symbol) / "libtorch_cuda.so";
  if (const auto reason = open_library(torch_library); !reason.empty())
    return "LibTorch's CUDA library does not load (" + reason +
           "); a full `pip install torch` brings what it needs";
  const fs::path own = folder_of(reinterpret_cast<const void*>(&Drop::draw)) / "libattnlab_ops_cuda.so";
  if (fs::exists(own))
    if (const auto reason = open_library(own); !reason.empty()) return "the project's " + reason;
  return torch::cuda::is_available() ? "" : "Torch finds no CUDA device that works";
}

}  // namespace

std::string gpu_name() {
  // The driver's own interface: it needs neither the CUDA toolkit nor LibTorch's CUDA library.
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return "";
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  char text[256] = "";
  if (!init || !get || !name || init(0) != 0 || get(&device, 0) != 0 || name(text, sizeof text, device) != 0)
    return "";
  return text;
}

torch::Device choose_device(const std::string& word) {
  if (word == "cpu") return torch::kCPU;
  const std::string reason = open_cuda();
  if (reason.empty()) return torch::Device(torch::kCUDA, 0);
  if (word == "cuda") user_error("device: cuda was asked for, but {}", reason);
  if (!gpu_name().empty()) log_info("device auto: using the CPU, because {}", reason);
  return torch::kCPU;
}

int set_threads(int64_t threads) {
  const int count = static_cast<int>(threads > 0 ? threads : this_machine().cores);
  at::set_num_threads(count);
  static const bool once = (at::set_num_interop_threads(1), true);  // Torch refuses a second call
  static_cast<void>(once);
  return count;
}

}  // namespace attnlab
