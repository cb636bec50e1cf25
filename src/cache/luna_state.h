// What a layer of causal Luna remembers (Ma et al. 2021, §3.2): for every head the sums Σ a_jᵀ[k_j | v_j],
// l×2d numbers, and how many tokens are in them. As many bytes however long the text is; nothing is ever
// dropped.
#pragma once

#include "cache/cache_options.h"
#include "cache/state.h"
#include "kernels/causal_luna.h"

namespace attnlab {

class LunaState final : public LayerState {
 public:
  /// Sums in fp32, in fp64 where the texts come so.
  LunaState(const StateShape& shape, const StateRun& run);

  Tensor attend(const NewTokens& tokens, const Rope& rope) override;
  const char* kind() const override { return "sums"; }
  /// Of the sums and counts. What the layer's weights make of P (`prepared`, l×d numbers a head in the type
  /// of the layer's outputs) is not counted: a constant of the model, once for all texts.
  int64_t bytes() const override;
  void reorder(const Tensor& rows) override;
  std::unique_ptr<LayerState> copy(const Tensor& rows) const override;
  std::map<std::string, Tensor> to_store() const override;
  void restore(const std::map<std::string, Tensor>& stored) override;

 private:
  CausalLunaSums sums_;
};

}  // namespace attnlab
