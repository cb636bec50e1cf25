#include "tasks/language/lm_losses.h"

#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "kernels/projected_cross_entropy.h"
#include "tasks/language/token_nll.h"

namespace attnlab {
namespace {

/// Above so many logits, 16 MiB in fp32, they are made in slices, each of them once; below, all of them take
/// part in Torch's own cross entropy. (Of train_pg19_small's 2^24 slices are a thirtieth of a step faster.)
constexpr int64_t most_logits = int64_t{1} << 22;

}  // namespace

LmLosses::LmLosses(Decoder decoder, const PolicyTraining& policy, uint64_t seed)
    : decoder_(std::move(decoder)), policy_(policy), seed_(seed) {
  if (const std::string wrong = policy.misfit(state_shape(decoder_->options())); !wrong.empty())
    user_error("train.policy {}", wrong);
}

LmLosses::Predictions LmLosses::predict(const LearnedTokens& tokens, const std::optional<CacheOptions>& kept,
                                        uint64_t seed, Reconstruction* reconstruction) const {
  Decoder decoder = decoder_;
  const int64_t inputs = tokens.ids_BT.size(1) - 1;
  const torch::Tensor read_BT = tokens.ids_BT.narrow(1, 0, inputs);
  DecoderState states;
  if (kept)
    states = training_states(*kept, state_shape(decoder->options()),
                             {.batch = read_BT.size(0),
                              .dtype = decoder->tensors().dtype().toScalarType(),
                              .device = decoder->tensors().device(),
                              .seed = seed},
                             reconstruction);
  const torch::Tensor hidden_ND = decoder->forward_training(read_BT, kept ? &states : nullptr).flatten(0, 1);
  const torch::Tensor targets_N = tokens.ids_BT.narrow(1, 1, inputs).flatten();
  if (!tokens.learned_N.defined()) return {hidden_ND, targets_N};
  return {hidden_ND.index_select(0, tokens.learned_N), targets_N.index_select(0, tokens.learned_N)};
}

torch::Tensor LmLosses::nll(const Predictions& of) const {
  const torch::Tensor& weight_VD = decoder_->output_weight();
  const int64_t count = of.targets_N.size(0);
  if (of.hidden_ND.is_cpu() && count * weight_VD.size(0) > most_logits)
    return projected_cross_entropy(of.hidden_ND, weight_VD, {}, of.targets_N, {}).smoothed /
           static_cast<double>(count);
  // Of the gradient Torch's cross entropy loses nothing, only its value is up to 1e-5 too low over a large
  // vocabulary.
  return torch::cross_entropy_loss(decoder_->logits(of.hidden_ND).to(torch::kFloat), of.targets_N);
}

torch::Tensor LmLosses::training(const LearnedTokens& tokens, int64_t m) const {
  const std::optional<CacheOptions> kept = policy_.drawn(seed_, m);
  const bool reconstructs = kept && policy_.reconstruction > 0;
  Reconstruction reconstruction{.real_BT = tokens.real_BT};
  const torch::Tensor loss = nll(predict(tokens, kept, derive_seed(seed_, "policy", static_cast<uint64_t>(m)),
                                         reconstructs ? &reconstruction : nullptr));
  return reconstructs ? loss + policy_.reconstruction * reconstruction.mean() : loss;
}

double LmLosses::held_out_nll(const LearnedTokens& tokens, Reconstruction* reconstruction) const {
  const torch::NoGradGuard no_grad;
  const auto kept = policy_.active() ? std::optional(policy_.kept()) : std::nullopt;
  const Predictions of = predict(tokens, kept, derive_seed(seed_, "policy"), reconstruction);
  return token_nll(decoder_, of.hidden_ND, of.targets_N).mean().item<double>();
}

HeldOutLoss LmLosses::validation(const LearnedTokens& tokens) const {
  if (!policy_.active()) return {validation_nll(tokens), 0.0};
  Reconstruction reconstruction{.real_BT = tokens.real_BT};
  const double nll = held_out_nll(tokens, &reconstruction);
  return {nll, reconstruction.mean().item<double>()};
}

double LmLosses::validation_nll(const LearnedTokens& tokens) const { return held_out_nll(tokens, nullptr); }

}  // namespace attnlab
