// The counting allocator and the meters of resident memory.
#include "core/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "system_allocator.h"

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

TEST(CountingAllocator, ATensorTakesTheHoleOfOneOfItsSize) {
  ATTNLAB_NEEDS_SYSTEM_ALLOCATOR();
  install_counting_allocator();
  c10::DataPtr first = c10::GetCPUAllocator()->allocate(3 * kMiB);
  const c10::DataPtr above = c10::GetCPUAllocator()->allocate(kMiB);  // so that the heap ends behind it
  const void* const place = first.get();
  first.clear();
  const int64_t resident = resident_bytes();
  c10::DataPtr second;
  for (int i = 0; i < 8; ++i) {
    second.clear();
    second = c10::GetCPUAllocator()->allocate(3 * kMiB);
    std::memset(second.get(), 1, 3 * kMiB);
    EXPECT_EQ(second.get(), place);
  }
  EXPECT_LT(resident_bytes() - resident, static_cast<int64_t>(4 * kMiB));
}

TEST(CudaMemory, IsNoneWhereCudaWasNotUsed) { EXPECT_EQ(cuda_bytes_peak(0), 0); }

TEST(ResidentMemory, PeakRisesWithPagesThatAreTouched) {
  release_freed_pages();  // of other tests, or they would be touched again
  const int64_t before = resident_bytes();
  if (!reset_resident_bytes_peak())
    GTEST_SKIP() << "this kernel does not let /proc/self/clear_refs be written";
  {
    const c10::DataPtr block = c10::GetCPUAllocator()->allocate(64 * kMiB);
    std::memset(block.get(), 1, 64 * kMiB);
  }
  EXPECT_GE(resident_bytes_peak() - before, static_cast<int64_t>(60 * kMiB));
}

TEST(HeapBytes, CountTensorsAndAllElse) {
  ATTNLAB_NEEDS_SYSTEM_ALLOCATOR();
  install_counting_allocator();
  const int64_t before = heap_bytes();
  const c10::DataPtr tensor = c10::GetCPUAllocator()->allocate(32 * kMiB);
  const std::vector<char> other(8 * kMiB);
  EXPECT_NEAR(static_cast<double>(heap_bytes() - before), 40.0 * kMiB, 1e5);
}

TEST(ResidentMemory, FallsWhenFreedPagesAreReleased) {
  ATTNLAB_NEEDS_SYSTEM_ALLOCATOR();
  install_counting_allocator();
  c10::DataPtr block = c10::GetCPUAllocator()->allocate(64 * kMiB);
  const c10::DataPtr above = c10::GetCPUAllocator()->allocate(kMiB);  // so that the block is a hole
  std::memset(block.get(), 1, 64 * kMiB);
  block.clear();
  const int64_t before = resident_bytes();
  release_freed_pages();
  EXPECT_GE(before - resident_bytes(), static_cast<int64_t>(60 * kMiB));
}

}  // namespace
}  // namespace attnlab
