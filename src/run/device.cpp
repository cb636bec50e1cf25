#include "run/device.h"

#include <ATen/Context.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/shared_library.h"
#include "kernels/ops.h"
#include "run/gpu.h"
#include "run/machine.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// What the driver must know: the CUDA of LibTorch's wheel, 13.0.
constexpr int oldest_driver = 13000;

/// Kernels are compiled for this architecture and newer ones.
constexpr int oldest_architecture = 8;

/// This project's operators for GPUs. Returns "" or why they are not used; Torch's serve then.
std::string open_own_operators() {
  const fs::path own = folder_of(reinterpret_cast<const void*>(&Drop::draw)) / "libattnlab_ops_cuda.so";
  if (!fs::exists(own)) return own.string() + " is not there (scripts/build cuda makes it)";
  const std::string has = gpu_state().architecture;
  const int major = std::atoi(has.c_str());  // 0: the driver does not say
  if (major > 0 && major < oldest_architecture)
    return fmt::format("{} serves architecture {}.0 and newer, and this device has {}", own.string(),
                       oldest_architecture, has);
  return open_library(own);
}

void tell_of_slow_steps(const std::string& reason) {
  static std::once_flag told;
  if (reason.empty()) return;
  std::call_once(told, [&] {
    log_info("warning: {}: bounded caches and causal Luna take slow steps made of Torch's operators", reason);
  });
}

/// Opens everything that CUDA needs. Returns "" or why there is no CUDA here.
std::string open_cuda() {
  if (gpu_name().empty()) return "the NVIDIA driver finds no device";
  if (const int known = driver_cuda_version(); known < oldest_driver)
    return fmt::format(
        "the NVIDIA driver knows CUDA {}.{}, and LibTorch here needs 13.0: a driver of release "
        "580 or newer",
        known / 1000, known % 1000 / 10);
  const auto torch_symbol = reinterpret_cast<const void*>(static_cast<int (*)()>(&at::get_num_threads));
  const fs::path torch_library = folder_of(torch_symbol) / "libtorch_cuda.so";
  if (const auto reason = open_library(torch_library); !reason.empty())
    return "LibTorch's CUDA library does not load (" + reason +
           "); a full `pip install torch` brings what it needs";
  tell_of_slow_steps(open_own_operators());
  if (!torch::cuda::is_available()) return "Torch finds no CUDA device that works";
  // cuDNN's attention makes a plan for every new shape, and a decoding step has one key more than the last:
  // flash attention and Torch's memory-efficient form serve all lengths alike.
  at::globalContext().setSDPUseCuDNN(false);
  return "";
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

std::string cuda_words(torch::Device device) {
  if (!device.is_cuda()) return "";
  const auto on = [](bool yes) { return yes ? "on" : "off"; };
  const at::Context& torch_has = at::globalContext();
  return fmt::format(
      "SDPA may take: flash {}, memory-efficient {}, math {}, cuDNN {}; cuDNN {} at run time; fp32 products "
      "in {}",
      on(torch_has.userEnabledFlashSDP()), on(torch_has.userEnabledMemEfficientSDP()),
      on(torch_has.userEnabledMathSDP()), on(torch_has.userEnabledCuDNNSDP()),
      at::Context::hasCuDNN() ? std::to_string(at::Context::versionRuntimeCuDNN()) : "absent",
      torch_has.allowTF32CuBLAS() ? "TF32" : "fp32");
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
