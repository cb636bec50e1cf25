#include "core/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

namespace attnlab {
namespace {

std::atomic<int64_t> held{0};
std::atomic<int64_t> peak{0};

constexpr std::size_t kCacheLine = 64;  // where a tensor begins; the line before holds its header

struct Header {
  void* block;  ///< of malloc, whose free() takes it back
  std::size_t bytes;
};

Header& header_of(void* tensor) {
  return *reinterpret_cast<Header*>(static_cast<char*>(tensor) - kCacheLine);
}

void count(int64_t bytes) {
  const int64_t now = held.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t seen = peak.load(std::memory_order_relaxed);
  while (now > seen && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
}

void release(void* tensor) {
  if (!tensor) return;
  const Header header = header_of(tensor);
  count(-static_cast<int64_t>(header.bytes));
  std::free(header.block);
}

std::atomic<char*> heap_seen{nullptr};

/// Asks for pages of 2 MiB where the heap has grown: with pages of 4 KiB a large read is bound by the search
/// for its addresses. glibc does the same with the tunable glibc.malloc.hugetlb=1, which can only be set
/// before a process starts. The kernel may decline; nothing depends on it.
void ask_for_huge_pages() {
  constexpr std::uintptr_t huge = 2 << 20;
  char* const end = static_cast<char*>(sbrk(0));
  char* const seen = heap_seen.load(std::memory_order_relaxed);
  if (end == seen) return;
  heap_seen.store(end, std::memory_order_relaxed);
  if (end < seen) return;
  const auto first = reinterpret_cast<std::uintptr_t>(seen) / huge * huge;
  const int error = errno;  // of the caller, which a refusal must not change
  madvise(reinterpret_cast<void*>(first), reinterpret_cast<std::uintptr_t>(end) - first, MADV_HUGEPAGE);
  errno = error;
}

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::DeviceType::CPU)};
    // Not posix_memalign, which does not take the hole that a tensor of the same size has left: the heap
    // grew.
    void* const block = bytes > SIZE_MAX - 2 * kCacheLine ? nullptr : std::malloc(bytes + 2 * kCacheLine);
    if (block == nullptr) throw std::bad_alloc();
    ask_for_huge_pages();
    const auto line = reinterpret_cast<std::uintptr_t>(block) / kCacheLine;
    void* const tensor = reinterpret_cast<void*>((line + 2) * kCacheLine);
    header_of(tensor) = {block, bytes};
    count(static_cast<int64_t>(bytes));
    return {tensor, tensor, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* target, const void* source, std::size_t bytes) const override {
    default_copy_data(target, source, bytes);
  }
};

int64_t status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == key) {
      int64_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

}  // namespace

void install_counting_allocator() {
  static CountingAllocator allocator;
  // One growing heap, never trimmed, no mmap per tensor.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_ARENA_MAX, 1);
  heap_seen = static_cast<char*>(sbrk(0));
  c10::SetCPUAllocator(&allocator, /*priority=*/100);
}

int64_t tensor_bytes() { return held.load(); }
int64_t tensor_bytes_peak() { return peak.load(); }
void reset_tensor_bytes_peak() { peak.store(held.load()); }

int64_t heap_bytes() {
  const struct mallinfo2 all = mallinfo2();
  return static_cast<int64_t>(all.uordblks + all.hblkhd);
}

void release_freed_pages() { malloc_trim(0); }

int64_t cuda_bytes_peak(int index) {
  // CUDA's library registers its allocator when it is opened; without it there is none.
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(c10::DeviceType::CUDA));
  if (!allocator || !allocator->initialized()) return 0;
  constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return allocator->getDeviceStats(static_cast<c10::DeviceIndex>(index)).allocated_bytes[all].peak;
}

int64_t resident_bytes() { return status_kib("VmRSS:") * 1024; }
int64_t resident_bytes_peak() { return status_kib("VmHWM:") * 1024; }

bool reset_resident_bytes_peak() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5" << std::flush;
  return static_cast<bool>(clear);
}

}  // namespace attnlab
