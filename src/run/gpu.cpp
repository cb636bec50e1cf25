#include "run/gpu.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <optional>

namespace attnlab {
namespace {

/// A function of a library of the driver; null where there is none.
template <class Signature>
Signature* function_of(void* library, const char* name) {
  return library ? reinterpret_cast<Signature*>(dlsym(library, name)) : nullptr;
}

template <class Signature>
Signature* driver_function(const char* name) {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return function_of<Signature>(driver, name);
}

template <class Signature>
Signature* management_function(const char* name) {
  static void* const nvml = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  return function_of<Signature>(nvml, name);
}

/// The driver's handle of the first device that this process may see.
std::optional<int> first_device() {
  const auto init = driver_function<int(unsigned)>("cuInit");
  const auto get = driver_function<int(int*, int)>("cuDeviceGet");
  int device = 0;
  if (!init || !get || init(0) != 0 || get(&device, 0) != 0) return std::nullopt;
  return device;
}

/// The same device among those that NVML counts, which knows nothing of CUDA_VISIBLE_DEVICES: by its place on
/// the bus.
void* managed_device(int device) {
  const auto bus_of = driver_function<int(char*, int, int)>("cuDeviceGetPCIBusId");
  const auto init = management_function<int()>("nvmlInit_v2");
  const auto find = management_function<int(const char*, void**)>("nvmlDeviceGetHandleByPciBusId_v2");
  char bus[64] = "";
  void* found = nullptr;
  if (!bus_of || !init || !find || init() != 0 || bus_of(bus, sizeof bus, device) != 0) return nullptr;
  return find(bus, &found) == 0 ? found : nullptr;
}

constexpr int processors_attribute = 16, major_attribute = 75, minor_attribute = 76;  // of cuda.h
constexpr int processor_clock = 1, memory_clock = 2;                                  // of nvml.h

void add_managed(GpuState& state, int device) {
  void* const managed = managed_device(device);
  if (!managed) return;
  char release[96] = "";
  if (const auto ask = management_function<int(char*, unsigned)>("nvmlSystemGetDriverVersion");
      ask && ask(release, sizeof release) == 0)
    state.driver = release;
  const auto clock = [&](const char* function, int which) -> int64_t {
    unsigned mhz = 0;
    const auto ask = management_function<int(void*, int, unsigned*)>(function);
    return ask && ask(managed, which, &mhz) == 0 ? mhz : 0;
  };
  state.clock = clock("nvmlDeviceGetClockInfo", processor_clock);
  state.highest_clock = clock("nvmlDeviceGetMaxClockInfo", processor_clock);
  state.memory_clock = clock("nvmlDeviceGetClockInfo", memory_clock);
  unsigned milliwatts = 0;
  if (const auto ask = management_function<int(void*, unsigned*)>("nvmlDeviceGetEnforcedPowerLimit");
      ask && ask(managed, &milliwatts) == 0)
    state.power_limit = milliwatts / 1000.0;
  struct {
    unsigned long long total, free, used;
  } memory{};
  if (const auto ask = management_function<int(void*, void*)>("nvmlDeviceGetMemoryInfo");
      ask && ask(managed, &memory) == 0)
    state.free_memory = static_cast<int64_t>(memory.free);
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

int driver_cuda_version() {
  int version = 0;
  const auto ask = driver_function<int(int*)>("cuDriverGetVersion");
  return ask && ask(&version) == 0 ? version : 0;
}

GpuState gpu_state() {
  GpuState state;
  const auto device = first_device();
  if (!device) return state;
  const auto attribute = [&](int which) {
    int value = 0;
    const auto ask = driver_function<int(int*, int, int)>("cuDeviceGetAttribute");
    return ask && ask(&value, which, *device) == 0 ? value : 0;
  };
  state.processors = attribute(processors_attribute);
  state.architecture = fmt::format("{}.{}", attribute(major_attribute), attribute(minor_attribute));
  state.memory = gpu_memory();
  add_managed(state, *device);
  return state;
}

std::string GpuState::words() const {
  if (architecture.empty()) return "";
  std::string text = fmt::format("architecture {}, {} multiprocessors", architecture, processors);
  if (!driver.empty()) text = fmt::format("driver {}, {}", driver, text);
  if (clock > 0) text += fmt::format(", {} of {} MHz, memory {} MHz", clock, highest_clock, memory_clock);
  if (power_limit > 0) text += fmt::format(", at most {:.0f} W", power_limit);
  const auto add_memory = [&](int64_t bytes, const char* which) {
    if (bytes >= 0) text += fmt::format(", {:.1f} GiB {}", static_cast<double>(bytes) / (1 << 30), which);
  };
  add_memory(memory, "in all");
  add_memory(free_memory, "free");
  return text;
}

}  // namespace attnlab
