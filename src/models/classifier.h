// Sequence classifier: embeddings, an encoder over any attention, pooling, a two-layer head.
//
//   logits = W_c · drop(relu(W_h · pooled + b_h))      W_c has no bias
//
// Weights on disk: encoder.* (see encoder.h), pooled_norm.{weight, bias, running_mean, running_var,
// num_batches_tracked} (with pooled_norm), hidden.{weight [head_dim, D], bias [head_dim]}, classes.weight
// [classes, head_dim].
#pragma once

#include "kernels/linear.h"
#include "models/encoder.h"

namespace attnlab {

enum class Pooling {
  first,  ///< the first token that is not padding
  mean,   ///< over the true length (the released code divides by the padded one)
};

struct ClassifierOptions {
  EncoderOptions encoder;
  int64_t head_dim = 1024;
  Pooling pooling = Pooling::first;
  bool pooled_norm = false;  ///< BatchNorm over the pooled vectors
  double head_dropout = 0.0;

  void visit(Fields& f);
};

class ClassifierImpl : public torch::nn::Module {
 public:
  /// vocabulary: token ids are below it; id `padding_id` (1) embeds to 0. max_length: longest sequence in
  /// tokens.
  ClassifierImpl(const ClassifierOptions& options, int64_t vocabulary, int64_t max_length, int64_t classes);
  /// Logits [B, classes]. ids: int64 [B, N]; padding: bool [B, N], true where padded, or undefined.
  Tensor forward(const Tensor& ids_BN, const Tensor& padding_BN = {});
  /// Floating-point operations of one forward at batch 1, matrix products only, as really executed.
  double flops(int64_t n) const;

 private:
  Tensor pool(const Tensor& x_BND, const Tensor& padding_BN) const;
  Tensor normalise(const Tensor& pooled_BD);

  ClassifierOptions options_;
  Encoder encoder_{nullptr};
  torch::nn::BatchNorm1d pooled_norm_{nullptr};
  Linear hidden_{nullptr}, classes_{nullptr};
};
TORCH_MODULE(Classifier);

}  // namespace attnlab
