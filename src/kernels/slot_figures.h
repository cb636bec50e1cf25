// Figures of a cache's states beside their softmax weights, by which some policies decide. Each is a mean
// over heads of what the states of one head say, and is carried times weight_scale, as the weights are.
#pragma once

#include <cstdint>

#include "kernels/stored_rows.h"

namespace attnlab {

enum class SlotFigure {
  none,
  /// How far a query head's output moves if the state goes and the other weights are divided anew:
  /// p/(1 − p)·‖v − y‖ for a state of weight p and value v, and the output y (Goel et al. 2025, arXiv
  /// 2504.14051, eq. 5). Mean over query heads. 1 − p is taken as least_rest (weight_scale.h) or more.
  output_change,
  /// Cosine between a key, as kept, and the mean of all seen keys, each divided by its length (Park et al.
  /// 2025, arXiv 2504.15364). Mean over key-value heads; 0 where either has no length.
  key_cosine,
  /// Cosine between a key, as kept, and the newest token's. Mean over key-value heads; 0 where either has no
  /// length.
  newest_cosine
};

/// y[r·stride + s] = x_r·m_s for x [rows, d] and m [n, d]: logits of keys, products of values with outputs.
void dot_rows(int64_t n, int64_t d, const StoredRows& m, int64_t rows, const float* x, float* y,
              int64_t stride);

/// y [rows, d] = p·m, for weights p [rows, stride], of which the first n of a row count, and m [n, d].
void weigh_rows(int64_t n, int64_t d, const StoredRows& m, int64_t rows, const float* p, int64_t stride,
                float* y);

/// Query heads that share a key-value head, after one token. Weight of slot s in row r: weights[r·stride +
/// s]· inverse[r]; it is 0 where a slot is not seen.
struct GroupWeights {
  int64_t slots, rows;
  const float* weights;
  int64_t stride;
  const float* inverse;
};

/// out[s] += share·weight_scale·(sum over rows of the output's change without s). v: [S, d], squares: [S], of
/// v's rows; y: [rows, d], the outputs; dots: [rows, S], to compute in.
void add_output_changes(const GroupWeights& group, int64_t d, const StoredRows& v, const float* squares,
                        const float* y, float share, float* dots, float* out);

/// 1/√square, or 0 where there is no length.
float inverse_length(float square);
/// inverse[s], or 0 where the slot's bias is not 0.
void inverse_lengths_of_live(int64_t slots, const float* bias, const float* inverse, float* out);

/// out[s] += share·weight_scale·cosine, for dots[s] of each key with x [d]; `inverse`: of the keys' lengths.
void add_cosines(int64_t slots, int64_t d, const float* x, const float* inverse, const float* dots,
                 float share, float* out);

}  // namespace attnlab
