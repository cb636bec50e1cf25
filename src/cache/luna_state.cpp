#include "cache/luna_state.h"

#include "core/error.h"

namespace attnlab {
LunaState::LunaState(const StateShape& shape, const StateRun& run) {
  const auto type = run.dtype == torch::kDouble ? torch::kDouble : torch::kFloat;
  sums_ =
      CausalLunaSums::of_nothing(run.batch, shape.heads, shape.luna_length, shape.head_dim,
                                 torch::empty({0}, torch::TensorOptions().dtype(type).device(run.device)));
}

Tensor LunaState::attend(const NewTokens& tokens, const Rope&) {
  const torch::NoGradGuard no_grad;
  ensure(tokens.a_BTHL.defined(), "the weights a of the tokens in Luna's sums");
  ensure(tokens.q_BTHd.size(0) == sums_.counts_R.size(0), "{} sequences, not {}", sums_.counts_R.size(0),
         tokens.q_BTHd.size(0));
  const auto heads_first = [&](const Tensor& x_BTHd) {
    return x_BTHd.to(sums_.sums_RHL2d.scalar_type()).transpose(1, 2);
  };
  const Tensor q_BHTd = heads_first(tokens.q_BTHd), k_BHTd = heads_first(tokens.k_BTKd);
  const Tensor v_BHTd = heads_first(tokens.v_BTKd);
  Tensor a_BHTL = heads_first(tokens.a_BTHL);
  const Tensor& padding_BT = tokens.padding_BT;
  if (padding_BT.defined()) a_BHTL = a_BHTL.masked_fill(padding_BT.unsqueeze(1).unsqueeze(-1), 0.0);
  const auto only = [](const Tensor& x_BHTd) { return x_BHTd.squeeze(2); };
  const bool one = q_BHTd.size(2) == 1 && !padding_BT.defined();
  const Tensor y_BHTd =
      one ? causal_luna_step(sums_, only(q_BHTd), only(k_BHTd), only(v_BHTd), only(a_BHTL), {}).unsqueeze(2)
          : causal_luna_append(sums_, q_BHTd, k_BHTd, v_BHTd, a_BHTL, padding_BT, {});
  return y_BHTd.transpose(1, 2).to(tokens.q_BTHd.scalar_type());
}

int64_t LunaState::bytes() const {
  return static_cast<int64_t>(sums_.sums_RHL2d.nbytes() + sums_.counts_R.nbytes());
}

void LunaState::reorder(const Tensor& rows) {
  const torch::NoGradGuard no_grad;
  const Tensor on_device = rows.to(sums_.counts_R.device());
  sums_.sums_RHL2d = sums_.sums_RHL2d.index_select(0, on_device);
  sums_.counts_R = sums_.counts_R.index_select(0, on_device);
}

std::unique_ptr<LayerState> LunaState::copy(const Tensor& rows) const {
  auto copy = std::make_unique<LunaState>(*this);
  copy->reorder(rows);  // which makes tensors of its own
  return copy;
}

std::map<std::string, Tensor> LunaState::to_store() const {
  return {{"sums", sums_.sums_RHL2d}, {"counts", sums_.counts_R}};
}

void LunaState::restore(const std::map<std::string, Tensor>& stored) {
  sums_.sums_RHL2d = stored.at("sums");
  sums_.counts_R = stored.at("counts");
}

}  // namespace attnlab
