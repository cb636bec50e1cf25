// Vector primitives, compiled once for each instruction set from simd.inc and chosen when the library is
// loaded. Plain C++ in, plain pointers through; no Torch here.
#pragma once

#include <cstdint>

#include "kernels/weight_scale.h"

namespace attnlab {

/// A dropout mask as the primitives see it: element i of the mask is kept iff its 16 random bits are ≥
/// threshold.
struct MaskSpec {
  uint64_t seed = 0;
  uint32_t threshold = 0;  ///< round(65536·p); 0 keeps everything
  float scale = 1.0f;      ///< 65536 / (65536 − threshold): unbiased for the p really used
};

struct ExpSum {
  float top;
  double sum;
};

/// Of a row x: its maximum, Σ e^(x − top), Σ x.
struct SoftmaxSums {
  float top;
  double sum, total;
};

/// One head of the texts of a sentence, each over its own tokens so far: d numbers at keys[t] + who[r, t]·row
/// + first are the key of token t of text r. q and y are the head's columns of the texts', `stride` apart.
struct BeamHead {
  int64_t tokens, texts, d, stride, row, first;
  const float* const* keys;
  const float* const* values;
  const int32_t* who;
  const float* q;
  float scale;
  float* weights;  ///< [texts, tokens], to compute in
  float* y;
};

/// One head of one text, one token more: its sums [l, 2, d], keys' beside values', on their way to another
/// place.
struct LunaStep {
  int64_t l, d;
  float count;  ///< t
  const float *a, *q, *k, *v;
  const float* bias;  ///< [l], −inf where a row of P must not be read, or null
  const float* from;
  float* to;
  float* weights;  ///< [l], to compute in
  float* y;
};

/// Rows of a matrix, `stride` numbers apart.
struct Rows {
  const float* at;
  int64_t stride;
};
struct MutableRows {
  float* at;
  int64_t stride;
};

/// Slots whose keys lie side by side, [d, key_panel], where texts are read in blocks.
inline constexpr int64_t key_panel = 32;

/// Tokens that causal Luna takes at a time.
inline constexpr int64_t luna_chunk = 16;

/// Causal Luna of one head (kernels/causal_luna.h): n tokens in a row. Sums are [l, 2, d], keys' beside
/// values'. u and dlogits are [l, luna_chunk] for every chunk of tokens, the last of them filled up.
struct LunaTokens {
  int64_t n, d, l;
  Rows q, k, v;        ///< [n, d]
  Rows a;              ///< [n, l]
  const float* parts;  ///< [n], 1/t
  const float* bias;   ///< [l], −inf where a row of P must not be read, or null
  MaskSpec mask;       ///< of U's dropout,
  int64_t first;       ///< and the number of U's first element in it
  float* u;            ///< U before dropout: forward writes it, where not null, and backward reads it
  float* scratch;      ///< luna_scratch(l, d) numbers
};
struct LunaGradient {
  Rows dy;                 ///< [n, d]
  MutableRows dq, dk, dv;  ///< [n, d]
  MutableRows da;          ///< [n, l]
  float* dlogits;          ///< of Q·S_kᵀ: backward_queries writes it, backward_keys reads it
};

struct Simd {
  const char* name;
  /// out[i] = scale or 0 for mask elements [first, first + count).
  void (*mask)(const MaskSpec&, int64_t first, int64_t count, float* out);
  /// y[i] = x[i]·mask[first + i]
  void (*apply_mask)(const MaskSpec&, int64_t first, int64_t count, const float* x, float* y);
  /// One row of LayerNorm(residual + x·mask): y = (s − mean)·rstd·w + b; returns rstd. residual may be null;
  /// `sum` receives s where it is not null.
  float (*add_norm)(const MaskSpec&, int64_t first, int64_t d, const float* residual, const float* x,
                    const float* w, const float* b, float eps, float* y, float* sum);
  /// Its backward for one row: ds from dy and the normalised row xh; dw += dy·xh, db += dy.
  void (*norm_backward)(int64_t d, float rstd, const float* xh, const float* dy, const float* w, float* ds,
                        float* dw, float* db);
  /// xh = (y − b)/w: the normalised row, from the output.
  void (*unnorm)(int64_t d, const float* y, const float* w, const float* b, float* xh);
  /// a = act(h + bias)·mask over one row of f.
  void (*gelu)(const MaskSpec&, int64_t first, int64_t f, const float* h, const float* bias, float* a);
  void (*relu)(const MaskSpec&, int64_t first, int64_t f, const float* h, const float* bias, float* a);
  /// a as above (recomputed), and da ← da·mask·act'(h + bias), db += that.
  void (*gelu_backward)(const MaskSpec&, int64_t first, int64_t f, const float* h, const float* bias,
                        float* a, float* da, float* db);
  void (*relu_backward)(const MaskSpec&, int64_t first, int64_t f, const float* h, const float* bias,
                        float* a, float* da, float* db);
  /// In place softmax over n of x[i]·scale + bias[i] (bias may be null: 0). Exactly 0 everywhere when all are
  /// −inf; NaN stays NaN.
  void (*softmax)(int64_t n, float scale, const float* bias, float* x);
  /// ds[i] = scale·a[i]·(g[i] − Σ a·g) where g = da·mask; in place over da.
  void (*softmax_backward)(const MaskSpec&, int64_t first, int64_t n, float scale, const float* a, float* da);
  /// ds[i] = kept[i]·(da[i] + extra) − a[i]·dot, in place over da, where kept = a·mask.
  void (*weight_gradient)(int64_t n, float extra, float dot, const float* a, const float* kept, float* da);
  float (*sum)(int64_t n, const float* x);
  /// y += x
  void (*accumulate)(int64_t n, const float* x, float* y);

