// A decoder's state written for reading: keeps every key and value, and answers each query with a softmax
// over those that it may see, one head and one token after the other, in double.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <vector>

#include "cache/state.h"

namespace attnlab {

class PlainState final : public LayerState {
 public:
  explicit PlainState(int64_t window = 0) : window_(window) {}

  Tensor attend(const NewTokens& tokens, const Rope& rope) override {
    const Tensor q_BTHd = rope.rotate(tokens.q_BTHd, tokens.positions_BT).to(torch::kDouble);
    const auto join = [](Tensor& all, const Tensor& more) {
      all = all.defined() ? torch::cat({all, more}, 1) : more;
    };
    join(keys_, rope.rotate(tokens.k_BTKd, tokens.positions_BT).to(torch::kDouble));
    join(values_, tokens.v_BTKd.to(torch::kDouble));
    join(positions_, tokens.positions_BT);
    join(padding_, tokens.padding_BT.defined() ? tokens.padding_BT
                                               : torch::zeros_like(tokens.positions_BT, torch::kBool));
    Tensor y_BTHd = torch::zeros_like(q_BTHd);
    const int64_t heads = q_BTHd.size(2), shared_by = heads / keys_.size(2), t = q_BTHd.size(1);
    for (int64_t b = 0; b < q_BTHd.size(0); ++b)
      for (int64_t i = 0; i < t; ++i)
        for (int64_t h = 0; h < heads; ++h)
          y_BTHd[b][i][h] = answer(q_BTHd[b][i][h], b, keys_.size(1) - t + i, h / shared_by);
    return y_BTHd.to(tokens.q_BTHd.scalar_type());
  }
  int64_t bytes() const override { return 0; }
  void reorder(const Tensor&) override {}
  std::unique_ptr<LayerState> copy(const Tensor&) const override { return nullptr; }

 private:
  /// The answer to the query of column `at`.
  Tensor answer(const Tensor& q, int64_t b, int64_t at, int64_t kv_head) const {
    Tensor logits = torch::mv(keys_[b].select(1, kv_head), q) / std::sqrt(static_cast<double>(q.size(0)));
    for (int64_t j = 0; j < logits.size(0); ++j) {
      const bool padded = padding_[b][j].item<bool>() && j != at;  // at padding anything will do
      const int64_t distance = (positions_[b][at] - positions_[b][j]).item<int64_t>();
      if (j > at || padded || (window_ > 0 && distance >= window_)) logits[j] = -INFINITY;
    }
    return torch::mv(values_[b].select(1, kv_head).t(), torch::softmax(logits, 0));
  }

  int64_t window_;
  Tensor keys_, values_, positions_, padding_;
};

inline DecoderState plain_states(int64_t layers, int64_t window = 0) {
  DecoderState states;
  for (int64_t i = 0; i < layers; ++i) states.push_back(std::make_unique<PlainState>(window));
  return states;
}

}  // namespace attnlab
