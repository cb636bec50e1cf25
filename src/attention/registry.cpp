#include "attention/attention.h"
#include "attention/causal_luna.h"
#include "attention/causal_softmax.h"
#include "attention/linear.h"
#include "attention/linformer.h"
#include "attention/local.h"
#include "attention/luna.h"
#include "attention/performer.h"
#include "attention/softmax.h"
#include "attention/synthesizer.h"
#include "core/error.h"

namespace attnlab {

StateExtent AttentionImpl::state_extent(const Tensor&, int64_t) const { return {state_length(), {}}; }

namespace {

/// A context as it was given, for attentions that have nothing to prepare.
class WholeContext final : public OpenedContext {
 public:
  WholeContext(AttentionImpl& attention, Tensor context_BMD, Tensor padding_BM)
      : attention_(attention), context_BMD_(std::move(context_BMD)), padding_BM_(std::move(padding_BM)) {}
  Tensor read(const Tensor& query_BND) override {
    return attention_.forward(query_BND, context_BMD_, {{}, padding_BM_, {}}, {}).y_BND;
  }
  void select(const Tensor& members_B) override {
    context_BMD_ = context_BMD_.index_select(0, members_B);
    if (padding_BM_.defined()) padding_BM_ = padding_BM_.index_select(0, members_B);
  }
  int64_t bytes() const override { return static_cast<int64_t>(context_BMD_.nbytes()); }

 private:
  AttentionImpl& attention_;
  Tensor context_BMD_, padding_BM_;
};

}  // namespace

std::unique_ptr<OpenedContext> AttentionImpl::open(const Tensor& context_BMD, const Masks& masks,
                                                   const Tensor&) {
  ensure(state_length() == 0, "an attention with a state that opens a context in its own way");
  return std::make_unique<WholeContext>(*this, context_BMD, masks.context_BM);
}

WeightMemory AttentionImpl::weight_memory(int64_t, int64_t, torch::DeviceType) const { return {}; }

template <>
const std::vector<Entry<CausalAttentionOptions>>& registry<CausalAttentionOptions>() {
  static const std::vector<Entry<CausalAttentionOptions>> table = {
      entry<CausalAttentionOptions, CausalSoftmaxOptions>(
          "softmax", "scaled dot-product attention over the tokens so far (Vaswani et al. 2017)"),
      entry<CausalAttentionOptions, CausalLunaOptions>(
          "luna", "causal sums through l carried rows (Ma et al. 2021, §3.2)"),
  };
  return table;
}

template <>
const std::vector<Entry<AttentionOptions>>& registry<AttentionOptions>() {
  static const std::vector<Entry<AttentionOptions>> table = {
      entry<AttentionOptions, SoftmaxOptions>("softmax",
                                              "scaled dot-product attention (Vaswani et al. 2017)"),
      entry<AttentionOptions, LunaOptions>(
          "luna", "pack and unpack attention through l carried rows (Ma et al. 2021)"),
      entry<AttentionOptions, LinformerOptions>(
          "linformer",
          "keys and values projected to k rows along the sequence (Wang et al. 2020); fixed length"),
      entry<AttentionOptions, LinearOptions>("linear",
                                             "linear attention with elu(x)+1 (Katharopoulos et al. 2020)"),
      entry<AttentionOptions, LocalOptions>("local", "blocks that read themselves and their neighbours"),
      entry<AttentionOptions, PerformerOptions>(
          "performer", "softmax attention by positive random features (Choromanski et al. 2021)"),
      entry<AttentionOptions, SynthesizerOptions>(
          "synthesizer", "synthesized instead of query-key scores (Tay et al. 2021); fixed length"),
  };
  return table;
}

}  // namespace attnlab
