// What a step needs: bytes asked of the tensor allocator, and pages resident.
#pragma once

#include <cstdint>

namespace attnlab {

/// Makes Torch's CPU tensors countable and keeps freed pages in the process: glibc otherwise returns every
/// large tensor to the kernel and pays for fresh zeroed pages at each step, which doubles the time of models
/// with n×n tensors. The same for every model. Call once, in main, before the first tensor.
void install_counting_allocator();

/// Bytes held by CPU tensors now.
int64_t tensor_bytes();
/// The most bytes held by CPU tensors since the last reset.
int64_t tensor_bytes_peak();
void reset_tensor_bytes_peak();

/// Bytes in use of malloc's heap: CPU tensors, and all else that the program keeps.
int64_t heap_bytes();
/// Gives the pages of freed tensors back to the kernel, which install_counting_allocator otherwise keeps.
void release_freed_pages();

/// The most bytes held by tensors on this CUDA device since the start of the process, as Torch's allocator
/// counts them. 0 where the program has not used CUDA.
int64_t cuda_bytes_peak(int index);

/// Resident set of the process now and its peak since the last reset (VmRSS, VmHWM), in bytes.
int64_t resident_bytes();
int64_t resident_bytes_peak();
/// Needs Linux's /proc/self/clear_refs; false where that cannot be written.
bool reset_resident_bytes_peak();

}  // namespace attnlab
