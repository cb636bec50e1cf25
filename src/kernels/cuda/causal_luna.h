// Causal Luna on the GPU (kernels/causal_luna.h), forward and backward, from one scan: sums of stretches of
// tokens, then every stretch by itself, in chunks whose rows stand in shared memory. Sums and products are
// fp32, never TF32: in the chain of sums its 11 bits would be lost to (1 + n)·2^-11.
//
// Compiled for sm_80 and sm_90a. The algorithm (luna_scan.h) is tested on the CPU in an emulated block of
// threads, in double, tests/kernels/cuda_emulated_luna_test.cpp; these kernels have not run on a GPU yet.
//
// Shapes: B texts, H heads, N tokens, d width of a head, L rows of P, S stretches of a head. Functions return
// null or a sentence that says what went wrong, and run when the stream comes to them.
#pragma once

#include <cstdint>

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace attnlab::cuda {

/// Tokens whose rows a block holds at a time.
constexpr int luna_chunk_tokens = 32;

/// Rows of the tokens of every head: the numbers of a row are neighbours.
template <typename Number>
struct HeadRows {
  Number* at = nullptr;
  int64_t of_text = 0, of_head = 0, of_token = 0;  ///< how far apart
};

/// `Number` is float on the GPU; tests take double as well.
template <typename Number>
struct LunaCall {
  int batch = 1, heads = 1, tokens = 1, d = 1, l = 1;
  int stretch = 1;  ///< tokens of a stretch, whole chunks
  int each = 1;     ///< stretches of a head
  HeadRows<const Number> q = {}, k = {}, v = {}, a = {};
  const Number* parts = nullptr;  ///< 1/t: [N], or [B, N] with parts_of_text = N
  int64_t parts_of_text = 0;
  const Number* bias = nullptr;  ///< [B, L], −inf where a row of P must not be read; or null
  const Number* mask = nullptr;  ///< [B, H, N, L], of U's dropout; or null
  Number* u = nullptr;           ///< [B, H, N, L], U before dropout: forward writes it, backward reads it
  Number* sums = nullptr;        ///< [B·H, S, L, 2, d]: of the tokens before a stretch, or behind it
  HeadRows<Number> y = {};
  // Of the gradient alone:
  HeadRows<const Number> dy = {};
  HeadRows<Number> dq = {}, dk = {}, dv = {}, da = {};
  Number* dlogits = nullptr;  ///< [B, H, N, L]
};

enum class LunaPass {
  sums,              ///< of each stretch's own tokens, into its place in `sums`
  forward,           ///< y and u, where sums are those before
  backward_queries,  ///< dq and dlogits, where sums are those before
  suffix_sums,       ///< as `sums`, of what backward_keys needs
  backward_keys,     ///< dk, dv and da, where sums are those behind
};

const char* causal_luna(LunaPass pass, const LunaCall<float>& call, CUstream_st* stream);

}  // namespace attnlab::cuda
