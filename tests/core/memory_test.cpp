// The counting allocator and the meters of resident memory.
#include "core/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace attnlab {
namespace {

constexpr std::size_t kMiB = 1 << 20;

TEST(CountingAllocator, CountsWhatIsHeldAndItsPeak) {
  install_counting_allocator();
  const int64_t before = tensor_bytes();
  reset_tensor_bytes_peak();
  {
    const c10::DataPtr a = c10::GetCPUAllocator()->allocate(3 * kMiB);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.get()) % 64, 0u) << "vector loads want whole cache lines";
    { const c10::DataPtr b = c10::GetCPUAllocator()->allocate(5 * kMiB); }
    EXPECT_EQ(tensor_bytes() - before, static_cast<int64_t>(3 * kMiB));
  }
  EXPECT_EQ(tensor_bytes(), before);
  EXPECT_EQ(tensor_bytes_peak() - before, static_cast<int64_t>(8 * kMiB));
}

TEST(CountingAllocator, GivesNothingForNothing) {
  install_counting_allocator();
  const int64_t before = tensor_bytes();
  const c10::DataPtr none = c10::GetCPUAllocator()->allocate(0);
  EXPECT_EQ(tensor_bytes(), before);
}

TEST(CountingAllocator, TooMuchIsAnExceptionNotACrash) {
  install_counting_allocator();
  EXPECT_THROW(c10::GetCPUAllocator()->allocate(std::size_t{1} << 60), std::bad_alloc);
}

TEST(CudaMemory, IsNoneWhereCudaWasNotUsed) { EXPECT_EQ(cuda_bytes_peak(0), 0); }

TEST(ResidentMemory, PeakRisesWithPagesThatAreTouched) {
  const int64_t before = resident_bytes();
  if (!reset_resident_bytes_peak())
    GTEST_SKIP() << "this kernel does not let /proc/self/clear_refs be written";
  {
    const c10::DataPtr block = c10::GetCPUAllocator()->allocate(64 * kMiB);
    std::memset(block.get(), 1, 64 * kMiB);
  }
  EXPECT_GE(resident_bytes_peak() - before, static_cast<int64_t>(60 * kMiB));
}

}  // namespace
}  // namespace attnlab