  // Attention over a bounded set of states (bounded.inc).

  /// c = a·b, or c += a·b: a [rows, depth], b [depth, cols], c [rows, cols] with row strides lda, ldb, ldc.
  /// rows is a multiple of 8, cols of 16.
  void (*product)(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t lda, const float* b,
                  int64_t ldb, float* c, int64_t ldc, bool accumulate);
  /// y[r, :] = Σ_s p[r, s]·v[s, :] for p [rows, n] of row stride ldp, v [n, d] and y [rows, d].
  void (*weighted_sums)(int64_t n, int64_t d, int64_t rows, const float* p, int64_t ldp, const float* v,
                        float* y);
  /// The same with v in bf16, given by its bits.
  void (*weighted_sums_bf16)(int64_t n, int64_t d, int64_t rows, const float* p, int64_t ldp,
                             const uint16_t* v, float* y);
  /// In place x[i] = weight_scale·e^(x[i] + bias[i] − max); exactly 0 where the exponent is below
  /// least_exponent or bias is −inf. NaN stays NaN. Returns Σ x.
  float (*exp_masked)(int64_t n, const float* bias, float* x);
  /// y = a·x and y += a·x.
  void (*scale_into)(int64_t n, float a, const float* x, float* y);
  void (*add_scaled)(int64_t n, float a, const float* x, float* y);
  /// y[s] = Σ v[s, :]² for v [n, d].
  void (*row_squares)(int64_t n, int64_t d, const float* v, float* y);
  void (*row_squares_bf16)(int64_t n, int64_t d, const uint16_t* v, float* y);
  /// y[s] += share·weight_scale·p/(1 − p)·√(squares[s] − 2·dots[s] + own), with p = inverse·x[s] and the
  /// root's operand no less than 0 (kernels/slot_figures.h). Of p > ½ both differences cancel: that slot,
  /// there is one at most, is left out and returned; −1 if there is none.
  int64_t (*output_changes)(int64_t n, float share, float inverse, const float* x, const float* squares,
                            const float* dots, float own, float* y);
  /// Of n keys in panels, n a multiple of key_panel: y [d] = Σ_s w[s]·k_s, and y[s] = k_s·x.
  void (*panel_sum)(int64_t n, int64_t d, const float* panels, const float* w, float* y);
  void (*panel_dots)(int64_t n, int64_t d, const float* panels, const float* x, float* y);
  /// y = x / weight_scale, in double: nothing is lost.
  void (*unscale)(int64_t n, const float* x, double* y);
  /// The smallest x where bias is 0, which is 0 or −inf; +inf where it is nowhere 0.
  float (*least_seen)(int64_t n, const float* bias, const float* x);
  /// Index of the smallest score where bar is 0; among equals that of the smallest order; where every such
  /// score is NaN or +inf, that of the smallest order. −1 where bar is nowhere 0.
  int64_t (*lowest)(int64_t n, const double* scores, const double* bar, const int64_t* order);

