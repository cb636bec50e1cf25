// Bounded caches on the GPU: a decoding step, and TOVA over a given text, without a word to the host. The
// rules are those of bounded_attention.h and cache/lane.h: attend to all states, the newest included; if
// there are more than `size`, drop the one with the smallest mean weight over the lane's query heads (or the
// oldest), the oldest of equals, never one of the first `protect_first`.
//
// Compiled for sm_80 and sm_90a. The algorithm (attend.h, lanes.h) is tested on the CPU in an emulated block
// of threads, tests/kernels/cuda_emulated_test.cpp; these kernels have not run on a GPU yet. Where there is
// one: `scripts/build cuda test_kernels test_cache`, and both with --gtest_filter='*Cuda*'.
//
// Shapes: B sequences, H query heads, K key-value heads of H / K query heads each, d head size, S slots, T
// tokens, L lanes: B where all heads of a sequence decide together, B·K where each key-value head decides
// alone. Numbers are fp32 or bf16, sums fp32. Pointers are to the device's memory, contiguous, q, k, v
// aligned to four numbers; d is a multiple of 4 up to 512. Functions return null or a sentence that says what
// went wrong; like all kernels they run when the stream comes to them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/block.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace attnlab::cuda {

enum class Type { fp32, bf16 };
enum class Score { mean_weight, age };

struct Shape {
  Type type = Type::fp32;
  int batch = 1, heads = 1, kv_heads = 1, d = 64;
  ATTNLAB_ANYWHERE int group() const { return heads / kv_heads; }
  ATTNLAB_ANYWHERE int units() const { return batch * kv_heads; }  ///< one thread block each
};

/// One new token of each sequence against all slots, as StepArguments of bounded_attention.h.
struct StepCall {
  Shape shape;
  int slots = 1;
  const void *q = nullptr, *k = nullptr, *v = nullptr;  ///< [B, H, d]; [B, K, S, d] twice
  const float* bias = nullptr;                          ///< [B, K, S] or null
  const int64_t* extent = nullptr;                      ///< [B, K] or null
  void* y = nullptr;                                    ///< [B, H, d]
  float* shares = nullptr;    ///< [B, K, S]: times weight_scale, up to the extents; or null
  void* workspace = nullptr;  ///< of step_workspace() bytes
};

/// What decides: how many lanes, and by which rule.
struct Rule {
  int size = 1, protect_first = 0;  ///< protect_first ≤ size
  Score score = Score::mean_weight;
  bool apart = false;  ///< each key-value head decides alone
};

/// A decoding step with its own states: the new key and value take the free slot, the query attends, and a
/// state that goes frees its slot for the next. Sequences without a token keep all as it is.
struct DecodeCall {
  Shape shape;
  Rule rule;                                            ///< slots are size + 1
  const void *q = nullptr, *k = nullptr, *v = nullptr;  ///< of the new token: [B, H, d]; [B, K, d] twice
  const bool* present = nullptr;                        ///< [B]: has a token; or null, all do
  void *kept_k = nullptr, *kept_v = nullptr;            ///< [B, K, S, d]
  int64_t* order = nullptr;  ///< [L, S]: the how-manieth token of its sequence; unused slots: anything
  int64_t* counts =
      nullptr;  ///< [L, 3]: tokens read, states live (in slots 0 … live but `free`), free slot; from 0
  void* y = nullptr;           ///< [B, H, d]; 0 where there is no token
  int64_t* dropped = nullptr;  ///< [L]: the order of the state that went, or −1
  void* workspace = nullptr;   ///< of step_workspace() bytes
};

/// TOVA, or a window, over whole texts from nothing, exactly as decoding token by token.
struct TextCall {
  Shape shape;
  Rule rule;
  int tokens = 1;
  const void *q = nullptr, *k = nullptr, *v = nullptr;  ///< [B, T, H, d]; [B, T, K, d] twice
  const bool* present = nullptr;                        ///< [B, T]: false is padding; or null, all are tokens
  void* y = nullptr;                                    ///< [B, T, H, d]; 0 at padding
  int64_t* expiry = nullptr;  ///< [L, T]: column of the last token that saw it; −1: kept, −2: padding
  void* workspace = nullptr;  ///< of text_workspace() bytes
};

std::size_t step_workspace(const Shape& shape, int slots);
std::size_t text_workspace(const TextCall& call);

const char* bounded_step(const StepCall& call, CUstream_st* stream);
const char* decode_step(const DecodeCall& call, CUstream_st* stream);
/// Blocks of a lane meet once a token, so all of them must be on the device at the same time: sequences are
/// taken in as many parts as that needs.
const char* tova_text(const TextCall& call, CUstream_st* stream);

}  // namespace attnlab::cuda
