// Rotary positions (Su et al. 2021, arXiv 2104.09864) in the form of Llama checkpoints: pairs are (i, i +
// d/2), angles in fp32.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <utility>

#include "cache/rope_scaling.h"
#include "kernels/rotary_table.h"

namespace attnlab {

class Rope {
 public:
  /// head size d, even; theta: base of the frequencies theta^(−2i/d); scaling: what stretches them.
  Rope(int64_t d, double theta, const RopeScaling& scaling = {});
  /// x [B,T,heads,d] rotated by the angles of positions [B,T] (int64). Cosine and sine are computed in fp32
  /// (in fp64 for fp64 x) and cast to x's type. On the CPU in fp32 and without autograd they come from a
  /// table that grows with the positions seen; one thread at a time may call this.
  torch::Tensor rotate(const torch::Tensor& x, const torch::Tensor& positions_BT) const;
  /// A layer's queries and keys, of one type, both rotated: on a GPU in one launch where the operator is
  /// there.
  std::pair<torch::Tensor, torch::Tensor> rotate(const torch::Tensor& q, const torch::Tensor& k,
                                                 const torch::Tensor& positions_BT) const;
  /// Until the next call of this the angles of these very positions are computed once for all that is rotated
  /// to them where there is no table: the layers of a decoder share them. Undefined: none are kept.
  void share(const torch::Tensor& positions_BT);
  /// Makes the table ready for positions below this, so that it does not grow later.
  void reserve(int64_t positions);
  /// The table for positions below this, good until the next call of a member.
  RotaryTable table(int64_t positions) const;

 private:
  struct Turns {
    torch::Tensor cosines, sines;
  };
  /// In x's type, [B, T, d/2].
  Turns half_turns(const torch::Tensor& positions_BT, torch::Dtype type) const;
  /// Of the whole head: cosines twice, sines with the sign of their half. [B, T, 1, d]
  Turns whole_turns(const torch::Tensor& positions_BT, torch::Dtype type) const;
  /// What make() gives, once for the positions of share().
  template <class Make>
  Turns once(Turns& kept, const torch::Tensor& positions_BT, torch::Dtype type, Make make) const;
  torch::Tensor frequencies_in(const torch::TensorOptions& options) const;
  /// For positions of any shape: [positions…, d/2].
  Turns turns(const torch::Tensor& positions, torch::Dtype type) const;

  int64_t d_;
  double theta_;
  RopeScaling scaling_;
  mutable Turns table_;                         ///< fp32, by position from 0
  torch::Tensor shared_positions_;              ///< of share()
  mutable Turns shared_halves_, shared_whole_;  ///< of those, once they were asked for
};

}  // namespace attnlab
