#include "run/device.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/shared_library.h"
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

/// A launcher that binds its processes has shared out the machine's cores already.
int64_t cores_of_each(int64_t processes) {
  cpu_set_t mask;
  const int bound = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 0;
  const int64_t cores = this_machine().cores;
  const bool shared_out = cores == bound && bound * processes <= std::thread::hardware_concurrency();
  return shared_out ? cores : std::max<int64_t>(1, cores / processes);
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

torch::Device choose_device(const std::string& word, int which) {
  if (word == "cpu") return torch::kCPU;
  const std::string reason = open_cuda();
  if (reason.empty())
    return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(which % torch::cuda::device_count()));
  if (word == "cuda") user_error("device: cuda was asked for, but {}", reason);
  if (!gpu_name().empty()) log_info("device auto: using the CPU, because {}", reason);
  return torch::kCPU;
}

int set_threads(int64_t threads, int64_t processes) {
  const int count = static_cast<int>(threads > 0 ? threads : cores_of_each(processes));
  at::set_num_threads(count);
  static const bool once = (at::set_num_interop_threads(1), true);  // Torch refuses a second call
  static_cast<void>(once);
  return count;
}

}  // namespace attnlab
