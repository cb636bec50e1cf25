// Initial weights of the published recipes.
#pragma once

#include <torch/torch.h>

namespace attnlab {

enum class Initialisation {
  lra,          ///< N(0, 0.02) for linears and embeddings, zero biases (released LRA code, from BERT)
  translation,  ///< attention: Xavier uniform, gain 1/√2 for input projections and 1 for the output with zero
                ///< bias; embeddings N(0, D^-1/2); Torch's default elsewhere (fairseq)
  xavier,  ///< Xavier uniform linears with zero biases; tokens N(0, 1), positions N(0, 0.02)
};

/// Initialises a Linear that belongs to no attention.
void initialise_linear(torch::nn::LinearImpl& linear, Initialisation how);

/// Initialises every Linear below `root`.
void initialise_linears(const torch::nn::Module& root, Initialisation how);

enum class EmbeddingKind { token, position };

/// Initialises an embedding table [rows, D]; row `padding_row` becomes 0.
void initialise_embedding(torch::Tensor& table, EmbeddingKind kind, Initialisation how, int64_t padding_row);

}  // namespace attnlab
