// Small decoders in double for the tests of models, and their gradients against finite differences.
#pragma once

#include <gtest/gtest.h>

#include "models/decoder.h"

namespace attnlab {

/// Weights large enough that attention is far from uniform.
inline Decoder small_decoder(const DecoderOptions& options, torch::Dtype type = torch::kDouble) {
  torch::manual_seed(3);
  Decoder decoder(options, type);
  const torch::NoGradGuard no_grad;
  for (auto& p : decoder->parameters()) p.normal_(0.0, 0.5);
  return decoder;
}

/// int64 [batch, t], ids below 17.
inline Tensor small_texts(int64_t batch, int64_t t) {
  torch::manual_seed(4);
  return torch::randint(17, {batch, t}, torch::kLong);
}

/// Where each token stands when so many on the left are padding.
inline Tensor positions_of(const Tensor& ids_BT, int64_t padding = 0) {
  return (torch::arange(ids_BT.size(1), torch::kLong) - padding).clamp_min(0).expand_as(ids_BT);
}

inline double largest_gap(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

/// Mean loss of each token but the first, from hidden [B,T,D].
inline Tensor loss_of(Decoder& decoder, const Tensor& hidden_BTD, const Tensor& ids_BT) {
  return torch::cross_entropy_loss(decoder->logits(hidden_BTD).slice(1, 0, -1).flatten(0, 1),
                                   ids_BT.slice(1, 1).flatten());
}

/// Of a weight in the middle of every tensor. loss: computed anew at every call, a scalar in double.
template <class Loss>
void expect_gradients_of_finite_differences(Decoder& decoder, const Loss& loss) {
  loss().backward();
  const torch::NoGradGuard no_grad;
  for (auto& p : decoder->named_parameters()) {
    if (p.key() == "model.embed_tokens.weight") continue;  // most of its rows are not in the text
    Tensor flat = p.value().view(-1);
    const int64_t i = flat.numel() / 2;
    const double gradient = p.value().grad().view(-1)[i].template item<double>(), h = 1e-6;
    flat[i] += h;
    const double above = loss().template item<double>();
    flat[i] -= 2 * h;
    const double below = loss().template item<double>();
    flat[i] += h;
    EXPECT_NEAR(gradient, (above - below) / (2 * h), 1e-7) << p.key();
  }
}

}  // namespace attnlab
