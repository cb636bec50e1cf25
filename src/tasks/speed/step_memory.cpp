#include "tasks/speed/step_memory.h"

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <new>

#include "core/error.h"
#include "core/memory.h"

namespace attnlab {
namespace {

constexpr auto kAllPools = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);

c10::CachingDeviceAllocator::DeviceStats device_stats(torch::Device device) {
  return c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
}

}  // namespace

DeviceBytes device_bytes(torch::Device device) {
  const auto stats = device_stats(device);
  const auto &held = stats.allocated_bytes[kAllPools], &reserved = stats.reserved_bytes[kAllPools];
  return {held.current, held.peak, reserved.current, reserved.peak};
}

void reset_device_peaks(torch::Device device, bool give_back) {
  torch::cuda::synchronize(device.index());
  c10::DeviceAllocator* allocator = c10::getDeviceAllocator(device.type());
  if (give_back) allocator->emptyCache();
  allocator->resetPeakStats(device.index());
}

int64_t held_by_tensors(torch::Device device) {
  return device.is_cpu() ? tensor_bytes() : device_bytes(device).held;
}

HeldTensors::HeldTensors(torch::Device device) : device_(device), before_(held_by_tensors(device)) {
  device.is_cpu() ? reset_tensor_bytes_peak() : reset_device_peaks(device);
}

int64_t HeldTensors::peak() const {
  return (device_.is_cpu() ? tensor_bytes_peak() : device_bytes(device_).held_peak) - before_;
}

MemoryMeter::MemoryMeter(torch::Device device) : device_(device) {
  if (device.is_cpu()) {
    malloc_trim(0);
    held_ = {tensor_bytes(), resident_bytes()};
    reset_tensor_bytes_peak();
    resident_known_ = reset_resident_bytes_peak();
    return;
  }
  reset_device_peaks(device, /*give_back=*/true);
  const DeviceBytes now = device_bytes(device);
  held_ = {now.held, now.reserved};
}

StepMemory MemoryMeter::peaks() const {
  if (device_.is_cpu())
    return {tensor_bytes_peak() - held_.allocator,
            resident_known_ ? resident_bytes_peak() - held_.resident : -1};
  torch::cuda::synchronize(device_.index());
  const DeviceBytes now = device_bytes(device_);
  return {now.held_peak - held_.allocator, now.reserved_peak - held_.resident};
}

namespace {

StepMemory measure_here(const StepSetting& setting, Pass pass, int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  ModelStep step(setting);
  // A first, short sequence brings in the libraries' own buffers, not the step's.
  StepSetting brief = setting;
  brief.batch = 1;
  brief.length = std::min<int64_t>(setting.length, 64);
  ModelStep(brief).run(pass);
  const MemoryMeter meter(setting.device);
  step.run(pass);
  return meter.peaks();
}

/// What the child ends with, and sends: the measured bytes, or a sentence.
enum ChildStatus { measured = 0, failed, mistaken, no_memory };

int measure_and_send(const StepSetting& setting, Pass pass, int64_t threads, int pipe) {
  const auto send = [pipe](const void* bytes, std::size_t size) {
    return ::write(pipe, bytes, size) == static_cast<ssize_t>(size);
  };
  try {
    const StepMemory memory = measure_here(setting, pass, threads);
    return send(&memory, sizeof memory) ? measured : failed;
  } catch (const std::bad_alloc&) {
    return no_memory;
  } catch (const UserError& e) {
    send(e.what(), std::strlen(e.what()));
    return mistaken;
  } catch (const std::exception& e) {
    send(e.what(), std::strlen(e.what()));
    return failed;
  }
}

/// Until the other end is closed.
std::string read_all(int pipe) {
  std::string all;
  char piece[512];
  for (ssize_t got; (got = ::read(pipe, piece, sizeof piece)) > 0;)
    all.append(piece, static_cast<std::size_t>(got));
  return all;
}

}  // namespace

StepMemory memory_apart(const std::string& name, const StepSetting& setting, Pass pass, int64_t threads) {
  ensure(setting.device.is_cpu(), "a step on the CPU: a forked process cannot use CUDA");
  int ends[2];
  if (::pipe(ends) != 0) run_error("cannot open a pipe to measure memory");
  const pid_t child = ::fork();
  if (child < 0) run_error("cannot start a process to measure memory");
  if (child == 0) ::_exit(measure_and_send(setting, pass, threads, ends[1]));
  ::close(ends[1]);
  const std::string said = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  const int ended = WIFEXITED(status) ? WEXITSTATUS(status) : failed;
  StepMemory memory;
  if (ended == measured && said.size() == sizeof memory) {
    std::memcpy(&memory, said.data(), sizeof memory);
    return memory;
  }
  // The kernel's answer to too little memory is SIGKILL.
  if (ended == no_memory || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
    throw OutOfMemory(fmt::format("the step of {} at {} tokens did not fit", name, setting.length));
  if (ended == mistaken) throw UserError(said);
  run_error("the memory of {} at {} tokens could not be measured: {}", name, setting.length,
            said.empty() ? "the process that measures died" : said);
}

}  // namespace attnlab
