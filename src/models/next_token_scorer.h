// What a search over texts needs of a model.
//
// Shapes: R texts, those of a sentence side by side: R = S·beam; V symbols.
#pragma once

#include <torch/torch.h>

namespace attnlab {

class NextTokenScorer {
 public:
  virtual ~NextTokenScorer() = default;
  /// Reads one token of each text, ids int64 [R], and returns logits [R, V] of what follows, in fp32 or fp64.
  /// At first there is one text a sentence.
  virtual torch::Tensor read(const torch::Tensor& ids_R) = 0;
  /// Text i goes on from what was text rows[i], int64 [S'·beam]; `beam` texts side by side come from one
  /// sentence's. Sentences of which no text goes on are given up.
  virtual void select(const torch::Tensor& rows_R, int64_t beam) = 0;
};

}  // namespace attnlab
