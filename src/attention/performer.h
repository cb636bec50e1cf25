// Performer: softmax attention approximated by positive random features, FAVOR+ (Choromanski et al. 2021,
// arXiv 2009.14794, §2.3–2.4), or its generalised form with ReLU features, which the released LRA code
// trains.
//
//   softmax  φ(x) = (exp(Ω·x' − |x'|²/2 − c) + eps)/√r,  x' = x/d^¼; c: the query's maximum, or all keys'
//   relu     φ(x) = max(x, 0) + 1e-3, without random features
//
// Ω has r rows: orthogonal in blocks of d, with the norms of Gaussian rows. It is drawn once, when the model
// is built, and saved with it. There are no weights to drop.
//
// Weights on disk: query, key, value, output, each {weight [D, D], bias [D]}; features [r, D/H] (softmax).
#pragma once

#include "attention/projected.h"

namespace attnlab {

struct PerformerOptions final : AttentionOptions {
  enum class Kernel { softmax, relu };
  Kernel kernel = Kernel::softmax;
  int64_t features = 256;
  bool orthogonal = true;

  void visit(Fields& f) override;
  std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const override;
};

class PerformerAttentionImpl final : public ProjectedAttentionImpl {
 public:
  PerformerAttentionImpl(const PerformerOptions& options, const AttentionShape& shape);
  AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                          const Tensor& state_BLD) override;
  double flops(int64_t n, int64_t m) const override;
  WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const override;

 private:
  Tensor query_features(const Tensor& q_BHNd) const;
  Tensor key_features(const Tensor& k_BHMd, const Tensor& padding_BM) const;
  int64_t feature_count() const;

  PerformerOptions options_;
  Tensor features_Rd_;
};

}  // namespace attnlab
