#include "run/device.h"

#include <dlfcn.h>

#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "kernels/ops.h"
#include "run/machine.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// A function of the driver's own interface, which needs neither the CUDA toolkit nor LibTorch's CUDA
/// library; null where there is no driver.
template <class Signature>
Signature* driver_function(const char* name) {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return driver ? reinterpret_cast<Signature*>(dlsym(driver, name)) : nullptr;
}

/// The driver's handle of the first device that this process may see.
std::optional<int> first_device() {
  const auto init = driver_function<int(unsigned)>("cuInit");
  const auto get = driver_function<int(int*, int)>("cuDeviceGet");
  int device = 0;
  if (!init || !get || init(0) != 0 || get(&device, 0) != 0) return std::nullopt;
  return device;
}

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
  char text[256] = "";
  const auto name = driver_function<int(char*, int, int)>("cuDeviceGetName");
  const auto device = first_device();
  if (!device || !name || name(text, sizeof text, *device) != 0) return "";
  return text;
}

int64_t gpu_memory() {
  std::size_t bytes = 0;
  const auto total = driver_function<int(std::size_t*, int)>("cuDeviceTotalMem_v2");
  const auto device = first_device();
  if (!device || !total || total(&bytes, *device) != 0) return -1;
  return static_cast<int64_t>(bytes);
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
