// Positions of tokens, counted as fairseq counts them: the first token of a sentence stands at 2, and row 1
// of the table is the padding's and is 0. The table therefore has two rows more than the longest text.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "models/initialise.h"

namespace attnlab {

using torch::Tensor;

/// The token that fills short sentences, and the position of every padded place.
inline constexpr int64_t padding_id = 1;

enum class PositionKind { learned, sinusoidal };

/// Of positions of any shape: [positions…, dim], fp64: sin(p·w_i) for i < dim/2, then cos(p·w_i),
/// w_i = 10000^(−i/(dim/2 − 1)), the form of tensor2tensor and fairseq (Vaswani et al. 2017, §3.5, up to the
/// order of columns). dim must be even.
Tensor sinusoids(const Tensor& positions, int64_t dim);
/// Those of positions below `rows`.
Tensor sinusoidal_table(int64_t rows, int64_t dim);

/// Weights on disk: weight [max_length + 2, D] where learned; none where sinusoidal.
class PositionsImpl final : public torch::nn::Module {
 public:
  PositionsImpl(PositionKind kind, int64_t max_length, int64_t dim, Initialisation how);
  /// Adds its position to every place of x [B, N, D], in place. padding: bool [B, N] or undefined; padding
  /// may stand on either side. Throws UserError where N exceeds max_length.
  void add_to(Tensor& x_BND, const Tensor& padding_BN);
  /// Adds the position of the `token`-th token of a text, from 0, to every row of x [R, D], in place.
  void add_at(Tensor& x_RD, int64_t token);

 private:
  void check_length(int64_t n) const;
  void follow(const Tensor& x);

  PositionKind kind_;
  int64_t max_length_;
  Tensor table_;  // a parameter where learned; otherwise follows the type and device of x
};
TORCH_MODULE(Positions);

}  // namespace attnlab
