// The state that TOVA would drop is averaged into the kept state with the most similar key of its layer
// (cosine), each weighted by how many states it stands for.
#pragma once

#include "cache/afterlife.h"
#include "cache/policy.h"

namespace attnlab {

struct MergingOptions final : PolicyOptions {
  void visit(Fields& f) override { visit_heads(f); }
  PolicyNeeds needs() const override { return {.dropped = Dropped::merged}; }
  std::unique_ptr<Policy> build(const PolicyShape& shape) const override;
  std::unique_ptr<Afterlife> afterlife() const override;
};

class Merging final : public Afterlife {
 public:
  void grow(int64_t lanes, int64_t slots) override;
  void arrive(int64_t lane, int64_t slot) override { counts_[lane][slot] = 1.0; }
  void drop(int64_t lane, int64_t slot, std::span<const int64_t> order, Tensor k_KSd, Tensor v_KSd) override;
  void move(int64_t lane, int64_t from, int64_t to) override { counts_[lane][to] = counts_[lane][from]; }
  void reorder(const std::vector<int64_t>& lanes) override;
  std::unique_ptr<Afterlife> clone() const override { return std::make_unique<Merging>(*this); }
  int64_t bytes() const override;

 private:
  std::vector<std::vector<double>> counts_;  ///< [lane][slot]: states that a state stands for
};

}  // namespace attnlab
