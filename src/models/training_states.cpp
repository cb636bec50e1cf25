#include "models/training_states.h"

#include <utility>

#include "core/error.h"
#include "kernels/kept_attention.h"
#include "models/decoder_softmax.h"

namespace attnlab {
namespace {

class TrainingState final : public LayerState {
 public:
  TrainingState(std::unique_ptr<LayerState> decides, const StateShape& shape, torch::Dtype type,
                Reconstruction* reconstruction)
      : decides_(std::move(decides)),
        window_(shape.sliding_window),
        type_(type),
        reconstruction_(reconstruction) {}

  Tensor attend(const NewTokens& tokens, const Rope& rope) override {
    Tensor y_BTHd = decide(tokens, rope).to(tokens.q_BTHd.scalar_type());
    if (torch::GradMode::is_enabled())
      y_BTHd = kept_attention(rope.rotate(tokens.q_BTHd, tokens.positions_BT),
                              rope.rotate(tokens.k_BTKd, tokens.positions_BT), tokens.v_BTKd, y_BTHd,
                              decides_->expiry());
    if (reconstruction_) reconstruct(y_BTHd, tokens, rope);
    return y_BTHd;
  }
  const char* kind() const override { return decides_->kind(); }
  int64_t bytes() const override { return decides_->bytes(); }
  void reorder(const Tensor& rows) override { decides_->reorder(rows); }
  std::unique_ptr<LayerState> copy(const Tensor&) const override {
    ensure(false, "a state that reads one text after another, not one that is trained with");
    return nullptr;
  }
  Tensor expiry() const override { return decides_->expiry(); }

 private:
  /// Outputs, without autocast, so that decisions are those of the same text when it is scored.
  Tensor decide(NewTokens tokens, const Rope& rope) const {
    const torch::NoGradGuard no_grad;
    const c10::impl::ExcludeDispatchKeyGuard as_given(c10::autocast_dispatch_keyset);
    for (Tensor* x : {&tokens.q_BTHd, &tokens.k_BTKd, &tokens.v_BTKd}) *x = x->to(type_);
    return decides_->attend(tokens, rope);
  }
  void reconstruct(const Tensor& y_BTHd, const NewTokens& tokens, const Rope& rope) const {
    const auto of_all = [&] {
      const torch::NoGradGuard no_grad;
      return causal_attention(tokens, rope, window_).to(type_);
    };
    Tensor all_BTHd = of_all(), missing_BTHd = y_BTHd.to(type_) - all_BTHd;
    if (const Tensor& real_BT = reconstruction_->real_BT; real_BT.defined())
      for (Tensor* x : {&all_BTHd, &missing_BTHd}) *x = *x * real_BT.to(type_).unsqueeze(-1).unsqueeze(-1);
    const Tensor missed = missing_BTHd.square().sum() / all_BTHd.square().sum();
    reconstruction_->sum = reconstruction_->layers++ ? reconstruction_->sum + missed : missed;
  }

  std::unique_ptr<LayerState> decides_;
  int64_t window_;
  torch::Dtype type_;
  Reconstruction* reconstruction_;
};

}  // namespace

std::string why_not_trained(const CacheOptions& options) {
  const PolicyNeeds needs = options.policy->needs();
  const std::string& name = options.policy.name();
  if (needs.dropped != Dropped::forgotten)
    return fmt::format(
        "names {}, under which dropped states live on in others: only policies that forget can be trained "
        "with",
        name);
  if (needs.prefill_only)
    return fmt::format(
        "names {}, which drops states only after a prompt, and a text that is trained on has none", name);
  if (needs.surprisal)
    return fmt::format(
        "names {}, which needs the loss of each token before the next is read, and training reads texts "
        "layer by layer",
        name);
  if (options.prompt == Prompt::one_shot)
    return "drops states once, after the prompt, with prompt: one_shot; a text that is trained on has none";
  if (options.compress_gaps)
    return "counts positions anew with compress_gaps, so that keys change with what is dropped; training "
           "keeps positions";
  if (!options.protect.empty())
    return "protects tokens by what they say, of which some text may have more than there is room for; "
           "protect_first is known to training";
  if (options.precision != CachePrecision::model)
    return "rounds what it keeps; training needs precision: model";
  return "";
}

DecoderState training_states(const CacheOptions& options, const StateShape& shape, StateRun run,
                             Reconstruction* reconstruction) {
  ensure(why_not_trained(options).empty(), "a cache that can be trained with, not one that {}",
         why_not_trained(options));
  run.record_expiry = true;
  DecoderState states = make_states(options, shape, run);
  const std::vector<int64_t> sizes = sizes_of_layers(options, shape.layers);
  for (std::size_t l = 0; l < states.size(); ++l) {
    std::unique_ptr<LayerState> decides = std::move(states[l]);
    if (sizes[l] > 0)
      states[l] = std::make_unique<TrainingState>(std::move(decides), shape, run.dtype, reconstruction);
  }
  return states;
}

}  // namespace attnlab
