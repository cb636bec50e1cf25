#include "models/initialise.h"

#include <cmath>

#include "attention/causal.h"

namespace attnlab {
namespace {

constexpr double bert_deviation = 0.02;

void initialise_translation_attention(const torch::nn::Module& attention) {
  for (const auto& child : attention.named_children()) {
    auto* linear = child.value()->as<torch::nn::Linear>();
    if (!linear) continue;
    const bool output = child.key() == "output";
    torch::nn::init::xavier_uniform_(linear->weight, output ? 1.0 : 1.0 / std::sqrt(2.0));
    if (output && linear->bias.defined()) torch::nn::init::zeros_(linear->bias);
  }
}

double embedding_deviation(EmbeddingKind kind, Initialisation how, int64_t dim) {
  switch (how) {
    case Initialisation::lra:
      return bert_deviation;
    case Initialisation::translation:
      return 1.0 / std::sqrt(static_cast<double>(dim));
    case Initialisation::xavier:
      return kind == EmbeddingKind::token ? 1.0 : 0.02;
  }
  return 1.0;
}

}  // namespace

void initialise_linear(torch::nn::LinearImpl& linear, Initialisation how) {
  if (how == Initialisation::translation) return;  // keeps Torch's default
  if (how == Initialisation::lra) torch::nn::init::normal_(linear.weight, 0.0, bert_deviation);
  if (how == Initialisation::xavier) torch::nn::init::xavier_uniform_(linear.weight);
  if (linear.bias.defined()) torch::nn::init::zeros_(linear.bias);
}

void initialise_linears(const torch::nn::Module& root, Initialisation how) {
  // Not root itself: it is still under construction where this is called.
  for (const auto& module : root.modules(/*include_self=*/false)) {
    if (auto* linear = module->as<torch::nn::Linear>()) initialise_linear(*linear, how);
    const bool attends =
        dynamic_cast<AttentionImpl*>(module.get()) || dynamic_cast<CausalAttentionImpl*>(module.get());
    if (attends && how == Initialisation::translation) initialise_translation_attention(*module);
  }
}

void initialise_embedding(torch::Tensor& table, EmbeddingKind kind, Initialisation how, int64_t padding_row) {
  torch::NoGradGuard no_grad;
  table.normal_(0.0, embedding_deviation(kind, how, table.size(1)));
  table[padding_row].zero_();
}

}  // namespace attnlab
