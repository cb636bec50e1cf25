#include "tasks/language/learned_tokens.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/decoder_ops.h"
#include "kernels/on_device.h"

namespace attnlab {
namespace {

/// Of every token that is learned: logits [N, V] of it, and which it is [N].
struct NextTokens {
  torch::Tensor logits_NV, targets_N;
};

NextTokens next_tokens(Decoder& decoder, const LearnedTokens& tokens) {
  const int64_t inputs = tokens.ids_BT.size(1) - 1;
  const torch::Tensor hidden = decoder->forward_training(tokens.ids_BT.narrow(1, 0, inputs));
  const torch::Tensor targets = tokens.ids_BT.narrow(1, 1, inputs).flatten();
  if (!tokens.learned_N.defined()) return {decoder->logits(hidden).flatten(0, 1), targets};
  return {decoder->logits(hidden.flatten(0, 1).index_select(0, tokens.learned_N)),
          targets.index_select(0, tokens.learned_N)};
}

}  // namespace

LearnedTokens LearnedTokens::to(torch::Device device) const {
  return {on_device(ids_BT, device), learned_N.defined() ? on_device(learned_N, device) : learned_N};
}

LearnedTokens all_learned(const std::vector<std::vector<int64_t>>& texts) {
  const auto columns = static_cast<int64_t>(texts.front().size());
  torch::Tensor ids = torch::empty({static_cast<int64_t>(texts.size()), columns}, torch::kLong);
  auto* out = ids.mutable_data_ptr<int64_t>();
  for (const auto& text : texts) {
    ensure(static_cast<int64_t>(text.size()) == columns, "texts of one length");
    out = std::ranges::copy(text, out).out;
  }
  return {ids, {}};
}

LearnedTokens ends_learned(const std::vector<std::vector<int64_t>>& texts,
                           const std::vector<int64_t>& learned) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  torch::Tensor ids = torch::zeros({std::ssize(texts), static_cast<int64_t>(longest)}, torch::kLong);
  std::vector<int64_t> places;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::ranges::copy(texts[i], ids.mutable_data_ptr<int64_t>() + i * longest);
    // What follows place t is token t + 1.
    const auto row = static_cast<int64_t>(i * (longest - 1)), end = std::ssize(texts[i]) - 1;
    for (int64_t t = end - learned[i]; t < end; ++t) places.push_back(row + t);
  }
  return {ids, torch::tensor(places)};
}

torch::Tensor training_loss(Decoder& decoder, const LearnedTokens& tokens) {
  const NextTokens next = next_tokens(decoder, tokens);
  return torch::cross_entropy_loss(next.logits_NV.to(torch::kFloat), next.targets_N);
}

double validation_loss(Decoder& decoder, const LearnedTokens& tokens) {
  const torch::NoGradGuard no_grad;
  const NextTokens next = next_tokens(decoder, tokens);
  return token_losses(next.logits_NV, next.targets_N).mean().item<double>();
}

}  // namespace attnlab
