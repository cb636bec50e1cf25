// Softmax attention of texts that are decoded side by side and go on from one another, as in a beam search:
// what they share is kept once, and nothing is copied when they are reordered.
//
// Shapes: R texts, T tokens so far, D model width, H heads; S sentences of R / S texts each.
#pragma once

#include <vector>

#include "kernels/ops.h"

namespace attnlab {

/// Keys and values of some tokens, [rows, H, places, d] each: a head's side by side, so that attention reads
/// them in one stream. As many rows as there were texts at the first, of which later tokens may fill fewer.
struct BeamBlock {
  static constexpr int64_t kPlaces = 16;  ///< few: of a batch that grows, the rest of a block stays empty

  Tensor keys, values;
  int64_t tokens = 0;  ///< that stand in it
};

/// Keys and values of all tokens so far.
struct BeamCache {
  std::vector<BeamBlock> blocks;
  Tensor who_RT;  ///< int32: the row in which text r's token t stands; undefined before the first token

  /// Adds a token of every text, each [R, D].
  void add(const Tensor& key_RD, const Tensor& value_RD, int64_t heads);
  /// Text i goes on from what was text rows[i], int64.
  void select(const Tensor& rows_R);
  int64_t bytes() const;  ///< allocated
};

/// A sentence's texts over the context that they share: q [S, H, R / S, d], keys and values [S, H, M, d],
/// bias [S, M], added to the scaled scores, or undefined. Returns [S, R / S, D]. No gradient.
Tensor context_attention(const Tensor& q_SHNd, const Tensor& k_SHMd, const Tensor& v_SHMd,
                         const Tensor& bias_SM);

/// Every text over its tokens so far: q [R, D], not scaled. `beam` texts side by side are worked on together.
/// Returns [R, D]. No gradient.
Tensor beam_attention(const Tensor& q_RD, const BeamCache& cache, int64_t beam);

}  // namespace attnlab