  // A decoder's layers (decoder.inc).

  /// y[i, n] = x[i, :]·w[n, :] for w [outputs, depth], x [rows, depth] and y of row stride ldy: a large w and
  /// few rows.
  void (*thin_product)(int64_t outputs, int64_t depth, const float* w, int64_t rows, const float* x, float* y,
                       int64_t ldy);
  /// The same with w in bf16 or fp16, given by its bits.
  void (*thin_product_bf16)(int64_t outputs, int64_t depth, const uint16_t* w, int64_t rows, const float* x,
                            float* y, int64_t ldy);
  void (*thin_product_fp16)(int64_t outputs, int64_t depth, const uint16_t* w, int64_t rows, const float* x,
                            float* y, int64_t ldy);
  /// Numbers that turn_rows writes for so many rows; 0: they are too few.
  int64_t (*turned_numbers)(int64_t rows, int64_t depth);
  /// x [rows, depth] with rows as lanes, group by group (turned.inc).
  void (*turn_rows)(int64_t rows, int64_t depth, const float* x, float* turned);
  /// thin_product of some dozens of rows; `turned` is what turn_rows makes of x.
  void (*turned_product)(int64_t outputs, int64_t depth, const float* w, int64_t rows, const float* x,
                         const float* turned, float* y, int64_t ldy);
  void (*turned_product_bf16)(int64_t outputs, int64_t depth, const uint16_t* w, int64_t rows, const float* x,
                              const float* turned, float* y, int64_t ldy);
  void (*turned_product_fp16)(int64_t outputs, int64_t depth, const uint16_t* w, int64_t rows, const float* x,
                              const float* turned, float* y, int64_t ldy);
  /// y = x·w / sqrt(mean(x²) + eps), one row of d.
  void (*rms_norm)(int64_t d, float eps, const float* x, const float* w, float* y);
  /// y = gate·sigmoid(gate)·x
  void (*gated_silu)(int64_t n, const float* gate, const float* x, float* y);
  /// max x and Σ e^(x − max x); NaN where any x is.
  ExpSum (*exp_sum)(int64_t n, const float* x);
  /// In place softmax(x) − share; NaN everywhere where any x is.
  SoftmaxSums (*softmax_minus)(int64_t n, float share, float* x);

  // Texts that are decoded side by side (texts.inc).

  void (*beam_attention)(const BeamHead&);
  void (*luna_step)(const LunaStep&);

  // Causal Luna of many tokens (luna.inc).

  int64_t (*luna_scratch)(int64_t l, int64_t d);
  /// Y, where sums are those of the tokens before and become those with these; null: there are none before,
  /// and nobody asks for them afterwards.
  void (*luna_forward)(const LunaTokens&, float* sums, const MutableRows& y);
  /// dq and dlogits, likewise.
  void (*luna_backward_queries)(const LunaTokens&, const LunaGradient&, float* sums);
  /// dk, dv and da, where sums are those of the tokens behind, Σ [dlogits_jᵀ q_j | u_jᵀ dy_j/t].
  void (*luna_backward_keys)(const LunaTokens&, const LunaGradient&, float* sums);
  /// Only the sums of either kind, added to what is there.
  void (*luna_sums)(const LunaTokens&, float* sums);
  void (*luna_suffix_sums)(const LunaTokens&, const LunaGradient&, float* sums);
};

/// The best this machine has.
const Simd& simd();

}  // namespace attnlab
