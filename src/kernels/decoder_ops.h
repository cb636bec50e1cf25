// What a decoder's layers compute beside attention. Each is native for fp32 on the CPU where no gradient is
// wanted, and composed of Torch's operators elsewhere.
#pragma once

#include <torch/torch.h>

namespace attnlab {

/// Whether these weights lie on the CPU in bf16 or fp16: read as they are and multiplied in fp32, since
/// Torch's own products of such types are several times slower there.
bool is_narrow(const torch::Tensor& w);

/// x·wᵀ [..., N] for x [..., K] and w [N, K]. Native where x has few rows, as in decoding, where reading the
/// weights is the work: libraries pack them first for large products, which here costs as much as the
/// product. Narrow weights go with x in fp32: widened in registers for few rows, for more some millions at a
/// time, with sums in fp32 either way.
torch::Tensor thin_linear(const torch::Tensor& x, const torch::Tensor& w);

/// thin_linear for each of several weights, all of them read in one go where x has few rows.
std::vector<torch::Tensor> thin_linears(const torch::Tensor& x, at::ArrayRef<torch::Tensor> weights);

/// x / sqrt(mean(x²) + eps)·w over the last dimension (Zhang & Sennrich 2019, arXiv 1910.07467): the root in
/// fp32 or wider, cast back to x's type before w, as Llama does. Narrow weights go with x in fp32.
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double eps);

/// silu(gate)·x, both of one shape (Shazeer 2020, arXiv 2002.05202).
torch::Tensor gated_silu(const torch::Tensor& gate, const torch::Tensor& x);

/// −log p of the targets, int64 [N], under logits [N, V], in nats and double: what losses and perplexities
/// are made of. Exponentials are summed in double, where Torch's fp32 cross entropy is 1e-5 too low on
/// average over 49,152 logits. Needs no memory beside logits that are fp32 on the CPU. No gradient.
torch::Tensor token_losses(const torch::Tensor& logits_NV, const torch::Tensor& targets_N);

}  // namespace attnlab
