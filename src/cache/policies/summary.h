// The states that TOVA drops live on as a summary, for each key-value head: how many they were, their mean
// (key, value) and r principal directions of the pairs (incremental PCA: Ross et al. 2008, "Incremental
// Learning for Robust Visual Tracking", §2). A query q (scaled) is answered as if the n pairs were drawn from
// the normal distribution with that mean μ and covariance C: their softmax numerators add up to
//   n · exp(q·μ_k + ½ qᵀC_kk q), with the value μ_v + C_vk q.
#pragma once

#include "cache/afterlife.h"
#include "cache/policy.h"

namespace attnlab {

struct SummaryOptions final : PolicyOptions {
  int64_t directions = 8;

  void visit(Fields& f) override {
    visit_heads(f);
    f("directions", directions, Range{0, 4096}, "r principal directions kept; 0: the mean alone");
  }
  PolicyNeeds needs() const override { return {.dropped = Dropped::summarised}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
  std::unique_ptr<Afterlife> afterlife() const override;
};

class DroppedSummary final : public Afterlife {
 public:
  explicit DroppedSummary(int64_t directions) : directions_(directions) {}

  void grow(int64_t lanes, int64_t slots) override;
  void arrive(int64_t, int64_t) override {}
  void drop(int64_t lane, int64_t slot, std::span<const int64_t> order, Tensor k_KSd, Tensor v_KSd) override;
  void move(int64_t, int64_t, int64_t) override {}
  void reorder(const std::vector<int64_t>& lanes) override;
  std::unique_ptr<Afterlife> clone() const override { return std::make_unique<DroppedSummary>(*this); }
  int64_t bytes() const override;
  Answer answer(int64_t lane, const Tensor& q_KGd) const override;

 private:
  struct Moments {
    int64_t count = 0;
    Tensor mean_KP;  ///< of the pairs, P = 2d: key, then value
    Tensor rows_KrP;  ///< rowsᵀ·rows is the scatter of the pairs around their mean, as far as r rows can say
  };
  int64_t directions_;
  std::vector<Moments> lanes_;
};

}  // namespace attnlab
