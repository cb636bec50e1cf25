// Synthesizer: attention weights that no query-key product makes (Tay et al. 2021, arXiv 2005.00743, §3).
//
//   dense              scores_i = W2·relu(W1·x_i + b1) + b2, one W2 for all heads on d features each (§3.1.1;
//                      as in the released LRA code)
//   random             scores = R, learned, the same for every text (§3.1.2)
//   factorized_random  scores = R1·R2, of rank r (§3.1.3); the released LRA text configuration: r = 32
//   Y = drop(softmax(scores))·(C·W_v)·W_o
//
// Scores exist for a fixed number of positions, and n×n of them are held: quadratic, with fewer products than
// softmax attention.
//
// Weights on disk: value, output {weight [D, D], bias [D]}; dense: hidden {[D, D], [D]}, scores
// {weight [max_length, D/H], bias [max_length]}; random: scores [H, max_length, max_length];
// factorized_random: left [H, max_length, r], right [H, r, max_length].
#pragma once

#include "attention/attention.h"
#include "kernels/linear.h"

namespace attnlab {

struct SynthesizerOptions final : AttentionOptions {
  enum class Scores { dense, random, factorized_random };
  Scores scores = Scores::factorized_random;
  int64_t rank = 32;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
  bool counts_queries() const override { return scores != Scores::dense; }
};

class SynthesizerAttentionImpl final : public AttentionImpl {
 public:
  SynthesizerAttentionImpl(const SynthesizerOptions& options, const AttentionShape& shape);
  /// Throws UserError where a sentence is longer than the shape's max_length.
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;
  WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const override;

 private:
  /// Scores of the first n positions over the first m: [B or 1, H, n, m].
  Tensor synthesized(const Tensor& query_BND, int64_t m);

  SynthesizerOptions options_;
  AttentionShape shape_;
  Linear value_{nullptr}, output_{nullptr}, hidden_{nullptr}, scores_{nullptr};
  Tensor left_, right_;  ///< factors of the random scores; `random` has the left one only
};

}  // namespace attnlab
